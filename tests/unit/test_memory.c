/* Limits of control groups, read from trees made here as the kernel shows them: both versions, nested, with file pages to give back. */
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "check.h"

static char root[] = "/tmp/aipm-memory.XXXXXX";

static const char *at(const char *path)
{
    static char text[300];
    snprintf(text, sizeof text, "%s/%s", root, path);
    return text;
}

static void put(const char *path, const char *text)
{
    char folder[300];
    snprintf(folder, sizeof folder, "%s", at(path));
    for (char *slash = folder + strlen(root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(folder, 0777);
    }
    FILE *f = fopen(at(path), "w");
    CU_ASSERT_FATAL(f != NULL);
    fputs(text, f);
    fclose(f);
}

static size_t left(void)
{
    char membership[300];
    snprintf(membership, sizeof membership, "%s", at("membership"));
    return memory_left_in_groups(membership, at("mount"));
}

static void version_2(void)
{
    put("membership", "0::/job/step\n");
    CU_ASSERT_EQUAL(left(), SIZE_MAX);
    put("mount/job/step/memory.max", "max\n");
    put("mount/job/step/memory.current", "700\n");
    CU_ASSERT_EQUAL(left(), SIZE_MAX);
    put("mount/job/memory.max", "1000\n"); /* the group around it */
    put("mount/job/memory.current", "900\n");
    CU_ASSERT_EQUAL(left(), 100);
    put("mount/job/memory.stat", "anon 500\ninactive_file 300\n");
    CU_ASSERT_EQUAL(left(), 400);
    put("mount/job/step/memory.max", "750\n");
    CU_ASSERT_EQUAL(left(), 50);
    put("mount/job/step/memory.max", "600\n");
    CU_ASSERT_EQUAL(left(), 0);
}

static void version_1(void)
{
    put("membership", "5:cpu,cpuacct:/a\n4:memory:/slurm/job_7\n0::/\n");
    put("mount/memory/slurm/job_7/memory.limit_in_bytes", "5000\n");
    put("mount/memory/slurm/job_7/memory.usage_in_bytes", "4000\n");
    put("mount/memory/slurm/job_7/memory.stat", "inactive_file 1\ntotal_inactive_file 500\n");
    put("mount/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("mount/memory/memory.usage_in_bytes", "100000\n");
    CU_ASSERT_EQUAL(left(), 1500);
    put("membership", "4:memory:/hidden/by/a/container\n"); /* its own group is then the mount's root */
    put("mount/memory/memory.limit_in_bytes", "100300\n");
    CU_ASSERT_EQUAL(left(), 300);
}

static void own_limits(void)
{
    struct rlimit before, low;
    const char *limit;
#ifdef __SANITIZE_ADDRESS__
    SKIP("AddressSanitizer maps terabytes; make check has this one");
    return;
#endif
    getrlimit(RLIMIT_AS, &before);
    low = before;
    size_t free_room = memory_room(1, &limit), shared = memory_room(4, &limit);
    CU_ASSERT(free_room > 0 && shared <= free_room / 4 + free_room / 8);
    low.rlim_cur = (rlim_t)1 << 20; /* less than is mapped already */
    setrlimit(RLIMIT_AS, &low);
    CU_ASSERT_EQUAL(memory_address_limit(), (size_t)1 << 20);
    CU_ASSERT_EQUAL(memory_room(1, &limit), 1);
    CU_ASSERT_STRING_EQUAL(limit, "ulimit -v or -d");
    setrlimit(RLIMIT_AS, &before);
}

int main(void)
{
    if (!mkdtemp(root)) return 2;
    const struct check tests[] = {{"control groups, version 2", version_2},
                                  {"control groups, version 1", version_1},
                                  {"limits of the process", own_limits}};
    int rc = check_run("memory", tests, sizeof tests / sizeof *tests);
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command) ? 2 : rc;
}
