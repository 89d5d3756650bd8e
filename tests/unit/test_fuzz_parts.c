/* The corpus of the fuzzer of part logs, and small changes of it: tests/fuzz/replay.h. */
#include "../fuzz/fuzz_parts.c"
#include "../fuzz/replay.h"

int main(int argc, char **argv)
{
    return replay_main(argc, argv, "parts", 1000);
}
