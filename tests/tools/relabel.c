/* relabel FILE move OLD NEW      a group or dataset gets another name (path and last part of it)
 * relabel FILE text NAME VALUE   a root attribute gets another text
 * relabel FILE int GROUP:NAME VALUE      an attribute gets another number
 * relabel FILE real DATASET VALUE        so does the third entry of a dataset
 * What no study could be called: the file of somebody who means harm, for tests of what is done with its names. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf.h"

/* Attributes and entries through the program's own writer; what to change is in `kind`. */
static int change(const char *path, const char *kind, char *name, const char *value)
{
    struct error e = {""};
    char *colon = strrchr(name, ':');
    double x = atof(value);
    struct hdf *f = hdf_edit(path, &e);
    if (colon) *colon = '\0';
    if (f && !strcmp(kind, "text")) hdf_put_text(f, "/", name, value, &e);
    else if (f && !strcmp(kind, "int") && colon) hdf_put_int(f, name, colon + 1, atoll(value), &e);
    else if (f) hdf_write_part(f, name, HDF_FLOAT64, 2, 1, &x, &e);
    if (f) hdf_close(f, &e);
    if (error_is_set(&e)) fprintf(stderr, "%s\n", e.text);
    return error_is_set(&e);
}

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    if (strcmp(argv[2], "move")) return change(argv[1], argv[2], argv[3], argv[4]);
    char path[1024];
    const char *slash = strrchr(argv[3], '/');
    snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash - argv[3] + 1) : 0, argv[3], argv[4]);
    hid_t f = H5Fopen(argv[1], H5F_ACC_RDWR, H5P_DEFAULT);
    int bad = f < 0 || H5Lmove(f, argv[3], f, path, H5P_DEFAULT, H5P_DEFAULT) < 0;
    if (f >= 0) bad |= H5Fclose(f) < 0;
    return bad;
}
