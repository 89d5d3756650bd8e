/* How often prices are observed: by the spacing of their dates, by name, and as periods in a year. */
#ifndef PANEL_FREQUENCY_H
#define PANEL_FREQUENCY_H

#include <stdbool.h>
#include <stdint.h>

struct frequency {
    enum { FREQUENCY_MINUTES, FREQUENCY_DAYS, FREQUENCY_MONTHS } unit;
    int count; /* of units from one date to the next: 60 minutes, 7 days, 3 months */
};

/* From the seconds between neighbouring dates. False: less than a minute, or no whole number of minutes below a day. */
bool frequency_of_spacing(int64_t seconds, struct frequency *f);
/* minute, hourly, daily, weekly, monthly and N- of them (5-minute, 4-hourly, 2-weekly). False: none of these. */
bool frequency_parse(const char *text, struct frequency *f);
enum { FREQUENCY_NAME = 32 };
char *frequency_name(struct frequency f, char out[FREQUENCY_NAME]); /* as frequency_parse takes it; returns out */
bool frequency_coarser(struct frequency a, struct frequency b);     /* a's dates lie further apart than b's */
/* Periods in a year: 365 days, 8760 hours where weekends are traded, otherwise 252 days of 6.5 hours; 52 weeks, 12 months. */
double frequency_per_year(struct frequency f, bool weekends);

#endif
