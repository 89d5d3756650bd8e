/* The panel builder: rows to their owners, then filters, ranks and writing, a section of periods at a time. */
#include "panel_section.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"

void builder_open(struct panel_builder *b, const struct ingest_options *o, struct team *team)
{
    *b = (struct panel_builder){.options = o, .team = team, .meta = {.periods_per_year = 12}};
}

void builder_close(struct panel_builder *b)
{
    if (b->from.close) b->from.close(b->from.source);
    if (b->mail.out) mailbox_close(&b->mail);
    row_store_free(b->store);
    audit_close(&b->audit);
    for (int g = 0; g < PANEL_MOST_GROUPS; g++) memory_free(b->label[g]);
    memory_free_all(b->count, b->kept, b->missing, b->slot, b->period, b->row, b->use, b->missing_share, b->characteristic);
    panel_meta_free(&b->meta);
}

void builder_describe(struct panel_builder *b, const char *format, ...)
{
    size_t n = strlen(b->description);
    va_list a;
    va_start(a, format);
    vsnprintf(b->description + n, sizeof b->description - n, format, a);
    va_end(a);
}

/* ---- rows that come ------------------------------------------------------------------------------------------------------------ */

void builder_rows(struct panel_builder *b)
{
    const struct row_source *s = &b->from;
    b->words = WORDS + s->C * (s->standardised ? 2 : 1);
    b->store = row_store_create((size_t)b->words * sizeof(union word), 0, builder_blocks(b), b->options->memory,
                                b->options->output);
    b->count = memory_array(int64_t, s->keys, "rows by period");
    b->kept = memory_array(int64_t, s->keys, "rows by period");
    b->slot = memory_array(int, s->keys, "periods");
    mailbox_open(&b->mail, b->team);
}

static int64_t *missing_of(struct panel_builder *b, int key)
{
    int *slot = &b->slot[key - b->from.first_key], C = b->from.C;
    if (!*slot) {
        b->slots++;
        b->missing =
            memory_grow(b->missing, (size_t)(b->slots + 1) * (size_t)C, sizeof *b->missing, "missing values by period");
        *slot = b->slots;
    }
    return b->missing + (size_t)*slot * (size_t)C;
}

static int keep_row(struct panel_builder *b, const union word *w, struct error *e)
{
    int key = (int)w[WORD_KEY].whole, place = key - b->from.first_key;
    int64_t *missing = missing_of(b, key);
    double ret = w[WORD_RETURN].real;
    for (int k = 0; k < b->from.C; k++) missing[k] += isnan(w[WORDS + k].real);
    b->count[place]++;
    if (!isnan(ret)) b->kept[place]++, b->returns[0]++, b->returns[1] += ret, b->returns[2] += ret * ret;
    return row_store_add(b->store, place / b->from.span, w, e);
}

static int keep_rows(void *builder, const char *records, size_t bytes, struct error *e)
{
    struct panel_builder *b = builder;
    size_t size = (size_t)b->words * sizeof(union word);
    for (size_t at = 0; at < bytes; at += size)
        if (keep_row(b, (const union word *)(const void *)(records + at), e)) return -1;
    return 0;
}

void builder_put(struct panel_builder *b, const union word *row)
{
    int owner = builder_owner(b, (int)row[WORD_KEY].whole);
    if (owner != team_rank(b->team)) mailbox_put(&b->mail, owner, row, (size_t)b->words * sizeof *row);
    else if (!error_is_set(&b->failed)) keep_row(b, row, &b->failed);
}

int builder_exchange(struct panel_builder *b, struct error *e)
{
    mailbox_exchange(&b->mail, keep_rows, b, e);
    if (error_is_set(&b->failed) && !error_is_set(e)) *e = b->failed;
    return team_agree(b->team, e);
}

/* ---- the plan ---------------------------------------------------------------------------------------------------------------------- */

/* Which characteristics are in use when, from the counts of all ranks. */
static int choose_characteristics(struct panel_builder *b, struct error *e)
{
    int C = b->from.C, T = b->periods;
    int64_t *missing = memory_array(int64_t, (size_t)T * (size_t)C, "missing values by period"),
            *rows = memory_array(int64_t, T, "rows by period"), all = 0;
    struct sample_rules rules = b->options->rules;
    if (!b->from.filtered) rules = (struct sample_rules){.characteristic_missing = 1, .row_missing = 1};
    b->use = memory_array(uint8_t, (size_t)T * (size_t)C, "characteristics in use");
    b->missing_share = memory_array(double, C, "missing values");
    b->characteristic = memory_array(int, C, "characteristics");
    for (int t = 0; t < T; t++) {
        int place = b->period[t] - b->from.first_key, slot = b->slot[place];
        all += rows[t] = b->count[place];
        if (slot)
            memcpy(missing + (size_t)t * (size_t)C, b->missing + (size_t)slot * (size_t)C, (size_t)C * sizeof *missing);
    }
    team_sum_long(b->team, missing, (size_t)T * (size_t)C);
    sample_characteristics(&rules, T, C, rows, missing, b->use);
    for (int c = 0; c < C; c++) {
        bool any = false;
        for (int t = 0; t < T; t++) {
            b->missing_share[c] += (double)missing[(size_t)t * (size_t)C + (size_t)c] / (double)all;
            any |= b->use[(size_t)t * (size_t)C + (size_t)c];
        }
        if (any) b->characteristic[b->meta.D++] = c;
    }
    memory_free(missing);
    memory_free(rows);
    if (!b->from.filtered) return 0;
    log_info("%d of %d characteristics are missing in at most %g%% of the %lld wanted rows%s", b->meta.D, C,
             100 * rules.characteristic_missing, (long long)all, rules.past_only ? " up to some date" : "");
    if (b->meta.D) return 0;
    return error_set(e,
                     "%s: every one of the %d characteristics is missing in more than %g%% of %lld rows; needed is one that "
                     "is not",
                     b->from.file, C, 100 * rules.characteristic_missing, (long long)all);
}

