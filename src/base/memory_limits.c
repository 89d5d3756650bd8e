/* What the system says of this process's memory: what it holds, and what it may still take under the limits of the host, of its
 * control group (versions 1 and 2) and of its own addresses. Figures come from /proc and /sys/fs/cgroup. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"

/* The figure after `key` in a file of lines, 0 if it is not there. */
static size_t field(const char *path, const char *key)
{
    FILE *f = fopen(path, "r");
    char line[256];
    size_t value = 0;
    if (!f) return 0;
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key))) {
            value = strtoull(line + strlen(key), NULL, 10);
            break;
        }
    fclose(f);
    return value;
}

size_t memory_resident(void)
{
    return 1024 * field("/proc/self/status", "VmRSS:");
}
size_t memory_mapped(void)
{
    return 1024 * field("/proc/self/status", "VmSize:");
}
size_t memory_resident_peak(void)
{
    return 1024 * field("/proc/self/status", "VmHWM:");
}

/* The number a file holds; SIZE_MAX if it is missing or says "max". */
static size_t number_in(const char *path)
{
    FILE *f = fopen(path, "r");
    unsigned long long v = 0;
    if (!f) return SIZE_MAX;
    if (fscanf(f, "%llu", &v) != 1) v = UINT64_MAX;
    fclose(f);
    return v;
}

/* How one version of control groups names its files. */
struct group_files {
    const char *limit, *used, *cache;
};
static const struct group_files version_1 = {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "};
static const struct group_files version_2 = {"memory.max", "memory.current", "inactive_file "};

/* What one group leaves; pages of files that it would drop on demand count as free. */
static size_t group_left(const char *folder, const struct group_files *names)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, names->limit);
    size_t limit = number_in(path);
    snprintf(path, sizeof path, "%s/%s", folder, names->used);
    size_t used = number_in(path);
    if (limit == SIZE_MAX || used == SIZE_MAX) return SIZE_MAX;
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    size_t cache = field(path, names->cache);
    used = used > cache ? used - cache : 0;
    return limit > used ? limit - used : 0;
}

/* The tightest of a group and those around it: a limit holds for all below. */
static size_t tightest(const char *mount, const char *group, const struct group_files *names)
{
    char folder[1100];
    int root = snprintf(folder, sizeof folder, "%s", mount);
    snprintf(folder + root, sizeof folder - (size_t)root, "%s", group);
    size_t least = SIZE_MAX;
    for (;;) {
        size_t left = group_left(folder, names);
        if (left < least) least = left;
        char *slash = strrchr(folder + root, '/');
        if (!slash) return least;
        *slash = '\0';
    }
}

size_t memory_left_in_groups(const char *membership, const char *mount)
{
    char line[512], v1[256], unified[256];
    snprintf(v1, sizeof v1, "%s/memory", mount);
    snprintf(unified, sizeof unified, "%s/unified", mount);
    FILE *f = fopen(membership, "r");
    size_t least = SIZE_MAX;
    while (f && fgets(line, sizeof line, f)) { /* number:controllers:/path */
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path) continue;
        *path++ = '\0', controllers++;
        size_t left[2] = {SIZE_MAX, SIZE_MAX};
        if (!*controllers) left[0] = tightest(mount, path, &version_2), left[1] = tightest(unified, path, &version_2);
        else if (strstr(controllers, "memory")) left[0] = tightest(v1, path, &version_1);
        for (int i = 0; i < 2; i++)
            if (left[i] < least) least = left[i];
    }
    if (f) fclose(f);
    return least;
}

static size_t host_left(void)
{
    size_t host = 1024 * field("/proc/meminfo", "MemAvailable:");
    size_t group = memory_left_in_groups("/proc/self/cgroup", "/sys/fs/cgroup");
    return group != SIZE_MAX && (!host || group < host) ? group : host;
}

static size_t limit_of(int resource)
{
    struct rlimit limit;
    return getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY ? SIZE_MAX : limit.rlim_cur;
}

size_t memory_address_limit(void)
{
    size_t all = limit_of(RLIMIT_AS), data = limit_of(RLIMIT_DATA);
    return all < data ? all : data;
}

static size_t left_of(int resource, const char *taken)
{
    size_t limit = limit_of(resource), used = 1024 * field("/proc/self/status", taken);
    return limit == SIZE_MAX ? limit : limit > used ? limit - used : 0;
}

size_t memory_room(int processes, const char **limit)
{
    const size_t spare = (size_t)48 << 20; /* addresses that MPI-IO, HDF5 and threads map as they go */
    size_t host = host_left() / (size_t)processes, all = left_of(RLIMIT_AS, "VmSize:"),
           data = left_of(RLIMIT_DATA, "VmData:"), own = all < data ? all : data;
    *limit = "free memory of the host or control group";
    if (own == SIZE_MAX || (host && host <= own)) return host;
    *limit = "ulimit -v or -d";
    return own > spare ? own - spare : 1;
}
