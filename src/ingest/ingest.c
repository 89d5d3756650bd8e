/* Sources, one after the other, to one panel. */
#include "ingest/ingest.h"

#include <string.h>

#include "base/log.h"
#include "panel_builder.h"

#define SOURCE(name) extern const struct source_class name##_source;
#include "ingest/sources.def"
#undef SOURCE

const struct source_class *const *source_classes(void)
{
#define SOURCE(name) &name##_source,
    static const struct source_class *const all[] = {
#include "ingest/sources.def"
        NULL};
#undef SOURCE
    return all;
}

/* Of the sources that share a flag the one that knows the file, else the last, which knows no better. */
static bool serves(const struct source_class *const *s, const struct ingest_options *o)
{
    for (const struct source_class *const *all = source_classes(); *all; all++)
        if (*all != *s && !strcmp((*all)->flag, (*s)->flag) && (*all)->probe && (*all)->probe(o->stocks)) return false;
    return !(*s)->probe || (*s)->probe(o->stocks);
}

int ingest(const struct ingest_options *o, struct team *team, struct error *e)
{
    struct panel_builder b;
    const struct panel_meta *m = &b.meta;
    char size[32];
    int rc = 0;
    double start = clock_seconds();
    builder_open(&b, o, team);
    for (const struct source_class *const *s = source_classes(); *s && !rc; s++)
        if ((*s)->given(o) && serves(s, o)) rc = (*s)->read(o, &b, e);
    if (!rc) rc = builder_write(&b, e);
    if (!rc)
        log_info(
            "%s: %d periods (%s, %.10g a year), %lld rows, %d characteristics, %d benchmarks, %d test assets (%s) in %.1f s",
            o->output, m->T, m->frequency, m->periods_per_year, (long long)m->rows, m->D, m->benchmarks, m->M,
            format_bytes(panel_row_bytes(m), size), clock_seconds() - start);
    builder_close(&b);
    return rc;
}
