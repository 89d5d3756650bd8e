/* The corpus of the fuzzer of price files, and small changes of it: tests/fuzz/replay.h. */
#include "../fuzz/fuzz_ohlcv.c"
#include "../fuzz/replay.h"

int main(int argc, char **argv)
{
    return replay_main(argc, argv, "ohlcv", 1000);
}
