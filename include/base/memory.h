/* Memory: every large array comes from here, so that the held and peak figures are exact, `plan` and the end-of-run
 * record can state them, and a leak shows as a balance that is not zero at exit. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* count * size bytes, 64-byte aligned, zeroed; overflow and exhaustion die() with `what` and the figure.
 * count 0 gives a valid pointer. Free with memory_free (NULL is fine). */
void *memory_allocate(size_t count, size_t size, const char *what);
void memory_free(void *pointer);
/* memory_free of each, in order. */
#define memory_free_all(...) memory_free_list(sizeof((void *[]){__VA_ARGS__}) / sizeof(void *), (void *[]){__VA_ARGS__})
void memory_free_list(size_t n, void *const *pointer);

/* A copy of a string, from the same accounting. */
char *memory_text(const char *text);

#define memory_array(type, count, what) ((type *)memory_allocate((size_t)(count), sizeof(type), what))

/* For arrays that grow as they are filled: `block` itself where it holds count * size bytes, otherwise a block that does, at least twice
 * as large, with the old content and zeros behind it; the old one is freed. NULL is the empty array. */
void *memory_grow(void *block, size_t count, size_t size, const char *what);

size_t memory_held(void);          /* bytes allocated now */
size_t memory_peak(void);          /* most bytes ever allocated at once */
long memory_blocks(void);          /* blocks not yet freed: 0 at exit */
size_t memory_resident(void);      /* resident set of the process now, bytes (Linux /proc); 0 if unknown */
size_t memory_mapped(void);        /* addresses it has mapped */
size_t memory_resident_peak(void); /* its high-water mark */
/* The tightest of the control groups that `membership` (/proc/self/cgroup) names and of those around them, bytes; SIZE_MAX without a
 * limit. mount: where they are mounted, /sys/fs/cgroup. */
size_t memory_left_in_groups(const char *membership, const char *mount);
/* Bytes of addresses that this process may map in all under its own limits (ulimit -v, ulimit -d); SIZE_MAX without a limit. */
size_t memory_address_limit(void);
/* Bytes that each of `processes` on this host may still take: its share of the host's free memory or of the control group's, or what its
 * own limits leave beside what libraries map as they go. *limit says which it is, in words. 0: unknown. */
size_t memory_room(int processes, const char **limit);

#endif
