/* relabel FILE move OLD NEW      a group or dataset gets another name (path and last part of it)
 * relabel FILE text NAME VALUE   a root attribute gets another text
 * What no study could be called: the file of somebody who means harm, for tests of what is done with its names. */
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

#include "io/hdf.h"

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    if (!strcmp(argv[2], "text")) {
        struct error e = {""};
        struct hdf *f = hdf_edit(argv[1], &e);
        if (f) hdf_put_text(f, "/", argv[3], argv[4], &e);
        if (f) hdf_close(f, &e);
        if (error_is_set(&e)) fprintf(stderr, "%s\n", e.text);
        return error_is_set(&e);
    }
    char path[1024];
    const char *slash = strrchr(argv[3], '/');
    snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash - argv[3] + 1) : 0, argv[3], argv[4]);
    hid_t f = H5Fopen(argv[1], H5F_ACC_RDWR, H5P_DEFAULT);
    int bad = strcmp(argv[2], "move") || f < 0 || H5Lmove(f, argv[3], f, path, H5P_DEFAULT, H5P_DEFAULT) < 0;
    if (f >= 0) bad |= H5Fclose(f) < 0;
    return bad;
}
