/* Bytes of plain files by place, and of compressed ones as a stream that remembers the last megabyte. */
#include "io/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/memory.h"
#include "io/csv.h"

/* Every rank streams a compressed file by itself and keeps what it needs: decompressing is one pass that no splitting can
 * speed up, so handing text around would save no time and cost messages. */
enum kind { PLAIN, GZIP, ZSTD };
enum { INPUT = 1 << 18, DROP = 1 << 20 };

struct source {
    char *path;
    int fd;
    enum kind kind;
    int64_t file_bytes;
    /* compressed files */
    int64_t position; /* text decompressed so far */
    int64_t stored;   /* bytes of the file consumed so far */
    char *history;    /* [SOURCE_HISTORY] the last bytes given, ending at position */
    size_t history_bytes;
    unsigned char *input;
    size_t input_at, input_bytes;
    bool file_ended, member_ended;
    z_stream gz;
    ZSTD_DStream *zstd;
};

static int open_stream(struct source *s, struct error *e)
{
    s->history = memory_array(char, SOURCE_HISTORY, "history of a compressed file");
    s->input = memory_array(unsigned char, INPUT, "input buffer");
    s->member_ended = true;
    if (s->kind == GZIP && inflateInit2(&s->gz, 15 + 16) != Z_OK) return error_set(e, "%s: zlib could not start", s->path);
    if (s->kind == ZSTD && !(s->zstd = ZSTD_createDStream())) return error_set(e, "%s: libzstd could not start", s->path);
    return 0;
}

struct source *source_open(const char *path, struct error *e)
{
    unsigned char magic[4] = {0};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        error_set(e, "%s: cannot be opened: %s", path, strerror(errno));
        if (fd >= 0) close(fd);
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        error_set(e, "%s: is not a regular file; needed is a CSV file, plain, .gz or .zst", path);
        close(fd);
        return NULL;
    }
    ssize_t n = pread(fd, magic, sizeof magic, 0);
    struct source *s = memory_array(struct source, 1, "source");
    s->path = memory_text(path);
    s->fd = fd;
    s->file_bytes = st.st_size;
    s->kind = n >= 2 && magic[0] == 0x1f && magic[1] == 0x8b                           ? GZIP
              : n == 4 && !memcmp(magic, (unsigned char[]){0x28, 0xb5, 0x2f, 0xfd}, 4) ? ZSTD
                                                                                       : PLAIN;
    if (n == 4 && !memcmp(magic, "PAR1", 4))
        error_set(e, "%s: is a Parquet file; make a CSV of it first (README, \"Parquet\")", path);
    if (error_is_set(e) || (s->kind != PLAIN && open_stream(s, e))) {
        source_close(s);
        return NULL;
    }
    return s;
}

void source_close(struct source *s)
{
    if (!s) return;
    close(s->fd);
    if (s->kind == GZIP && s->input) inflateEnd(&s->gz);
    if (s->zstd) ZSTD_freeDStream(s->zstd);
    memory_free_all(s->history, s->input, s->path, s);
}

const char *source_path(const struct source *s)
{
    return s->path;
}

static int64_t read_at(struct source *s, int64_t at, size_t n, char *out, struct error *e)
{
    size_t got = 0;
    while (got < n) {
        ssize_t k = pread(s->fd, out + got, n - got, at + (int64_t)got);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0)
            return error_set(e, "%s: reading at byte %lld failed: %s", s->path, (long long)(at + (int64_t)got),
                             strerror(errno));
        if (k == 0) break;
        got += (size_t)k;
    }
    return (int64_t)got;
}

static int truncated(const struct source *s, struct error *e)
{
    return error_set(e, "%s: the %s data end in the middle (after %lld bytes of text); the file is truncated", s->path,
                     s->kind == GZIP ? "gzip" : "zstd", (long long)s->position);
}

