#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

/* Every block is preceded by one cache line that remembers its size. It ends where the request ends under AddressSanitizer, which
 * then sees every access beyond; elsewhere at the end of a cache line. */
#if defined __SANITIZE_ADDRESS__
#define EXACT 1
#elif defined __has_feature
#define EXACT __has_feature(address_sanitizer)
#else
#define EXACT 0
#endif
enum { LINE = 64 };
static size_t held, peak;
static long blocks;

void *memory_allocate(size_t count, size_t size, const char *what)
{
    size_t bytes, total;
    char text[32];
    if (__builtin_mul_overflow(count, size, &bytes) || __builtin_add_overflow(bytes, 2 * (size_t)LINE, &total))
        die("%s: %zu x %zu bytes is more than this machine can address", what, count, size);
    total = EXACT ? LINE + bytes : total & ~(size_t)(LINE - 1);
    void *made = NULL;
    if (posix_memalign(&made, LINE, total))
        return die("out of memory: %s needs %s more; %.0f MB held already", what, format_bytes((double)bytes, text),
                   (double)held / 1e6),
               NULL;
    char *block = made;
    memset(block + LINE, 0, total - LINE);
    *(size_t *)(void *)block = bytes;
    held += bytes;
    blocks++;
    if (held > peak) peak = held;
    return block + LINE;
}

void memory_free(void *pointer)
{
    if (!pointer) return;
    char *block = (char *)pointer - LINE;
    held -= *(size_t *)(void *)block;
    blocks--;
    free(block);
}

char *memory_text(const char *text)
{
    size_t n = strlen(text) + 1;
    return memcpy(memory_allocate(n, 1, "text"), text, n);
}

size_t memory_held(void)
{
    return held;
}
size_t memory_peak(void)
{
    return peak;
}
long memory_blocks(void)
{
    return blocks;
}

/* The kB figure after `key` in a /proc file, in bytes; 0 if it is not there. */
static size_t proc_field(const char *path, const char *key)
{
    FILE *f = fopen(path, "r");
    char line[256];
    size_t kb = 0;
    if (!f) return 0;
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key))) {
            kb = strtoull(line + strlen(key), NULL, 10);
            break;
        }
    fclose(f);
    return kb * 1024;
}

size_t memory_resident(void)
{
    return proc_field("/proc/self/status", "VmRSS:");
}
size_t memory_resident_peak(void)
{
    return proc_field("/proc/self/status", "VmHWM:");
}

static size_t number_in(const char *path)
{
    FILE *f = fopen(path, "r");
    unsigned long long v = 0;
    if (!f) return SIZE_MAX;
    if (fscanf(f, "%llu", &v) != 1) v = UINT64_MAX; /* "max": no limit */
    fclose(f);
    return v;
}

size_t memory_available(void)
{
    size_t host = proc_field("/proc/meminfo", "MemAvailable:");
    size_t limit = number_in("/sys/fs/cgroup/memory.max"), used = number_in("/sys/fs/cgroup/memory.current");
    if (limit != SIZE_MAX && used != SIZE_MAX) {
        size_t cache =
            proc_field("/sys/fs/cgroup/memory.stat", "inactive_file ") / 1024; /* in bytes there; given back on demand */
        used = used > cache ? used - cache : 0;
        size_t left = limit > used ? limit - used : 0;
        if (!host || left < host) return left;
    }
    return host;
}
