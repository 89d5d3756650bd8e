/* Sorting the rows of a section by period and asset, and dropping those that leave the sample. */
#include "panel_section.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

void section_create(struct section *x, const struct panel_builder *b)
{
    int64_t most = 0, rows = 0;
    for (int k = 0; k < b->from.keys; k++) {
        rows = k % b->from.span ? rows + b->count[k] : b->count[k];
        if (rows > most) most = rows;
    }
    require(most < INT32_MAX);
    *x = (struct section){.room = (int)most, .words = b->words};
    x->word = memory_array(union word, (size_t)most * (size_t)b->words, "rows of a period");
    x->order = memory_array(struct ordered, most, "rows in order");
    x->ret = memory_array(double, most, "returns");
    x->size = memory_array(int8_t, most, "size groups");
    x->scratch = memory_array(double, most, "values of a period");
    x->survivor = memory_array(int, most, "rows that stay");
}

void section_free(struct section *x)
{
    memory_free_all(x->word, x->order, x->ret, x->size, x->scratch, x->survivor);
}

static int by_id(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

int section_period_end(const struct section *x, int from)
{
    int to = from;
    while (to < x->n && x->order[to].key == x->order[from].key) to++;
    return to;
}

/* By period, counted; then by identifier within each that did not come so. */
static void order(const struct panel_builder *b, struct section *x, int block)
{
    int first = block * b->from.span, span = b->from.keys - first < b->from.span ? b->from.keys - first : b->from.span;
    int64_t *at = memory_array(int64_t, span, "first rows of periods");
    for (int k = 1; k < span; k++) at[k] = at[k - 1] + b->count[first + k - 1];
    for (int i = 0; i < x->n; i++) {
        const union word *w = x->word + (size_t)i * (size_t)x->words;
        int64_t key = w[WORD_KEY].whole, id = w[WORD_ID].whole;
        x->order[at[key - b->from.first_key - first]++] =
            (struct ordered){key, b->from.hashed ? names_number(b->from.hashed, id) : id, i};
    }
    for (int i = 0, end; i < x->n; i = end) {
        bool sorted = true;
        end = section_period_end(x, i);
        for (int j = i + 1; j < end && sorted; j++) sorted = x->order[j - 1].id < x->order[j].id;
        if (!sorted) qsort(x->order + i, (size_t)(end - i), sizeof *x->order, by_id);
    }
    memory_free(at);
}

int section_load(struct panel_builder *b, struct section *x, int block, struct error *e)
{
    x->n = (int)row_store_rows(b->store, block);
    if (row_store_load(b->store, block, x->word, e)) return -1;
    order(b, x, block);
    for (int i = 0; i < x->n; i++) {
        x->ret[i] = section_row(x, i)[WORD_RETURN].real;
        x->size[i] = (int8_t)section_row(x, i)[WORD_GROUP].real;
    }
    for (int i = 0, end; i < x->n && b->from.complete; i = end)
        if (b->from.complete(b->from.source, x, i, end = section_period_end(x, i), e)) return -1;
    return 0;
}

int section_survivors(const struct panel_builder *b, struct section *x, int from, int to, int64_t counted[4])
{
    const uint8_t *use = builder_use(b, x->order[from].key);
    const struct sample_rules *rules = &b->options->rules;
    int in_use = 0, n = 0;
    for (int d = 0; d < b->meta.D; d++) in_use += use[b->characteristic[d]];
    for (int i = from; i < to; i++) {
        const union word *w = section_row(x, i) + WORDS;
        int missing = 0;
        for (int d = 0; d < b->meta.D && b->from.filtered; d++)
            missing += use[b->characteristic[d]] && isnan(w[b->characteristic[d]].real);
        if (b->from.filtered && (in_use == 0 || sample_exceeds(missing, rules->row_missing, in_use))) counted[0]++;
        else if (b->from.filtered && x->size[i] == SIZE_NANO && !rules->keep_nano) counted[1]++;
        else {
            x->survivor[n++] = i;
            counted[isnan(x->ret[i]) ? 2 : 3]++;
        }
    }
    return n;
}
