/* The datasets of panel files, and of results files beside their models: what each one is stands in one table, and is written with it
 * (hdf_describe). */
#ifndef IO_DATASETS_H
#define IO_DATASETS_H

#include "io/hdf.h"

/* hdf_dataset, hdf_write and hdf_write_texts of a dataset in the table, which knows its rank. */
int dataset_make(struct hdf *f, const char *name, enum hdf_type type, const int64_t *size, struct error *e);
int dataset_write(struct hdf *f, const char *name, enum hdf_type type, const int64_t *size, const void *data,
                  struct error *e);
int dataset_write_texts(struct hdf *f, const char *name, int n, char *const *texts, struct error *e);

/* The root attribute periods_per_year: an integer where it is whole, otherwise a float64. Read: refused unless in
 * (0, MOST_PERIODS_PER_YEAR]. */
int periods_per_year_write(struct hdf *f, double periods_per_year, struct error *e);
int periods_per_year_read(struct hdf *f, double *periods_per_year, struct error *e);

/* Refuses formation dates, as the dataset dates holds them, that do not exist or do not increase. */
int dates_check(const struct hdf *f, int n, const int64_t *dates, struct error *e);

#endif
