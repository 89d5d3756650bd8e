/* The corpus of the fuzzer of panels, results, runs under way and parameters, and small changes of it: tests/fuzz/replay.h. */
#include "../fuzz/fuzz_hdf.c"
#include "../fuzz/replay.h"

int main(int argc, char **argv)
{
    return replay_main(argc, argv, "hdf", 300);
}