/* Periods, and rows by period, of all ranks. */
static void find_periods(struct panel_builder *b)
{
    const struct row_source *s = &b->from;
    team_sum_long(b->team, b->count, (size_t)s->keys);
    for (int k = 0; k < s->keys; k++) b->periods += b->count[k] > 0;
    b->period = memory_array(int, b->periods, "periods");
    for (int k = 0, n = 0; k < s->keys; k++)
        if (b->count[k]) b->period[n++] = s->first_key + k;
}

int builder_period(const struct panel_builder *b, int64_t key)
{
    int low = 0, high = b->periods - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (b->period[middle] < key) low = middle + 1;
        else high = middle;
    }
    return low;
}

const uint8_t *builder_use(const struct panel_builder *b, int64_t key)
{
    return b->use + (size_t)builder_period(b, key) * (size_t)b->from.C;
}

/* What becomes of the rows of my periods. */
static int count_survivors(struct panel_builder *b, struct error *e)
{
    struct section x;
    const struct row_source *s = &b->from;
    memset(b->kept, 0, (size_t)s->keys * sizeof *b->kept);
    memset(b->returns, 0, sizeof b->returns);
    section_create(&x, b);
    for (int block = team_rank(b->team); block < builder_blocks(b) && !error_is_set(e); block += team_size(b->team)) {
        if (section_load(b, &x, block, e)) break;
        for (int i = 0, end; i < x.n; i = end) {
            int64_t counted[4] = {0}, key = x.order[i].key;
            int64_t *audit =
                b->audit.count + (size_t)s->unit(s->source, s->date(s->source, (int)key)) * (size_t)b->audit.steps;
            int n = section_survivors(b, &x, i, end = section_period_end(&x, i), counted);
            for (int k = 0; k < 4; k++) audit[s->steps[k]] += counted[k];
            b->kept[key - s->first_key] = counted[3];
            for (int j = 0; j < n; j++) {
                double r = x.ret[x.survivor[j]];
                if (!isnan(r)) b->returns[0]++, b->returns[1] += r, b->returns[2] += r * r;
            }
        }
    }
    section_free(&x);
    return team_agree(b->team, e);
}

static void fill_calendar(struct panel_builder *b)
{
    const struct row_source *s = &b->from;
    struct panel_meta *m = &b->meta;
    int last = -1, empty = 0;
    for (int t = 0; t < b->periods; t++) m->T += b->kept[b->period[t] - s->first_key] > 0;
    b->row = memory_array(int64_t, b->periods, "first rows");
    m->dates = memory_array(int64_t, m->T, "panel dates");
    m->offsets = memory_array(int64_t, m->T + 1, "panel offsets");
    for (int t = 0, k = 0; t < b->periods; t++) {
        int key = b->period[t];
        int64_t rows = b->kept[key - s->first_key];
        b->row[t] = m->offsets[k];
        if (!rows) continue;
        if (last >= 0 && s->dense && key != last + 1 && empty++ == 0)
            log_warn("no rows between %lld and %lld: the panel goes on without those periods",
                     (long long)s->date(s->source, last), (long long)s->date(s->source, key));
        last = key;
        m->dates[k] = s->date(s->source, key);
        m->offsets[k + 1] = m->offsets[k] + rows;
        k++;
    }
    if (empty > 1) log_warn("periods without rows are missing at %d further places", empty - 1);
    m->rows = m->offsets[m->T];
    m->characteristic_names = memory_array(char *, m->D, "names of characteristics");
    for (int d = 0; d < m->D; d++) m->characteristic_names[d] = memory_text(s->names[b->characteristic[d]]);
    m->has_size_groups = s->size_groups;
}

int builder_plan(struct panel_builder *b, struct error *e)
{
    find_periods(b);
    if (b->periods && choose_characteristics(b, e)) return -1;
    if (b->from.filtered && count_survivors(b, e)) return -1;
    team_sum_long(b->team, b->kept, (size_t)b->from.keys);
    team_sum_long(b->team, b->audit.count, (size_t)b->audit.units * (size_t)b->audit.steps);
    fill_calendar(b);
    b->from.print_audit(b->from.source, b);
    if (b->meta.rows) return 0;
    return error_set(e, "%s: no row is left after the filters%s", b->from.file,
                     log_speaks() ? " (the table above says where they went)" : "");
}

int unit_check(double volatility, double most, const char *file, const char *what, bool percent, const char *say,
               struct error *e)
{
    if (volatility >= 0.003 && volatility <= most) return 0;
    return error_set(
        e,
        "%s: %s, read as %s, has a monthly volatility of %.3g%%, outside [0.3%%, %g%%]: is the file in %s? Then "
        "say %s%s. If it is right as it is, add --any-volatility",
        file, what, percent ? "percent" : "decimal", 100 * volatility, 100 * most, percent ? "decimal" : "percent", say,
        percent ? "" : ",percent");
}
