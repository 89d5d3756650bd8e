#include "panel/placebo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum { DEFAULT_LAG = 12, LONGEST_LAG = 100000 };
static const uint64_t STREAM = 0x706c616365626f; /* "placebo": no model's stream has this name */

int placebo_parse(const char *text, struct placebo *p, struct error *e)
{
    static const char word[] = "characteristics";
    size_t n = sizeof word - 1;
    if (!strcmp(text, "returns")) return p->kind = PLACEBO_RETURNS, p->lag = 0, 0;
    if (!strncmp(text, word, n) && (!text[n] || text[n] == '=')) {
        char *end = NULL;
        long lag = text[n] ? strtol(text + n + 1, &end, 10) : DEFAULT_LAG;
        if (!end || (end != text + n + 1 && !*end && lag >= 1 && lag <= LONGEST_LAG))
            return p->kind = PLACEBO_CHARACTERISTICS, p->lag = (int)lag, 0;
    }
    return error_set(e, "placebo: found '%s'; needed: returns, characteristics or characteristics=K with K from 1", text);
}

char *placebo_option(const struct placebo *p, char out[PLACEBO_TEXT])
{
    out[0] = '\0';
    if (p->kind == PLACEBO_RETURNS) snprintf(out, PLACEBO_TEXT, "returns");
    if (p->kind == PLACEBO_CHARACTERISTICS) snprintf(out, PLACEBO_TEXT, "characteristics=%d", p->lag);
    return out;
}

char *placebo_words(const struct placebo *p, char out[PLACEBO_TEXT])
{
    out[0] = '\0';
    if (p->kind == PLACEBO_RETURNS) snprintf(out, PLACEBO_TEXT, "returns shuffled within periods");
    if (p->kind == PLACEBO_CHARACTERISTICS)
        snprintf(out, PLACEBO_TEXT, "characteristics of %d period%s earlier", p->lag, p->lag == 1 ? "" : "s");
    return out;
}

void placebo_shuffle(const struct placebo *p, int t, int n, double *returns)
{
    struct random_stream s = random_open(p->seed, STREAM, (uint64_t)t, 0);
    for (int i = n - 1; i > 0; i--) {
        uint32_t w[4];
        random_block(&s, (uint64_t)i, w);
        /* 64 bits times i + 1, the upper half: uniform on 0 .. i to within i / 2^64 */
        uint64_t wide = (uint64_t)w[0] << 32 | w[1], count = (uint64_t)i + 1;
        uint64_t j = ((wide >> 32) * count + ((wide & 0xffffffff) * count >> 32)) >> 32;
        double kept = returns[i];
        returns[i] = returns[j];
        returns[j] = kept;
    }
}

void placebo_shift(int D, int n, const int64_t *ids, float *characteristics, int m, const int64_t *past_ids,
                   const float *past)
{
    for (int i = 0, j = 0; i < n; i++) {
        float *x = characteristics + (size_t)i * (size_t)D;
        while (j < m && past_ids[j] < ids[i]) j++;
        if (j < m && past_ids[j] == ids[i]) memcpy(x, past + (size_t)j * (size_t)D, sizeof(float) * (size_t)D);
        else memset(x, 0, sizeof(float) * (size_t)D);
    }
}