/* One step of decompression into out [n]; *got bytes came. Returns 1 at the end of the text, -1 on damage. */
static int step(struct source *s, char *out, size_t n, size_t *got, struct error *e)
{
    *got = 0;
    if (s->input_at == s->input_bytes && !s->file_ended) {
        int64_t k = read_at(s, s->stored, INPUT, (char *)s->input, e);
        if (k < 0) return -1;
        s->input_at = 0;
        s->input_bytes = (size_t)k;
        s->stored += k;
        s->file_ended = k == 0;
    }
    if (s->file_ended && s->member_ended) return 1;
    size_t left = s->input_bytes - s->input_at;
    if (s->kind == GZIP) {
        if (s->member_ended && inflateReset(&s->gz) != Z_OK)
            return error_set(e, "%s: zlib failed", s->path); /* members may follow each other */
        s->gz.next_in = s->input + s->input_at;
        s->gz.avail_in = (uInt)left;
        s->gz.next_out = (unsigned char *)out;
        s->gz.avail_out = (uInt)n;
        int rc = inflate(&s->gz, Z_NO_FLUSH);
        s->input_at += left - s->gz.avail_in;
        *got = n - s->gz.avail_out;
        s->member_ended = rc == Z_STREAM_END;
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return error_set(e, "%s: damaged gzip data after %lld bytes of text: %s", s->path, (long long)s->position,
                             s->gz.msg ? s->gz.msg : "zlib failed");
        return *got || !s->file_ended || s->member_ended ? 0 : truncated(s, e);
    }
    ZSTD_inBuffer in = {s->input, s->input_bytes, s->input_at};
    ZSTD_outBuffer text = {out, n, 0};
    size_t rc = ZSTD_decompressStream(s->zstd, &text, &in);
    s->input_at = in.pos;
    *got = text.pos;
    if (ZSTD_isError(rc))
        return error_set(e, "%s: damaged zstd data after %lld bytes of text: %s", s->path, (long long)s->position,
                         ZSTD_getErrorName(rc));
    s->member_ended = rc == 0;
    return *got || !s->file_ended || s->member_ended ? 0 : truncated(s, e);
}

static int64_t decompress(struct source *s, size_t n, char *out, struct error *e)
{
    size_t done = 0;
    while (done < n) {
        size_t got;
        int rc = step(s, out + done, n - done < 1u << 30 ? n - done : 1u << 30, &got, e);
        if (rc < 0) return -1;
        done += got;
        s->position += (int64_t)got;
        if (rc > 0) break;
    }
    return (int64_t)done;
}

/* Remember the end of what was given: text [n] ends at position. */
static void remember(struct source *s, const char *text, size_t n)
{
    if (n >= SOURCE_HISTORY) {
        memcpy(s->history, text + n - SOURCE_HISTORY, SOURCE_HISTORY);
        s->history_bytes = SOURCE_HISTORY;
        return;
    }
    size_t keep = s->history_bytes + n > SOURCE_HISTORY ? SOURCE_HISTORY - n : s->history_bytes;
    memmove(s->history, s->history + s->history_bytes - keep, keep);
    memcpy(s->history + keep, text, n);
    s->history_bytes = keep + n;
}

int64_t source_read(struct source *s, int64_t at, size_t n, char *out, struct error *e)
{
    if (s->kind == PLAIN) return read_at(s, at, n, out, e);
    size_t done = 0;
    while (s->position < at) { /* skip, using out as room */
        size_t want = n < (size_t)(at - s->position) ? n : (size_t)(at - s->position);
        int64_t k = decompress(s, want, out, e);
        if (k < 0) return -1;
        if (k == 0) return 0;
        s->history_bytes = 0;
    }
    if (at < s->position) {
        int64_t back = s->position - at;
        require(back <= (int64_t)s->history_bytes);
        done = (size_t)back < n ? (size_t)back : n;
        memcpy(out, s->history + s->history_bytes - back, done);
    }
    int64_t k = decompress(s, n - done, out + done, e);
    if (k < 0) return -1;
    remember(s, out + done, (size_t)k);
    return (int64_t)done + k;
}

char *source_text(const char *path, size_t largest, const char *needed, size_t *n, struct error *e)
{
    enum { SLACK = 64, FIRST = 1 << 16 };
    struct source *s = source_open(path, e);
    *n = 0;
    if (!s) return NULL;
    size_t room = s->file_bytes < FIRST ? FIRST : (size_t)s->file_bytes + 1; /* one byte more than plain text needs */
    if (room > largest) room = largest + 1;
    char *text = memory_array(char, room + SLACK, "text of a file");
    for (int64_t got = 1; got > 0;) {
        if (*n > largest) {
            error_set(e, "%s: is larger than %zu MB; needed is %s", path, largest >> 20, needed);
            break;
        }
        if (*n == room) {
            room = room < largest / 4 ? 4 * room : largest + 1;
            text = memory_grow(text, room + SLACK, 1, "text of a file");
        }
        got = source_read(s, (int64_t)*n, room - *n, text + *n, e);
        if (got > 0) *n += (size_t)got;
    }
    source_close(s);
    if (!error_is_set(e)) return text;
    memory_free(text);
    return NULL;
}

int64_t source_line(const char *path, int64_t at)
{
    struct error e = {""};
    struct source *s = source_open(path, &e);
    if (!s) return -1;
    char *text = memory_array(char, DROP, "text");
    int64_t line = 1, position = 0, k;
    while (position < at && (k = source_read(s, position, DROP, text, &e)) > 0) {
        if (k > at - position) k = at - position;
        for (const char *p = text, *end = text + k; (p = memchr(p, '\n', (size_t)(end - p))); p++) line++;
        position += k;
    }
    memory_free(text);
    source_close(s);
    return position < at ? -1 : line;
}
