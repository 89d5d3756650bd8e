/* The corpus of the fuzzer of lock files, and small changes of it: tests/fuzz/replay.h. */
#include "../fuzz/fuzz_lock.c"
#include "../fuzz/replay.h"

int main(int argc, char **argv)
{
    return replay_main(argc, argv, "lock", 1000);
}
