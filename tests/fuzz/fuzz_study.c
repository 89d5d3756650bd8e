/* libFuzzer: a study file of any bytes, parsed, and bound to one of four panels where it can be: every option of every model is checked,
 * its layout and cost computed. Build and run: tests/fuzz/run.sh SECONDS study. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "study/study.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { PERIODS = 80, NAMES = 3 };
static struct panel_meta panel[4];

/* Panels of few and many assets, with and without what a study may ask for. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const int assets[4] = {10, 3000, 5, 0};
    static int64_t dates[PERIODS], offsets[4][PERIODS + 1], ids[NAMES] = {1, 2, 3};
    static char *names[8] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    static double returns[PERIODS * 2];
    static struct benchmark benchmark = {.name = "FF6", .k = 2, .factor_names = names, .returns = returns};
    (void)argc, (void)argv;
    log_set_quiet(true);
    log_set_speaker(false);
    for (int t = 0; t < PERIODS; t++) dates[t] = (2000 + t / 12) * 10000 + (t % 12 + 1) * 100 + 28;
    for (int p = 0; p < 4; p++) {
        for (int t = 0; t <= PERIODS; t++) offsets[p][t] = (int64_t)t * assets[p];
        panel[p] = (struct panel_meta){.T = PERIODS,
                                       .D = p == 3 ? 0 : 4 << p,
                                       .periods_per_year = 12,
                                       .frequency = "monthly",
                                       .rows = offsets[p][PERIODS],
                                       .dates = dates,
                                       .offsets = offsets[p],
                                       .characteristic_names = names,
                                       .has_size_groups = p != 1};
    }
    panel[0].G = 1, panel[0].group_names[0] = "sector", panel[0].labels[0] = NAMES, panel[0].label_names[0] = names;
    panel[0].assets = NAMES, panel[0].asset_names = names, panel[0].asset_name_ids = ids;
    for (int p = 0; p < 4; p += 3) panel[p].benchmarks = 1, panel[p].benchmark = &benchmark;
    panel[2].characteristic_names =
        (char *[16]){"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"};
    panel[2].D = 8, panel[1].D = 8, panel[2].characteristic_names = names;
    return 0;
}

/* What binding promises: windows inside the panel, returns first in every record, costs that are numbers. */
static void check_bound(const struct study *s)
{
    for (int i = 0; i < s->configs; i++) {
        const struct config *c = &s->config[i];
        if (c->shape.T < 1 || c->layout.fields < 1 || strcmp(c->layout.field[0].name, "returns")) abort();
        if (!(c->cost.flops >= 0) || !(c->cost.bytes >= 0) || !(c->cost.seconds >= 0)) abort();
        if (layout_record(&c->layout) < 1 || config_ranks(c) < 1) abort();
    }
    if (s->P < 1) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct study s;
    struct error e = {""};
    char *text = memory_allocate(n + 1, 1, "text");
    if (n) memcpy(text, data, n);
    for (size_t i = 0; i < n; i++)
        if (!text[i]) text[i] = ' '; /* files with such a byte are refused before */
    if (!study_parse("fuzz", text, &s, &e)) {
        if (s.configs < 1) abort();
        if (!study_bind(&s, &panel[n % 4], &e)) {
            check_bound(&s);
            memory_free(study_fingerprint(&s, "digest"));
        } else if (!error_is_set(&e)) abort();
        study_free(&s);
    } else if (!error_is_set(&e)) abort();
    memory_free(text);
    if (memory_blocks()) abort();
    return 0;
}
