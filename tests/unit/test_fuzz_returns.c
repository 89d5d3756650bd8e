/* The corpus of the fuzzer of return files and stored rates, and small changes of it: tests/fuzz/replay.h. */
#include "../fuzz/fuzz_returns.c"
#include "../fuzz/replay.h"

int main(int argc, char **argv)
{
    return replay_main(argc, argv, "returns", 1000);
}
