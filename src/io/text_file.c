/* Streams into files that are whole when they exist. */
#include "io/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

/* The files being written; a stream finds its temporary here. */
static struct text_file {
    FILE *stream;
    struct durable_file file;
    struct text_file *next;
} * in_hand;

FILE *text_file_begin(const char *path, struct error *e)
{
    struct durable_file file;
    if (durable_begin(&file, path, e)) return NULL;
    int fd = fcntl(file.fd, F_DUPFD_CLOEXEC, 0);
    FILE *stream = fd < 0 ? NULL : fdopen(fd, "w");
    if (!stream) {
        if (fd >= 0) close(fd);
        error_set(e, "%s: cannot be written: %s", path, strerror(errno));
        durable_abandon(&file);
        return NULL;
    }
    struct text_file *t = memory_array(struct text_file, 1, "text file");
    *t = (struct text_file){.stream = stream, .file = file, .next = in_hand};
    in_hand = t;
    return stream;
}

int text_file_end(FILE *f, const char *path, struct error *e)
{
    struct text_file **at = &in_hand;
    if (!f) return -1;
    while ((*at)->stream != f) at = &(*at)->next;
    struct text_file *t = *at;
    *at = t->next;
    errno = 0;
    if (fflush(f) || ferror(f)) error_set(e, "%s: writing failed: %s", path, strerror(errno ? errno : EIO));
    if (fclose(f)) error_set(e, "%s: writing failed: %s", path, strerror(errno));
    int rc = durable_commit(&t->file, e);
    memory_free(t);
    return rc;
}

int text_file_write(const char *path, const char *text, struct error *e)
{
    FILE *f = text_file_begin(path, e);
    if (f) fputs(text, f);
    return text_file_end(f, path, e);
}
