/* Dates as numbers: YYYYMMDD, months counted from year 0, and the texts that data files write. */
#ifndef PANEL_CALENDAR_H
#define PANEL_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A day of the Gregorian calendar between 1800 and 2199; day 0: only the month is known. */
struct date {
    int year, month, day;
};
enum { CALENDAR_FIRST_YEAR = 1800, CALENDAR_LAST_YEAR = 2199 };

bool date_valid(struct date d);
/* YYYYMMDD, YYYY-MM-DD, YYYY/MM/DD, YYYYMM, YYYY-MM, and the ISO forms followed by a time of day (ignored), blanks and a trailing
 * ".0" around numbers allowed. False: none of these, or no such day. */
bool date_parse(const char *text, size_t n, struct date *d);

/* Is the number a day, YYYYMMDD, or a minute, YYYYMMDDhhmm, that exists? Years 1000 to 9999. */
bool date_exists(int64_t number);

/* A point in time as files write it: seconds since 1970 UTC, and the day of the calendar it is written under. */
struct instant {
    int64_t seconds;
    int day; /* as day_of; local where the text states a distance from UTC */
};
/* A date with its day, alone (midnight UTC) or followed by hh:mm[:ss[.fff]] and Z, +hh, +hhmm or +hh:mm (none: UTC). False: none of these. */
bool instant_parse(const char *text, size_t n, struct instant *t);
struct instant instant_of(int64_t seconds);
int64_t instant_minute(int64_t seconds); /* YYYYMMDDhhmm, UTC */

static inline int month_of(struct date d)
{
    return d.year * 12 + d.month - 1;
}
int month_days(int year, int month);
int64_t month_end(int month); /* YYYYMMDD of its last calendar day */
int day_of(struct date d);    /* days counted from a fixed day; day 0 counts as the month's last */
int64_t day_date(int day);    /* and back to YYYYMMDD */

#endif
