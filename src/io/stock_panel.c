#include "io/stock_panel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/hdf.h"
#include "io/source.h"
#include "panel/rank.h"
#include "datasets.h"

/* A period's rows in memory, in order of identifier. */
struct ordered {
    int64_t id;
    int row;
};
struct section {
    int n, room;
    union word *word;      /* [room, words] */
    struct ordered *order; /* [room] by id */
    int *survivor;         /* [room] places in order of the rows that stay */
    int8_t *group;         /* [room] by place in order */
    double *ret;           /* [room] by place in order */
    double *scratch;       /* [room] */
    struct lead *lead;
    int64_t lead_room;
};

static void section_create(struct section *x, int room, int words)
{
    *x = (struct section){.room = room};
    x->word = memory_array(union word, (size_t)room * words, "rows of a period");
    x->order = memory_array(struct ordered, room, "rows in order");
    x->survivor = memory_array(int, room, "rows that stay");
    x->group = memory_array(int8_t, room, "size groups");
    x->ret = memory_array(double, room, "returns");
    x->scratch = memory_array(double, room, "values of a period");
}

static void section_free(struct section *x)
{
    memory_free(x->word);
    memory_free(x->order);
    memory_free(x->survivor);
    memory_free(x->group);
    memory_free(x->ret);
    memory_free(x->scratch);
    memory_free(x->lead);
}

static int by_id(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    return x->id != y->id ? (x->id > y->id) - (x->id < y->id) : (x->row > y->row) - (x->row < y->row);
}

