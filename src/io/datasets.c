/* What the datasets of panels are, and those of results beside their models. */
#include "io/datasets.h"

#include <string.h>

#include "panel/calendar.h"
#include "panel/panel.h"

static const struct meaning {
    const char *name, *unit, *text, *dimension[2];
} meanings[] = {
    {"dates", "YYYYMMDD or YYYYMMDDhhmm", "formation dates; returns are earned after them", {"date"}},
    {"offsets", "1", "a date's rows begin at its entry and end before the next", {"date_edge"}},
    {"asset_ids", "id", "the asset of each row, ascending within a date", {"row"}},
    {"characteristics", "1", "ranks among the assets of the date, -0.5 to 0.5", {"row", "characteristic"}},
    {"characteristic_names", "1", "names of the columns of characteristics", {"characteristic"}},
    {"returns", "decimal per period", "excess return after the date", {"row"}},
    {"size_groups", "1", "0 nano, 1 micro, 2 small, 3 large, 4 mega, -1 unknown", {"row"}},
    {"asset_name_ids", "id", "assets that have names", {"asset"}},
    {"asset_names", "1", "their names", {"asset"}},
    {"test_assets/returns",
     "decimal per period",
     "returns after the date, of what models are to price",
     {"date", "test_asset"}},
    {"test_assets/names", "1", "names of test assets", {"test_asset"}},
    {"truth/sdf_returns", "decimal per period", "return of the true conditional SDF portfolio", {"date"}},
    {"ohlcv/features", "1", "characteristics before they were ranked", {"row", "feature"}},
    {"ohlcv/close", "price", "closing price at the date", {"row"}},
    {"audit/years", "year", "the rows of audit/rows", {"audited"}},
    {"audit/assets", "1", "the rows of audit/rows", {"audited"}},
    {"audit/rows", "count", "rows of the source that each step left or took", {"audited", "step"}},
    {"audit/steps", "1", "names of the steps", {"step"}},
    {"audit/meanings", "1", "what the steps are", {"step"}},
    {"audit/characteristics", "1", "columns of the source", {"column"}},
    {"audit/missing_share", "share", "of the source's rows, without a value", {"column"}},
    {"audit/kept", "1", "1 where the column is a characteristic of the panel", {"column"}},
    {"audit/conflicting_dates",
     "YYYYMMDD or YYYYMMDDhhmm",
     "dates that are there twice with other values, the first ones; 0: none",
     {"audited", "conflict"}},
    {"audit/first", "YYYYMMDD or YYYYMMDDhhmm", "first date of the source", {"audited"}},
    {"audit/last", "YYYYMMDD or YYYYMMDDhhmm", "last date of the source", {"audited"}},
};

static const struct meaning *find(const char *name, int *rank)
{
    const struct meaning *m = meanings;
    while (m < meanings + sizeof meanings / sizeof *meanings && strcmp(m->name, name)) m++;
    require(m < meanings + sizeof meanings / sizeof *meanings);
    *rank = 1 + (m->dimension[1] != NULL);
    return m;
}

static int describe(struct hdf *f, const struct meaning *m, int rank, struct error *e)
{
    return hdf_describe(f, m->name, m->unit, m->text, rank, m->dimension, e);
}

int dataset_make(struct hdf *f, const char *name, enum hdf_type type, const int64_t *size, struct error *e)
{
    int rank;
    const struct meaning *m = find(name, &rank);
    return hdf_dataset(f, name, type, rank, size, 0, NULL, e) ? -1 : describe(f, m, rank, e);
}

int dataset_write(struct hdf *f, const char *name, enum hdf_type type, const int64_t *size, const void *data,
                  struct error *e)
{
    int rank;
    const struct meaning *m = find(name, &rank);
    return hdf_write(f, name, type, rank, size, data, e) ? -1 : describe(f, m, rank, e);
}

int dataset_write_texts(struct hdf *f, const char *name, int n, char *const *texts, struct error *e)
{
    int rank;
    const struct meaning *m = find(name, &rank);
    return hdf_write_texts(f, name, n, texts, e) ? -1 : describe(f, m, rank, e);
}

int periods_per_year_write(struct hdf *f, double periods_per_year, struct error *e)
{
    return hdf_put_number(f, "/", "periods_per_year", periods_per_year, e);
}

int periods_per_year_read(struct hdf *f, double *periods_per_year, struct error *e)
{
    double found;
    if (hdf_get_real(f, "/", "periods_per_year", &found, e)) return -1;
    if (!(found > 0 && found <= MOST_PERIODS_PER_YEAR))
        return error_set(e, "%s: attribute periods_per_year: found %.10g; needed: a number above 0, at most %d", hdf_path(f),
                         found, MOST_PERIODS_PER_YEAR);
    *periods_per_year = found;
    return 0;
}

int dates_check(const struct hdf *f, int n, const int64_t *dates, struct error *e)
{
    for (int t = 0; t < n; t++) {
        int64_t d = dates[t];
        if (!date_exists(d))
            return error_set(e, "%s: dataset dates, period %d: %lld is not a date; YYYYMMDD or YYYYMMDDhhmm is needed",
                             hdf_path(f), t, (long long)d);
        if (t && d <= dates[t - 1])
            return error_set(e, "%s: dataset dates, period %d: %lld follows %lld; dates must increase", hdf_path(f), t,
                             (long long)d, (long long)dates[t - 1]);
    }
    return 0;
}
