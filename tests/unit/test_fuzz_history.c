/* The corpus of the fuzzer of histories, and small changes of it: tests/fuzz/replay.h. */
#include "../fuzz/fuzz_history.c"
#include "../fuzz/replay.h"

int main(int argc, char **argv)
{
    return replay_main(argc, argv, "history", 1000);
}
