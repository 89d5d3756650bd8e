/* Names to numbers by a hash table, the numbers in the order of the sorted names. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct name_slot {
    int64_t hash;
    size_t at; /* in the pool: length byte, text, NUL */
    int64_t number;
};
struct names {
    char *pool;
    size_t pool_bytes;
    struct name_slot *table; /* open addressing; at = 0: free (the pool starts with one unused byte) */
    size_t room;             /* a power of two */
    int count;
    char **sorted;
};

struct names *names_create(void)
{
    struct names *n = memory_array(struct names, 1, "names");
    n->pool = memory_grow(NULL, 1, 1, "names");
    n->pool_bytes = 1;
    n->room = 1 << 10;
    n->table = memory_array(struct name_slot, n->room, "table of names");
    return n;
}

void names_free(struct names *n)
{
    if (!n) return;
    memory_free_all(n->pool, n->table, n->sorted, n);
}

/* FNV-1a with a finish that spreads it over all 64 bits (splitmix64). */
static int64_t hash_of(const char *text, size_t length)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
    h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 27) * 0x94d049bb133111ebu;
    return (int64_t)(h ^ h >> 31);
}

static struct name_slot *place(struct name_slot *table, size_t room, int64_t hash)
{
    size_t k = (uint64_t)hash & (room - 1);
    while (table[k].at && table[k].hash != hash) k = (k + 1) & (room - 1);
    return &table[k];
}

static void grow(struct names *n)
{
    size_t room = 2 * n->room;
    struct name_slot *table = memory_array(struct name_slot, room, "table of names");
    for (size_t k = 0; k < n->room; k++)
        if (n->table[k].at) *place(table, room, n->table[k].hash) = n->table[k];
    memory_free(n->table);
    n->table = table;
    n->room = room;
}

int names_add(struct names *n, const char *text, size_t length, int64_t *hash, struct error *e)
{
    require(length >= 1 && length <= 255);
    *hash = hash_of(text, length);
    struct name_slot *p = place(n->table, n->room, *hash);
    if (p->at) {
        if ((unsigned char)n->pool[p->at] == length && !memcmp(n->pool + p->at + 1, text, length)) return 0;
        return error_set(e, "identifiers '%.*s' and '%s' have the same 64-bit hash; rename one of them", (int)length, text,
                         n->pool + p->at + 1);
    }
    n->pool = memory_grow(n->pool, n->pool_bytes + length + 2, 1, "names");
    *p = (struct name_slot){*hash, n->pool_bytes, 0};
    n->pool[n->pool_bytes] = (char)(unsigned char)length;
    memcpy(n->pool + n->pool_bytes + 1, text, length);
    n->pool[n->pool_bytes + 1 + length] = '\0';
    n->pool_bytes += length + 2;
    if (2 * (size_t)++n->count > n->room) grow(n);
    return 0;
}

static int add_pool(struct names *n, const char *pool, size_t bytes, struct error *e)
{
    int64_t hash;
    for (size_t at = 0; at < bytes; at += (size_t)(unsigned char)pool[at] + 2)
        if (names_add(n, pool + at + 1, (unsigned char)pool[at], &hash, e)) return -1;
    return 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int names_join(struct names *n, struct team *team, struct error *e)
{
    int size = team_size(team), me = team_rank(team);
    size_t *bytes = memory_array(size_t, size, "sizes"), mine = n->pool_bytes - 1, total = 0;
    team_all_gather(team, &mine, sizeof mine, bytes);
    for (int r = 0; r < size; r++) total += bytes[r];
    char *all = memory_array(char, total, "names of all ranks");
    team_gather_bytes(team, n->pool + 1, bytes, all, 0);
    team_broadcast(team, all, total, 0);
    size_t at = 0;
    for (int r = 0; r < size; at += bytes[r++])
        if (r != me) add_pool(n, all + at, bytes[r], e);
    memory_free(all);
    memory_free(bytes);
    if (team_agree(team, e)) return -1;
    n->sorted = memory_array(char *, n->count, "names in order");
    int k = 0;
    for (size_t p = 1; p < n->pool_bytes; p += (size_t)(unsigned char)n->pool[p] + 2) n->sorted[k++] = n->pool + p + 1;
    qsort(n->sorted, (size_t)k, sizeof *n->sorted, by_bytes);
    for (k = 0; k < n->count; k++) place(n->table, n->room, hash_of(n->sorted[k], strlen(n->sorted[k])))->number = k + 1;
    return 0;
}

int names_count(const struct names *n)
{
    return n->count;
}
char *const *names_sorted(const struct names *n)
{
    return n->sorted;
}
int64_t names_number(const struct names *n, int64_t hash)
{
    return place(n->table, n->room, hash)->number;
}
