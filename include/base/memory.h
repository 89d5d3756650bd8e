/* Memory: every large array comes from here, so that the held and peak figures are exact, `plan` and the end-of-run
 * record can state them, and a leak shows as a balance that is not zero at exit. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* count * size bytes, 64-byte aligned, zeroed; overflow and exhaustion die() with `what` and the figure.
 * count 0 gives a valid pointer. Free with memory_free (NULL is fine). */
void *memory_allocate(size_t count, size_t size, const char *what);
void memory_free(void *pointer);

/* A copy of a string, from the same accounting. */
char *memory_text(const char *text);

#define memory_array(type, count, what) ((type *)memory_allocate((size_t)(count), sizeof(type), what))

size_t memory_held(void);          /* bytes allocated now */
size_t memory_peak(void);          /* most bytes ever allocated at once */
long memory_blocks(void);          /* blocks not yet freed: 0 at exit */
size_t memory_resident(void);      /* resident set of the process now, bytes (Linux /proc); 0 if unknown */
size_t memory_resident_peak(void); /* its high-water mark */
size_t
memory_available(void); /* bytes this process may still take: the host's MemAvailable, or the cgroup's limit if tighter */

#endif
