/* libFuzzer: a price file of any bytes, as CSV and as JSON, read by the readers that ingest uses. Build and run: tests/fuzz/run.sh SECONDS ohlcv. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "io/csv.h"
#include "io/ohlcv_text.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    for (int json = 0; json < 2; json++) {
        struct ohlcv_file f = {.symbol = ""};
        struct error e = {""};
        char *text = malloc(n + CSV_SLACK); /* not from the house: its blocks are larger than asked, faults would hide */
        if (n) memcpy(text, data, n);
        memset(text + n, 'x', CSV_SLACK);
        int rc = json ? ohlcv_json("fuzz", text, n, &f, &e) : ohlcv_csv("fuzz", text, n, &f, &e);
        if ((rc == 0) == error_is_set(&e)) abort();
        ohlcv_file_sort(&f);
        for (int64_t i = 0; i < f.n; i++)
            if (!(f.bar[i].low > 0 && f.bar[i].high >= f.bar[i].low) || (i && f.bar[i].time < f.bar[i - 1].time)) abort();
        if (f.read != f.n + f.bad_prices || ohlcv_file_spacing(&f) < 0) abort();
        ohlcv_file_free(&f);
        free(text);
    }
    if (memory_blocks()) abort();
    return 0;
}
