/* Which columns of a file of stocks mean what. */
#include "stocks.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/jkp.h"
#include "io/yaml.h"

static const char *const flag_name[FLAGS] = {"exch_main", "primary_sec", "common", "obs_main"};

/* Numbers that stand beside the characteristics in JKP's, CRSP's and Compustat's files and are none. Returns above all: a column
 * of next month's would be a look-ahead. */
static const char *const bookkeeping[] = {
    "id",        "permno",    "permco",       "gvkey",          "iid",         "ticker",     "cusip",
    "ncusip",    "isin",      "sedol",        "date",           "eom",         "year",       "month",
    "excntry",   "exch_main", "primary_sec",  "common",         "obs_main",    "crsp_shrcd", "crsp_exchcd",
    "shrcd",     "exchcd",    "comp_tpci",    "comp_exchg",     "curcd",       "fx",         "source_crsp",
    "size_grp",  "me",        "me_company",   "me_lag1",        "prc_local",   "prc_high",   "prc_low",
    "shares",    "shrout",    "tvol",         "dolvol",         "adjfct",      "bidask",     "ret",
    "ret_local", "ret_exc",   "ret_exc_wins", "ret_exc_lead1m", "ret_lag_dif", "retx",       "dlret",
    "rf",        "sic",       "siccd",        "naics",          "gics",        "ff49",       "div_tot",
    "div_cash",  "div_spc",   "div1m_me",     "div3m_me",       "div6m_me",    "n_stocks",   "datadate"};

static bool is_bookkeeping(const char *name)
{
    if (jkp_find(name) >= 0) return false;
    for (size_t i = 0; i < sizeof bookkeeping / sizeof *bookkeeping; i++)
        if (!strcmp(name, bookkeeping[i])) return true;
    return false;
}

static int find(const struct stock_columns *s, const char *name)
{
    for (int k = 0; k < s->fields; k++)
        if (!strcmp(s->names[k], name)) return k;
    return -1;
}

/* The column asked for by name, or the first known name that is there. */
static int find_role(const struct stock_columns *s, const char *file, const char *role, const char *asked,
                     const char *const *known, struct error *e)
{
    char list[256] = "";
    int k = -1;
    if (asked) {
        if ((k = find(s, asked)) < 0) error_set(e, "%s:1: there is no column '%s', asked for as the %s", file, asked, role);
        return k;
    }
    for (; *known && k < 0; known++) {
        k = find(s, *known);
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "", *known);
    }
    if (k < 0)
        error_set(e, "%s:1: no column holds the %s; needed is one named %s, or an option that names it", file, role, list);
    return k;
}

int stock_columns_roles(struct stock_columns *s, const struct ingest_options *o, struct error *e)
{
    const char *file = o->stocks;
    static const char *const ids[] = {"id", "permno", "ticker", NULL}, *const dates[] = {"eom", "date", NULL},
                             *const returns[] = {"ret_exc_lead1m", "ret_exc", NULL};
    s->id = find_role(s, file, "stock's identifier", o->id_column, ids, e);
    s->date = find_role(s, file, "date", o->date_column, dates, e);
    s->ret = find_role(s, file, "excess return", o->return_column, returns, e);
    if (error_is_set(e)) return -1;
    s->lead = !strcmp(s->names[s->ret], "ret_exc");
    if (s->lead && o->frequency && !strcmp(o->frequency, "daily"))
        return error_set(e,
                         "%s:1: ret_exc is the return of the row's own day; a daily panel needs a column with the next "
                         "period's (--return NAME)",
                         file);
    s->country = find(s, "excntry");
    s->me = find(s, "me");
    s->size_group = find(s, "size_grp");
    s->exchange_code = find(s, "crsp_exchcd");
    for (int f = 0; f < FLAGS; f++) s->flag[f] = find(s, flag_name[f]);
    return 0;
}

static bool is_file(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* Mark in want[fields] the names of a list separated by commas, blanks or lines. */
static int take_names(const struct stock_columns *s, const char *file, char *list, const char *from, bool *want,
                      struct error *e)
{
    int taken = 0;
    for (char *save = NULL, *name = strtok_r(list, ", \t\r\n", &save); name; name = strtok_r(NULL, ", \t\r\n", &save)) {
        int k = find(s, name);
        if (k < 0) return error_set(e, "%s: characteristic '%s' (%s) is no column of the file", file, name, from);
        want[k] = true;
        taken++;
    }
    return taken ? 0 : error_set(e, "%s names no characteristic", from);
}

static int choose(struct stock_columns *s, const char *file, const bool *text, const struct ingest_options *o, bool *want,
                  struct error *e)
{
    const char *asked = o->characteristics;
    bool jkp = asked ? !strcmp(asked, "jkp") : s->country >= 0;
    if (asked && !jkp) {
        char *list = is_file(asked) ? text_file_read(asked, 1 << 20, e) : memory_text(asked);
        int rc = list ? take_names(s, file, list, is_file(asked) ? asked : "--characteristics", want, e) : -1;
        memory_free(list);
        return rc;
    }
    int left = 0;
    char example[400] = "";
    for (int k = 0; k < s->fields; k++) {
        want[k] = jkp ? jkp_find(s->names[k]) >= 0 : *s->names[k] && !text[k] && !is_bookkeeping(s->names[k]);
        if (k == s->id || k == s->date || k == s->ret) want[k] = false;
        else if (!want[k] && !jkp && left++ < 20)
            snprintf(example + strlen(example), sizeof example - strlen(example), " %s", s->names[k]);
    }
    if (left) log_info("%s: not taken as characteristics: %d columns:%s%s", file, left, example, left > 20 ? " ..." : "");
    return 0;
}

int stock_columns_choose(struct stock_columns *s, const bool *text, const struct ingest_options *o, struct error *e)
{
    bool *want = memory_array(bool, s->fields, "columns wanted");
    s->text_ids = text[s->id] || !strcmp(s->names[s->id], "ticker");
    int rc = choose(s, o->stocks, text, o, want, e);
    s->column = memory_array(int, s->fields, "characteristics");
    for (int k = 0; k < s->fields && !rc; k++)
        if (want[k]) s->column[s->C++] = k;
    memory_free(want);
    if (!rc && s->C == 0)
        rc = error_set(e, "%s: none of the %d columns is a characteristic; name them with --characteristics", o->stocks,
                       s->fields);
    return rc;
}
