/* The corpus of the fuzzer of study files, and small changes of it: tests/fuzz/replay.h. */
#include "../fuzz/fuzz_study.c"
#include "../fuzz/replay.h"

int main(int argc, char **argv)
{
    return replay_main(argc, argv, "study", 1000);
}
