#!/usr/bin/env bash
# Fuzz the readers of stock and factor files, or of price files, with clang's libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.
#   tests/fuzz/run.sh [SECONDS [ohlcv]]     (default 300; needs clang; findings go to build/fuzz)
set -eu
cd "$(dirname "$0")/../.."
. tests/env.sh
seconds=${1:-300} out=build/fuzz
command -v clang >/dev/null || { echo "needs clang (apt-get install clang)"; exit 1; }
mkdir -p $out/corpus
if [ "${2:-}" = ohlcv ]; then
    mkdir -p $out/corpus-ohlcv
    clang -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Iinclude -Isrc -w -o $out/fuzz_ohlcv \
        tests/fuzz/fuzz_ohlcv.c src/base/*.c src/panel/calendar.c src/io/{csv,decimal,source,ohlcv_csv,ohlcv_json,ohlcv_file}.c \
        $(pkg-config --cflags --libs libzstd zlib jansson) -lm
    exec $out/fuzz_ohlcv -max_total_time="$seconds" -max_len=4096 -timeout=20 -rss_limit_mb=3000 -dict=tests/fuzz/csv.dict -artifact_prefix=$out/ \
        $out/corpus-ohlcv tests/fuzz/corpus-ohlcv
fi
flags=$(pkg-config --cflags hdf5-openmpi libzstd zlib lapacke openblas | sed 's/-I/-isystem /g')
sources=$(ls src/base/*.c src/parallel/{team,exchange,stop}.c src/panel/{panel,rank,sample,calendar}.c \
    src/io/{csv,decimal,source,names,row_store,stock_*,factor_file,jkp,yaml,text_file,hdf,hdf_text,panel_file}.c)
OMPI_CC=clang mpicc -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Iinclude -Isrc $flags -w -o $out/fuzz_csv \
    tests/fuzz/fuzz_csv.c $sources $(pkg-config --libs hdf5-openmpi libzstd zlib yaml-0.1 scalapack-openmpi lapacke openblas) -lm
$out/fuzz_csv -max_total_time="$seconds" -max_len=4096 -timeout=20 -rss_limit_mb=3000 -dict=tests/fuzz/csv.dict -artifact_prefix=$out/ $out/corpus tests/fuzz/corpus
