/* A block of periods in memory: rows in order, and which of them stay in the sample. */
#ifndef INGEST_PANEL_SECTION_H
#define INGEST_PANEL_SECTION_H

#include "panel_builder.h"

/* Room for the largest block. */
void section_create(struct section *x, const struct panel_builder *b);
void section_free(struct section *x);
/* The rows of one of my blocks, completed by the source. */
int section_load(struct panel_builder *b, struct section *x, int block, struct error *e);
/* Where the period of place `from` ends. */
int section_period_end(const struct section *x, int from);
/* The rows from .. to-1 of a period that stay in the cross-section (returns not asked: whether one follows is not known at t): their
 * places into x->survivor, what became of all of them into counted [4], in the order of row_source.steps. Returns how many stay. */
int section_survivors(const struct panel_builder *b, struct section *x, int from, int to, int64_t counted[4]);

/* Place of a key with rows among b->period; whether each candidate is in use then, [C]. */
int builder_period(const struct panel_builder *b, int64_t key);
const uint8_t *builder_use(const struct panel_builder *b, int64_t key);
static inline int builder_blocks(const struct panel_builder *b)
{
    return (b->from.keys + b->from.span - 1) / b->from.span;
}

#endif
