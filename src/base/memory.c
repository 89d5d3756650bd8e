/* The allocator behind all large arrays: it keeps count of what is held, and a block knows its own size. */
#include "base/memory.h"

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
enum { LINE = 64, SMALLEST = 256 }; /* bytes of a cache line, and about those of the first block of an array that grows */
static size_t held, peak;
static long blocks;

/* A block of which the first `kept` bytes are the caller's to fill: the others are zero. */
static void *allocate(size_t count, size_t size, size_t kept, const char *what)
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
    memset(block + LINE + kept, 0, total - LINE - kept);
    *(size_t *)(void *)block = bytes;
    held += bytes;
    blocks++;
    if (held > peak) peak = held;
    return block + LINE;
}

void *memory_allocate(size_t count, size_t size, const char *what)
{
    return allocate(count, size, 0, what);
}

void memory_free(void *pointer)
{
    if (!pointer) return;
    char *block = (char *)pointer - LINE;
    held -= *(size_t *)(void *)block;
    blocks--;
    free(block);
}

void memory_free_list(size_t n, void *const *pointer)
{
    for (size_t i = 0; i < n; i++) memory_free(pointer[i]);
}

void *memory_grow(void *block, size_t count, size_t size, const char *what)
{
    size_t needed, had = block ? *(size_t *)(void *)((char *)block - LINE) : 0;
    if (!__builtin_mul_overflow(count, size, &needed) && block && needed <= had) return block;
    size_t doubled = 2 * had / size > SMALLEST / size + 1 ? 2 * had / size : SMALLEST / size + 1;
    void *larger = allocate(count > doubled ? count : doubled, size, had, what);
    if (block) memcpy(larger, block, had);
    memory_free(block);
    return larger;
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
