/* Names of frequencies, their periods in a year, and the frequency that the spacing of dates shows. */
#include "panel/frequency.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR = 60, WEEK = 7, DAY_SECONDS = 86400, MOST = 100000 };

bool frequency_of_spacing(int64_t seconds, struct frequency *f)
{
    if (seconds < 60 || (seconds < DAY_SECONDS && seconds % 60)) return false;
    if (seconds < DAY_SECONDS) {
        *f = (struct frequency){FREQUENCY_MINUTES, (int)(seconds / 60)};
        return true;
    }
    int64_t days = (seconds + DAY_SECONDS / 2) / DAY_SECONDS, months = (days * 12 + 182) / 365;
    if (days > MOST) return false;
    bool whole = months && days >= 28 * months && days <= 31 * months && days % WEEK != 0;
    if (days == 28 || days == 91) whole = true; /* a February, a quarter: months before weeks */
    *f = whole ? (struct frequency){FREQUENCY_MONTHS, (int)months} : (struct frequency){FREQUENCY_DAYS, (int)days};
    return true;
}

static const struct {
    const char *name;
    struct frequency f;
} names[] = {{"minute", {FREQUENCY_MINUTES, 1}},
             {"hourly", {FREQUENCY_MINUTES, HOUR}},
             {"daily", {FREQUENCY_DAYS, 1}},
             {"weekly", {FREQUENCY_DAYS, WEEK}},
             {"monthly", {FREQUENCY_MONTHS, 1}}};
enum { NAMES = sizeof names / sizeof *names };

bool frequency_parse(const char *text, struct frequency *f)
{
    char *end = (char *)(uintptr_t)text;
    long n = 1;
    if (*text >= '1' && *text <= '9') {
        n = strtol(text, &end, 10);
        if (*end++ != '-' || n > MOST) return false;
    }
    for (int k = 0; k < NAMES; k++)
        if (!strcmp(end, names[k].name)) {
            *f = names[k].f;
            f->count *= (int)n;
            return true;
        }
    return false;
}

char *frequency_name(struct frequency f, char out[FREQUENCY_NAME])
{
    for (int k = NAMES - 1; k >= 0; k--) { /* the largest name that divides */
        if (names[k].f.unit != f.unit || f.count % names[k].f.count) continue;
        int n = f.count / names[k].f.count;
        if (n == 1) snprintf(out, FREQUENCY_NAME, "%s", names[k].name);
        else snprintf(out, FREQUENCY_NAME, "%d-%s", n, names[k].name);
        break;
    }
    return out;
}

static double minutes(struct frequency f)
{
    static const double minutes_of[] = {1, 1440, 365.25 / 12 * 1440};
    return minutes_of[f.unit] * f.count;
}

bool frequency_coarser(struct frequency a, struct frequency b)
{
    return minutes(a) > minutes(b);
}

double frequency_per_year(struct frequency f, bool weekends)
{
    if (f.unit == FREQUENCY_MONTHS) return 12.0 / f.count;
    if (f.unit == FREQUENCY_MINUTES) return (weekends ? 8760.0 : 252 * 6.5) * HOUR / f.count;
    if (f.count % WEEK == 0) return 52.0 * WEEK / f.count;
    return (weekends ? 365.0 : 252.0) / f.count;
}
