#!/usr/bin/env bash
# Panels and results as xarray shows them: dimensions by name, dates as time, the numbers that h5py reads.
. tests/cli/lib.sh
python=/usr/bin/python3
"$python" -c 'import numpy, h5py' 2>/dev/null || { skip "python3-numpy and python3-h5py are not installed: 11 checks"; exit 0; }
mpi 2 "$AIPM" synth -q -o "$WORK/p.h5" --assets 40 --characteristics 5 --periods 40 --seed 3 || bad "no panel"
mpi 2 "$AIPM" synth -q -o "$WORK/h.h5" --planted lead_lag --assets 6 --periods 60 --frequency hourly --seed 3 || bad "no hourly panel"
cat >"$WORK/s.yaml" <<Y
study: s
panel: $WORK/p.h5
output: $WORK/s.h5
window: 30
universes: [all, mega]
save_weights: true
models:
  - {name: linear, kind: linear_transformer, objective: msrr, heads: [1, 2, 4]}
  - {name: mlp, kind: mlp, hidden: [8], seeds: 2, epochs: 3}
  - {name: factors, kind: factors}
Y
cat >"$WORK/a.yaml" <<Y
study: a
panel: $WORK/h.h5
output: $WORK/a.h5
window: 48
models:
  - {name: net, kind: cross_attention, d_model: 4, heads: 2, layers: 1, feedforward: 4, epochs: 1, save_attention: heads}
Y
check "a study on two ranks" mpi 2 "$AIPM" run "$WORK/s.yaml" 2>/dev/null
check "one with attention" mpi 2 "$AIPM" run "$WORK/a.yaml" 2>/dev/null
check "every dataset has unit, meaning and scales" "$python" tests/cli/xarray_check.py meaning "$WORK"/{p,h,s,a}.h5
for engine in h5netcdf netcdf4; do
    module=${engine/netcdf4/netCDF4}
    "$python" -c "import xarray, $module" 2>/dev/null ||
        { skip "$engine: python3-xarray or python3-${module,,} is not installed: 4 checks"; continue; }
    see() { check "$engine shows $1" "$python" tests/cli/xarray_check.py $engine "$WORK/${@:2}"; }
    see "a panel" p.h5 =date
    see "an hourly panel" h.h5 =date
    see "results" s.h5 =date models/all/linear=date,ridge,head models/mega/mlp=date,seed,epoch models/all/factors=date
    see "attention" a.h5 models/all/net=date,seed,asset
done
