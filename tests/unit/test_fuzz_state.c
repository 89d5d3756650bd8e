/* The corpus of the fuzzer of checkpoints, and small changes of it: tests/fuzz/replay.h. */
#include "../fuzz/fuzz_state.c"
#include "../fuzz/replay.h"

int main(int argc, char **argv)
{
    return replay_main(argc, argv, "state", 1000);
}
