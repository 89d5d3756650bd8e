/* hostile PANEL CASE: make a panel file what HDF5 allows and this program must refuse, for tests. */
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

static hid_t file;
static hsize_t rows;

/* Put another dataset in the place of `returns`. */
static void replace(hid_t type, hsize_t n, hid_t list)
{
    hsize_t most = n;
    H5Ldelete(file, "returns", H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &n, &most);
    H5Dclose(H5Dcreate2(file, "returns", type, space, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Sclose(space);
}

static hid_t chunked(hsize_t n)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 1, &n);
    return list;
}

static void virtual_dataset(void)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &rows, NULL);
    H5Pset_virtual(list, space, "/etc/other.h5", "returns", space);
    replace(H5T_IEEE_F64LE, rows, list);
}

static void external_storage(void)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(list, "/etc/passwd", 0, 8 * rows);
    replace(H5T_IEEE_F64LE, rows, list);
}

static void odd_type(void)
{
    hid_t type = H5Tcopy(H5T_IEEE_F64LE), list = H5Pcreate(H5P_DATASET_CREATE);
    H5Tset_ebias(type, 900);
    H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
    replace(type, rows, list);
}

static void filter(void)
{
    hid_t list = chunked(rows);
    H5Pset_nbit(list);
    H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
    replace(H5T_IEEE_F64LE, rows, list);
}

/* Half of the chunks are there. */
static void unwritten_chunks(void)
{
    hsize_t start = 0, half = rows / 2;
    double values[100000] = {0};
    replace(H5T_IEEE_F64LE, rows, chunked(7));
    hid_t id = H5Dopen2(file, "returns", H5P_DEFAULT), space = H5Dget_space(id), memory = H5Screate_simple(1, &half, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &half, NULL);
    H5Dwrite(id, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values);
    H5Dclose(id);
}

static void deep(void)
{
    hid_t group = file;
    for (int i = 0; i < 100; i++) group = H5Gcreate2(group, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
}

static void make(const char *what)
{
    if (!strcmp(what, "soft-link")) H5Lcreate_soft("/../outside", file, "truth/outside", H5P_DEFAULT, H5P_DEFAULT);
    if (!strcmp(what, "external-link")) H5Lcreate_external("/etc/other.h5", "/x", file, "outside", H5P_DEFAULT, H5P_DEFAULT);
    if (!strcmp(what, "cycle")) H5Lcreate_hard(file, "/", file, "truth/top", H5P_DEFAULT, H5P_DEFAULT);
    if (!strcmp(what, "external-storage")) external_storage();
    if (!strcmp(what, "virtual")) virtual_dataset();
    if (!strcmp(what, "odd-type")) odd_type();
    if (!strcmp(what, "filter")) filter();
    if (!strcmp(what, "unwritten-chunks")) unwritten_chunks();
    if (!strcmp(what, "unwritten")) replace(H5T_IEEE_F64LE, rows, H5P_DEFAULT);
    if (!strcmp(what, "huge")) replace(H5T_IEEE_F64LE, (hsize_t)1 << 50, chunked(1 << 20));
    if (!strcmp(what, "deep")) deep();
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    file = H5Fopen(argv[1], H5F_ACC_RDWR, access);
    if (file < 0) return 1;
    hid_t id = H5Dopen2(file, "returns", H5P_DEFAULT), space = H5Dget_space(id);
    H5Sget_simple_extent_dims(space, &rows, NULL);
    H5Dclose(id);
    make(argv[2]);
    return H5Fclose(file) < 0;
}
