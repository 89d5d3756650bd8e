/* Rows and fields of CSV text, found 64 bytes at a time from the parity of quotes. */
#include "io/csv.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/memory.h"

/* Bits of the 64 bytes at p that equal c. */
#ifdef __SSE2__
static inline uint64_t bits_of(const char *p, char c)
{
    __m128i v = _mm_set1_epi8(c);
    uint64_t m = 0;
    for (int i = 0; i < 4; i++)
        m |= (uint64_t)(uint32_t)_mm_movemask_epi8(
                 _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)), v))
             << 16 * i;
    return m;
}
#else
static inline uint64_t bits_of(const char *p, char c)
{
    uint64_t m = 0;
    for (int i = 0; i < 64; i++) m |= (uint64_t)(p[i] == c) << i;
    return m;
}
#endif

/* Bit i: the xor of bits 0 .. i, that is, whether position i lies behind an odd number of quotes. */
static inline uint64_t running_parity(uint64_t x)
{
    x ^= x << 1, x ^= x << 2, x ^= x << 4, x ^= x << 8, x ^= x << 16, x ^= x << 32;
    return x;
}

static inline uint64_t below(size_t n)
{
    return n >= 64 ? ~0ull : (1ull << n) - 1;
}

size_t csv_quotes(const char *text, size_t n)
{
    size_t quotes = 0;
    for (size_t at = 0; at < n; at += 64) quotes += (size_t)__builtin_popcountll(bits_of(text + at, '"') & below(n - at));
    return quotes;
}

size_t csv_row_end(const char *text, size_t n, bool quoted)
{
    uint64_t inside = quoted ? ~0ull : 0;
    for (size_t at = 0; at < n; at += 64) {
        uint64_t parity = running_parity(bits_of(text + at, '"')) ^ inside;
        uint64_t lines = bits_of(text + at, '\n') & ~parity & below(n - at);
        if (lines) return at + (size_t)__builtin_ctzll(lines) + 1;
        inside = 0 - (parity >> 63);
    }
    return n;
}

static void take_block(struct csv_cursor *c)
{
    const char *p = c->text + c->block;
    c->quotes = bits_of(p, '"') & below(c->n - c->block);
    uint64_t parity = c->inside;
    if (c->quotes) parity ^= running_parity(c->quotes);
    c->ends = (bits_of(p, ',') | bits_of(p, '\n')) & ~parity & below(c->n - c->block);
    c->inside = 0 - (parity >> 63);
}

void csv_begin(struct csv_cursor *c, const char *text, size_t n)
{
    *c = (struct csv_cursor){.text = text, .n = n};
    if (n) take_block(c);
}

static inline size_t quotes_up_to(const struct csv_cursor *c, size_t at)
{
    return c->quotes_before + (size_t)__builtin_popcountll(c->quotes & below(at - c->block));
}

bool csv_next(struct csv_cursor *c, uint32_t *end, int room, struct csv_row *r)
{
    size_t start = c->row, stop = c->n;
    if (start >= c->n) return false;
    size_t quotes = quotes_up_to(c, start);
    int k = 0;
    for (bool done = false; !done;) {
        for (; c->ends; k++) {
            size_t p = c->block + (size_t)__builtin_ctzll(c->ends);
            c->ends &= c->ends - 1;
            if (k < room) end[k] = (uint32_t)(p - start);
            if (c->text[p] == '\n') {
                stop = p;
                done = true;
                break;
            }
        }
        if (done) break;
        if (c->block + 64 >= c->n) { /* the last row lacks a newline */
            if (k < room) end[k] = (uint32_t)(c->n - start);
            break;
        }
        c->quotes_before += (size_t)__builtin_popcountll(c->quotes);
        c->block += 64;
        take_block(c);
    }
    bool ended = stop < c->n;
    r->quoted = quotes_up_to(c, stop) != quotes;
    c->row = ended ? stop + 1 : c->n;
    if (stop > start && c->text[stop - 1] == '\r') {
        stop--;
        if (k < room && end[k] > (uint32_t)(stop - start)) end[k] = (uint32_t)(stop - start);
    }
    r->text = c->text + start;
    r->at = start;
    r->length = stop - start;
    r->ended = ended;
    r->fields = k + 1;
    r->end = end;
    return true;
}

bool csv_next_line(struct csv_cursor *c, uint32_t *end, int room, struct csv_row *row, int *line)
{
    for (size_t i = 0; row->text && i < row->length; i++) *line += row->text[i] == '\n';
    ++*line;
    return csv_next(c, end, room, row);
}

size_t csv_unquote(const char *field, size_t n, char *out)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        out[m++] = field[i];
        if (field[i] == '"' && i + 1 < n && field[i + 1] == '"') i++;
    }
    out[m] = '\0';
    return m;
}

int csv_bad_quotes(const struct csv_row *r, int room)
{
    if (!r->quoted) return -1;
    int fields = r->fields < room ? r->fields : room;
    for (int k = 0; k < fields; k++) {
        const char *from = r->text + (k ? r->end[k - 1] + 1 : 0), *to = r->text + r->end[k];
        if (from == to) continue;
        if (*from != '"') {
            if (memchr(from, '"', (size_t)(to - from))) return k;
            continue;
        }
        if (to - from < 2 || to[-1] != '"') return k;
        for (const char *p = from + 1; (p = memchr(p, '"', (size_t)(to - 1 - p))); p += 2)
            if (p + 1 >= to - 1 || p[1] != '"') return k;
    }
    return -1;
}

int csv_header(const char *file, const struct csv_row *r, char ***names, struct error *e)
{
    *names = NULL;
    if (memchr(r->text, '\0', r->length)) return error_set(e, "%s:1: the header has NUL bytes; needed is CSV text", file);
    if (r->fields == 1 && (memchr(r->text, ';', r->length) || memchr(r->text, '\t', r->length)))
        return error_set(e, "%s:1: the header is separated by %s; needed are commas", file,
                         memchr(r->text, ';', r->length) ? "semicolons" : "tabs");
    int bad = csv_bad_quotes(r, r->fields);
    if (bad >= 0 || !r->ended)
        return error_set(e, "%s:1:%d: the header %s", file, bad + 1,
                         bad >= 0 ? "has a quote in the middle of a name" : "is not followed by a line end");
    size_t head = (size_t)r->fields * sizeof(char *);
    char **list = memory_allocate(head + r->length + (size_t)r->fields + 1, 1, "names of columns"),
         *to = (char *)list + head;
    for (int k = 0; k < r->fields; k++) {
        size_t n;
        const char *s = csv_field(r, k, &n);
        while (n && *s == ' ') s++, n--;
        while (n && s[n - 1] == ' ') n--;
        list[k] = to;
        to += csv_unquote(s, n, to) + 1;
    }
    for (int k = 0; k < r->fields; k++)
        for (int j = 0; j < k; j++)
            if (*list[k] && !strcmp(list[k], list[j])) {
                error_set(e, "%s:1:%d: column '%s' is there twice (columns %d and %d); needed are different names", file,
                          k + 1, list[k], j + 1, k + 1);
                memory_free(list);
                return -1;
            }
    *names = list;
    return 0;
}