static int lead_by_id(const void *a, const void *b)
{
    const struct lead *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static const union word *row_at(const struct stocks *s, const struct section *x, int place)
{
    return x->word + (size_t)x->order[place].row * s->words;
}

static int refuse_duplicate(const struct stocks *s, const struct section *x, int key, int place, struct error *e)
{
    const char *file = s->options->stocks;
    int64_t a = row_at(s, x, place - 1)[WORD_POSITION].whole, b = row_at(s, x, place)[WORD_POSITION].whole,
            id = x->order[place].id;
    if (a > b) {
        int64_t t = a;
        a = b;
        b = t;
    }
    char name[300];
    if (s->names) snprintf(name, sizeof name, "%s", names_sorted(s->names)[id - 1]);
    else snprintf(name, sizeof name, "%lld", (long long)id);
    return error_set(
        e, "%s:%lld:%d: stock %s has a second row dated %lld (the first is line %lld); needed is one row per stock and %s",
        file, (long long)source_line(file, b), s->columns.id + 1, name, (long long)stocks_key_date(s, key),
        (long long)source_line(file, a), s->options->daily ? "day" : "month");
}

/* Returns of the next period, where the file has only those of its own. */
static int join_leads(struct stocks *s, struct section *x, int key, struct error *e)
{
    int64_t n = row_store_rows(s->leads, key);
    if (n > x->lead_room) {
        memory_free(x->lead);
        x->lead_room = n + n / 4;
        x->lead = memory_array(struct lead, x->lead_room, "returns of the next period");
    }
    if (row_store_load(s->leads, key, x->lead, e)) return -1;
    for (int64_t i = 0; i < n && s->names; i++) x->lead[i].id = names_number(s->names, x->lead[i].id);
    if (n) qsort(x->lead, (size_t)n, sizeof *x->lead, lead_by_id);
    int64_t j = 0;
    for (int i = 0; i < x->n; i++) {
        while (j < n && x->lead[j].id < x->order[i].id) j++;
        if (j >= n || x->lead[j].id != x->order[i].id) continue;
        if (j + 1 < n && x->lead[j + 1].id == x->lead[j].id && x->lead[j + 1].ret != x->lead[j].ret)
            return error_set(
                e,
                "%s: identifier %lld has two rows with different returns dated %lld; needed is one row per stock and month",
                s->options->stocks, (long long)x->lead[j].id, (long long)stocks_key_date(s, key + 1));
        x->ret[i] = x->lead[j].ret;
    }
    return 0;
}

/* Load a period in order of identifiers, with returns and size groups; refuse duplicates. */
static int section_load(struct stocks *s, struct section *x, int key, struct error *e)
{
    x->n = (int)row_store_rows(s->rows, key);
    if (row_store_load(s->rows, key, x->word, e)) return -1;
    for (int i = 0; i < x->n; i++) {
        int64_t id = x->word[(size_t)i * s->words + WORD_ID].whole;
        x->order[i] = (struct ordered){s->names ? names_number(s->names, id) : id, i};
    }
    qsort(x->order, (size_t)x->n, sizeof *x->order, by_id);
    int exchange = 0;
    double breaks[4];
    for (int i = 0; i < x->n; i++) {
        const union word *w = row_at(s, x, i);
        if (i && x->order[i].id == x->order[i - 1].id) return refuse_duplicate(s, x, key, i, e);
        x->ret[i] = w[WORD_RETURN].real;
        x->group[i] = (int8_t)w[WORD_GROUP].real;
        if (w[WORD_NYSE].real == 1 && !isnan(w[WORD_ME].real)) x->scratch[exchange++] = w[WORD_ME].real;
    }
    if (s->columns.lead && join_leads(s, x, key, e)) return -1;
    if (s->columns.size_group < 0 && size_breakpoints(exchange, x->scratch, breaks))
        for (int i = 0; i < x->n; i++) x->group[i] = (int8_t)size_group_of(row_at(s, x, i)[WORD_ME].real, breaks);
    return 0;
}

/* Rows that stay in the cross-section (returns not asked: whether one follows is not known at t), counted into audit [STEPS].
 * Returns how many. */
static int section_filter(const struct stock_panel *p, struct section *x, int raw, int64_t *audit)
{
    const struct stocks *s = p->stocks;
    const uint8_t *use = p->use + (size_t)raw * s->columns.C;
    const struct sample_rules *rules = &s->options->rules;
    int in_use = 0, n = 0;
    for (int d = 0; d < p->D; d++) in_use += use[p->characteristic[d]];
    for (int i = 0; i < x->n; i++) {
        const union word *w = row_at(s, x, i) + WORDS;
        int missing = 0;
        for (int d = 0; d < p->D; d++) missing += use[p->characteristic[d]] && isnan(w[p->characteristic[d]].real);
        if (in_use == 0 || sample_exceeds(missing, rules->row_missing, in_use)) audit[STEP_SPARSE]++;
        else if (x->group[i] == SIZE_NANO && !rules->keep_nano) audit[STEP_NANO]++;
        else {
            x->survivor[n++] = i;
            audit[isnan(x->ret[i]) ? STEP_NO_RETURN : STEP_KEPT]++;
        }
    }
    return n;
}

/* ---- the plan -------------------------------------------------------------------------------------------------------------- */

/* Periods that any rank has rows of. */
static void find_periods(struct stock_panel *p)
{
    struct stocks *s = p->stocks;
    uint8_t *there = memory_array(uint8_t, s->keys, "periods");
    for (int k = 0; k < s->keys; k++) there[k] = row_store_rows(s->rows, s->first_key + k) > 0;
    team_or_bytes(s->team, there, (size_t)s->keys);
    for (int k = 0; k < s->keys; k++) p->raw += there[k];
    p->raw_key = memory_array(int, p->raw, "periods");
    for (int k = 0, n = 0; k < s->keys; k++)
        if (there[k]) p->raw_key[n++] = s->first_key + k;
    memory_free(there);
}

/* Which characteristics are in use when, from the counts of all ranks. */
static int choose_characteristics(struct stock_panel *p, struct error *e)
{
    struct stocks *s = p->stocks;
    int C = s->columns.C;
    int64_t *missing = memory_array(int64_t, (size_t)p->raw * C, "missing values by period"), all = 0;
    p->raw_rows = memory_array(int64_t, p->raw, "rows by period");
    p->use = memory_array(uint8_t, (size_t)p->raw * C, "characteristics in use");
    p->missing_share = memory_array(double, C, "missing values");
    for (int t = 0; t < p->raw; t++) {
        int slot = s->slot[p->raw_key[t] - s->first_key];
        p->raw_rows[t] = row_store_rows(s->rows, p->raw_key[t]);
        if (slot) memcpy(missing + (size_t)t * C, s->missing + (size_t)slot * C, (size_t)C * sizeof *missing);
    }
    team_sum_long(s->team, p->raw_rows, (size_t)p->raw);
    team_sum_long(s->team, missing, (size_t)p->raw * C);
    p->D = sample_characteristics(&s->options->rules, p->raw, C, p->raw_rows, missing, p->use);
    p->characteristic = memory_array(int, p->D, "characteristics");
    for (int t = 0; t < p->raw; t++) all += p->raw_rows[t];
    for (int c = 0, d = 0; c < C; c++) {
        bool any = false;
        for (int t = 0; t < p->raw; t++) {
            p->missing_share[c] += (double)missing[(size_t)t * C + c] / (double)all;
            any |= p->use[(size_t)t * C + c];
        }
        if (any) p->characteristic[d++] = c;
    }
    memory_free(missing);
    log_info("%d of %d characteristics are missing in at most %g%% of the %lld wanted rows%s", p->D, C,
             100 * s->options->rules.characteristic_missing, (long long)all,
             s->options->rules.past_only ? " up to some date" : "");
    if (p->D == 0)
        return error_set(
            e,
            "%s: every one of the %d characteristics is missing in more than %g%% of %lld rows; needed is one that is not",
            s->options->stocks, C, 100 * s->options->rules.characteristic_missing, (long long)all);
    return 0;
}

static void fill_meta(struct stock_panel *p, struct panel_meta *m)
{
    const struct stocks *s = p->stocks;
    m->D = p->D;
    m->periods_per_year = s->options->daily ? 252 : 12;
    m->frequency = memory_text(s->options->daily ? "daily" : "monthly");
    for (int t = 0; t < p->raw; t++) m->T += p->kept[t] > 0;
    m->dates = memory_array(int64_t, m->T, "panel dates");
    m->offsets = memory_array(int64_t, m->T + 1, "panel offsets");
    for (int t = 0, k = 0; t < p->raw; t++) {
        if (!p->kept[t]) continue;
        m->dates[k] = stocks_key_date(s, p->raw_key[t]);
        m->offsets[k + 1] = m->offsets[k] + p->kept[t];
        k++;
    }
    m->rows = m->offsets[m->T];
    m->characteristic_names = memory_array(char *, m->D, "names of characteristics");
    for (int d = 0; d < m->D; d++)
        m->characteristic_names[d] = memory_text(s->columns.names[s->columns.column[p->characteristic[d]]]);
    m->has_size_groups = s->columns.size_group >= 0 || (s->columns.me >= 0 && s->columns.exchange_code >= 0);
    for (int t = 0, last = -1; t < p->raw && !s->options->daily; t++) {
        if (!p->kept[t]) continue;
        if (last >= 0 && p->raw_key[t] != last + 1)
            log_warn("no rows between %lld and %lld: the panel goes on without those months", (long long)month_end(last),
                     (long long)month_end(p->raw_key[t]));
        last = p->raw_key[t];
    }
}

static int largest(const struct stock_panel *p)
{
    int64_t most = 0;
    for (int t = 0; t < p->raw; t++)
        if (p->raw_rows[t] > most) most = p->raw_rows[t];
    require(most < INT32_MAX);
    return (int)most;
}

int stock_panel_plan(struct stock_panel *p, struct stocks *s, struct panel_meta *m, struct error *e)
{
    *p = (struct stock_panel){.stocks = s};
    find_periods(p);
    if (p->raw && choose_characteristics(p, e)) return -1;
    p->kept = memory_array(int64_t, p->raw, "rows kept");
    p->audit = memory_array(int64_t, (size_t)AUDIT_YEARS * STEPS, "audit table");
    memcpy(p->audit, s->audit, (size_t)AUDIT_YEARS * STEPS * sizeof *p->audit);
    struct section x;
    section_create(&x, largest(p), s->words);
    for (int t = 0; t < p->raw && !error_is_set(e); t++) {
        if (stocks_owner(s, p->raw_key[t]) != team_rank(s->team) || section_load(s, &x, p->raw_key[t], e)) continue;
        int64_t *audit = p->audit + (size_t)(stocks_key_date(s, p->raw_key[t]) / 10000 - CALENDAR_FIRST_YEAR) * STEPS,
                before = audit[STEP_KEPT];
        section_filter(p, &x, t, audit);
        p->kept[t] = audit[STEP_KEPT] - before;
    }
    section_free(&x);
    if (team_agree(s->team, e)) return -1;
    team_sum_long(s->team, p->kept, (size_t)p->raw);
    team_sum_long(s->team, p->audit, (size_t)AUDIT_YEARS * STEPS);
    fill_meta(p, m);
    if (m->rows) return 0;
    stock_panel_print_audit(p);
    return error_set(e, "%s: no row is left after the filters%s", s->options->stocks,
                     log_speaks() ? " (the table above says where they went)" : "");
}

/* ---- the rows -------------------------------------------------------------------------------------------------------------- */

struct ranked {
    float *characteristics; /* [room, D] */
    float *column;          /* [room] */
    double *returns;
    int64_t *ids;
    int8_t *groups;
    void *scratch;
};

/* Rank among all survivors, then leave out those without a return. Returns the rows. */
static int rank_section(const struct stock_panel *p, const struct section *x, int survivors, int raw, struct ranked *o)
{
    const struct stocks *s = p->stocks;
    const uint8_t *use = p->use + (size_t)raw * s->columns.C;
    int D = p->D, n = 0;
    for (int d = 0; d < D; d++) {
        int c = p->characteristic[d];
        for (int i = 0; i < survivors; i++) x->scratch[i] = use[c] ? row_at(s, x, x->survivor[i])[WORDS + c].real : NAN;
        rank_column(survivors, x->scratch, 1, o->column, 1, o->scratch);
        n = 0;
        for (int i = 0; i < survivors; i++)
            if (!isnan(x->ret[x->survivor[i]])) o->characteristics[(size_t)n++ * D + d] = o->column[i];
    }
    n = 0;
    for (int i = 0; i < survivors; i++) {
        int place = x->survivor[i];
        if (isnan(x->ret[place])) continue;
        o->returns[n] = x->ret[place];
        o->ids[n] = x->order[place].id;
        o->groups[n++] = x->group[place];
    }
    return n;
}

int stock_panel_write(struct stock_panel *p, const struct panel_meta *m, struct panel_writer *w, struct error *e)
{
    struct stocks *s = p->stocks;
    struct section x;
    int room = largest(p), rc = 0;
    section_create(&x, room, s->words);
    struct ranked o = {memory_array(float, (size_t)room * p->D, "ranks of a period"),
                       memory_array(float, room, "ranks"),
                       memory_array(double, room, "returns"),
                       memory_array(int64_t, room, "identifiers"),
                       memory_array(int8_t, room, "size groups"),
                       memory_allocate(rank_workspace(room), 1, "rank workspace")};
    for (int t = 0, k = 0; t < p->raw && !rc; k += p->kept[t++] > 0) {
        int64_t counted[STEPS] = {0};
        if (!p->kept[t] || stocks_owner(s, p->raw_key[t]) != team_rank(s->team)) continue;
        if ((rc = section_load(s, &x, p->raw_key[t], e))) break;
        int n = rank_section(p, &x, section_filter(p, &x, t, counted), t, &o);
        require(n == m->offsets[k + 1] - m->offsets[k]);
        rc = panel_write_rows(w, m->offsets[k], n, o.characteristics, o.returns, o.ids, m->has_size_groups ? o.groups : NULL,
                              NULL, e);
    }
    memory_free(o.characteristics);
    memory_free(o.column);
    memory_free(o.returns);
    memory_free(o.ids);
    memory_free(o.groups);
    memory_free(o.scratch);
    section_free(&x);
    return rc;
}

/* ---- the audit ------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *meaning;
} step[STEPS] = {{"read", "rows of the file"},
                 {"outside_dates", "outside --from .. --to"},
                 {"other_country", "excntry is another"},
                 {"other_exchange", "exch_main is not 1"},
                 {"secondary_security", "primary_sec is not 1"},
                 {"not_common", "common is not 1"},
                 {"not_main_observation", "obs_main is not 1"},
                 {"too_many_missing", "too many of the characteristics in use are missing"},
                 {"nano", "market equity below the first NYSE percentile"},
                 {"no_return", "no return follows (after ranking)"},
                 {"kept", "rows of the panel"}};

/* Years with rows; *first the first of them. */
static int years_with_rows(const struct stock_panel *p, int *first)
{
    int last = -1;
    *first = 0;
    for (int y = AUDIT_YEARS - 1; y >= 0; y--)
        if (p->audit[(size_t)y * STEPS + STEP_READ]) {
            if (last < 0) last = y;
            *first = y;
        }
    return last < 0 ? 0 : last - *first + 1;
}

void stock_panel_print_audit(const struct stock_panel *p)
{
    int first, years = years_with_rows(p, &first);
    int64_t total[STEPS] = {0};
    if (!log_speaks()) return;
    for (int y = 0; y < years; y++)
        for (int k = 0; k < STEPS; k++) total[k] += p->audit[(size_t)(first + y) * STEPS + k];
    printf("year ");
    for (int k = 0; k < STEPS; k++)
        if (total[k] || k == STEP_READ || k == STEP_KEPT)
            printf("  %*s", (int)strlen(step[k].name) > 9 ? (int)strlen(step[k].name) : 9, step[k].name);
    for (int y = 0; y <= years; y++) {
        const int64_t *count = y < years ? p->audit + (size_t)(first + y) * STEPS : total;
        if (y < years) printf("\n%-5d", CALENDAR_FIRST_YEAR + first + y);
        else printf("\nall  ");
        for (int k = 0; k < STEPS; k++)
            if (total[k] || k == STEP_READ || k == STEP_KEPT)
                printf("  %*lld", (int)strlen(step[k].name) > 9 ? (int)strlen(step[k].name) : 9, (long long)count[k]);
    }
    printf("\n");
    fflush(stdout);
}

static int write_names(struct stock_panel *p, struct hdf *f, struct error *e)
{
    struct names *names = p->stocks->names;
    if (!names) return 0;
    int64_t n = names_count(names);
    int64_t *id = memory_array(int64_t, n, "identifiers");
    for (int64_t k = 0; k < n; k++) id[k] = k + 1;
    int rc = dataset_write_texts(f, "asset_names", (int)n, names_sorted(names), e);
    if (!rc) rc = dataset_write(f, "asset_name_ids", HDF_INT64, &n, id, e);
    memory_free(id);
    return rc;
}

int stock_panel_write_audit(struct stock_panel *p, struct panel_writer *w, struct error *e)
{
    struct hdf *f = panel_writer_file(w);
    const struct stocks *s = p->stocks;
    int first, years = years_with_rows(p, &first), C = s->columns.C;
    int64_t size[2] = {years, STEPS}, all = C, *year = memory_array(int64_t, years, "years");
    char *name[STEPS], *meaning[STEPS], **characteristic = memory_array(char *, C, "characteristics");
    uint8_t *kept = memory_array(uint8_t, C, "characteristics kept");
    for (int y = 0; y < years; y++) year[y] = CALENDAR_FIRST_YEAR + first + y;
    for (int k = 0; k < STEPS; k++)
        name[k] = (char *)(uintptr_t)step[k].name, meaning[k] = (char *)(uintptr_t)step[k].meaning;
    for (int c = 0; c < C; c++) characteristic[c] = s->columns.names[s->columns.column[c]];
    for (int d = 0; d < p->D; d++) kept[p->characteristic[d]] = 1;
    int rc = dataset_write(f, "audit/years", HDF_INT64, size, year, e);
    if (!rc) rc = dataset_write(f, "audit/rows", HDF_INT64, size, p->audit + (size_t)first * STEPS, e);
    if (!rc) rc = dataset_write_texts(f, "audit/steps", STEPS, name, e);
    if (!rc) rc = dataset_write_texts(f, "audit/meanings", STEPS, meaning, e);
    if (!rc) rc = dataset_write_texts(f, "audit/characteristics", C, characteristic, e);
    if (!rc) rc = dataset_write(f, "audit/missing_share", HDF_FLOAT64, &all, p->missing_share, e);
    if (!rc) rc = dataset_write(f, "audit/kept", HDF_UINT8, &all, kept, e);
    if (!rc) rc = hdf_put_int(f, "audit/rows", "bad_rows_skipped", s->bad_rows, e);
    if (!rc) rc = write_names(p, f, e);
    memory_free(year);
    memory_free(kept);
    memory_free(characteristic);
    return rc;
}

void stock_panel_free(struct stock_panel *p)
{
    memory_free(p->raw_key);
    memory_free(p->raw_rows);
    memory_free(p->kept);
    memory_free(p->use);
    memory_free(p->missing_share);
    memory_free(p->characteristic);
    memory_free(p->audit);
    *p = (struct stock_panel){0};
}
