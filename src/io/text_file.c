#include "io/text_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

int folder_create(const char *path, struct error *e)
{
    char part[PATH_ROOM];
    struct stat s;
    if (snprintf(part, sizeof part, "%s", path) >= PATH_ROOM) return error_set(e, "%.200s...: the name is too long", path);
    for (char *slash = part; slash;) {
        slash = strchr(slash + 1, '/');
        if (slash) *slash = '\0';
        if (mkdir(part, 0777) && errno != EEXIST)
            return error_set(e, "%s: the folder cannot be made: %s", part, strerror(errno));
        if (slash) *slash = '/';
    }
    if (stat(path, &s) || !S_ISDIR(s.st_mode)) return error_set(e, "%s: found a file; needed: a folder", path);
    return 0;
}

FILE *text_file_begin(const char *path, struct error *e)
{
    char temporary[PATH_ROOM];
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    FILE *f = fopen(temporary, "w");
    if (!f) error_set(e, "%s: cannot be written: %s", temporary, strerror(errno));
    else cleanup_register(temporary);
    return f;
}

int text_file_end(FILE *f, const char *path, struct error *e)
{
    char temporary[PATH_ROOM];
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    if (!f) return -1;
    errno = 0;
    if (fflush(f) || ferror(f) || fsync(fileno(f)))
        error_set(e, "%s: writing failed: %s", path, strerror(errno ? errno : EIO));
    if (fclose(f)) error_set(e, "%s: writing failed: %s", path, strerror(errno));
    if (!error_is_set(e) && rename(temporary, path)) error_set(e, "%s: cannot be put in place: %s", path, strerror(errno));
    if (error_is_set(e)) unlink(temporary);
    cleanup_forget(temporary);
    return error_is_set(e) ? -1 : 0;
}
