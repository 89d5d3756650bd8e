/* Every file in tests/fuzz/corpus, seeds and findings of the fuzzer, through the readers again. */
#include <dirent.h>

#include "../fuzz/fuzz_csv.c"
#include "check.h"

static int replayed;

static void test_corpus(void)
{
    static uint8_t data[1 << 20];
    DIR *d = opendir("tests/fuzz/corpus");
    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    for (struct dirent *entry; (entry = readdir(d));) {
        char name[512];
        snprintf(name, sizeof name, "tests/fuzz/corpus/%s", entry->d_name);
        FILE *f = *entry->d_name == '.' ? NULL : fopen(name, "rb");
        if (!f) continue;
        size_t n = fread(data, 1, sizeof data, f);
        fclose(f);
        for (unsigned how = 0; how < 8; how++) { /* each under every choice of its first byte */
            data[0] = (uint8_t)((data[0] & 1) | how << 1);
            CU_ASSERT_EQUAL(LLVMFuzzerTestOneInput(data, n), 0); /* aborts where a reader breaks a promise */
            replayed++;
        }
    }
    closedir(d);
    CU_ASSERT(replayed >= 48);
}

int main(int argc, char **argv)
{
    static const struct check tests[] = {{"corpus", test_corpus}};
    LLVMFuzzerInitialize(&argc, &argv);
    int failed = check_run("corpus", tests, 1);
    unlink(path);
    world_close(world);
    return failed;
}
