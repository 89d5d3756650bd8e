/* The corpus of the fuzzer of stocks and factor files, and small changes of it: tests/fuzz/replay.h. */
#include "../fuzz/fuzz_csv.c"
#include "../fuzz/replay.h"

int main(int argc, char **argv)
{
    return replay_main(argc, argv, "csv", 300);
}
