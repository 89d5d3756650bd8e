/* Dates and instants to text and back, on the proleptic Gregorian calendar. */
#include "panel/calendar.h"

int month_days(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

bool date_valid(struct date d)
{
    return d.year >= CALENDAR_FIRST_YEAR && d.year <= CALENDAR_LAST_YEAR && d.month >= 1 && d.month <= 12 && d.day >= 0 &&
           d.day <= month_days(d.year, d.month);
}

bool date_exists(int64_t number)
{
    int minute = 0;
    if (number > 99991231) minute = (int)(number % 10000), number /= 10000;
    int year = number > 99991231 ? 0 : (int)(number / 10000), month = (int)(number / 100 % 100), day = (int)(number % 100);
    return year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= month_days(year, month) && minute / 100 < 24 &&
           minute % 100 < 60;
}

/* The number of k digits at s, or -1. */
static int digits(const char *s, int k)
{
    int v = 0;
    for (int i = 0; i < k; i++) {
        if (s[i] < '0' || s[i] > '9') return -1;
        v = v * 10 + (s[i] - '0');
    }
    return v;
}

bool date_parse(const char *s, size_t n, struct date *d)
{
    while (n && (*s == ' ' || *s == '\t')) s++, n--;
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\t')) n--;
    if (n > 2 && s[n - 2] == '.' && s[n - 1] == '0') n -= 2;
    *d = (struct date){0, 0, 0};
    if (n == 6 || n == 8) {
        *d = (struct date){digits(s, 4), digits(s + 4, 2), n == 8 ? digits(s + 6, 2) : 0};
        return (n == 6 || d->day > 0) && date_valid(*d);
    }
    if (n < 7 || (s[4] != '-' && s[4] != '/')) return false;
    *d = (struct date){digits(s, 4), digits(s + 5, 2), 0};
    if (n == 7) return date_valid(*d);
    if (n < 10 || s[7] != s[4]) return false;
    d->day = digits(s + 8, 2);
    if (n > 10 && s[10] != ' ' && s[10] != 'T') return false;
    return d->day > 0 && date_valid(*d);
}

int64_t month_end(int month)
{
    int y = month / 12, m = month % 12 + 1;
    return (int64_t)y * 10000 + m * 100 + month_days(y, m);
}

/* Days from civil and back (proleptic Gregorian; Hinnant, "chrono-compatible low-level date algorithms"). */
int day_of(struct date d)
{
    int day = d.day ? d.day : month_days(d.year, d.month), y = d.year - (d.month <= 2), m = (d.month + 9) % 12;
    int era = y / 400, of_era = y - era * 400, of_year = (153 * m + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
}

int64_t day_date(int day)
{
    int era = day / 146097, of_era = day - era * 146097;
    int y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365,
        of_year = of_era - (365 * y + y / 4 - y / 100);
    int m = (5 * of_year + 2) / 153, d = of_year - (153 * m + 2) / 5 + 1, month = m < 10 ? m + 3 : m - 9;
    return (int64_t)(y + era * 400 + (month <= 2)) * 10000 + month * 100 + d;
}

enum { DAY_1970 = 719468, DAY_SECONDS = 86400 }; /* day_of 1970-01-01 */

/* [+-]hh[[:]mm] or Z: seconds east of UTC. */
static bool zone_parse(const char *s, size_t n, int *seconds)
{
    *seconds = 0;
    if (n == 0 || (n == 1 && *s == 'Z')) return true;
    if ((n != 3 && n != 5 && n != 6) || (*s != '+' && *s != '-') || (n == 6 && s[3] != ':')) return false;
    int hours = digits(s + 1, 2), minutes = n == 3 ? 0 : digits(s + n - 2, 2);
    if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59) return false;
    *seconds = (hours * 3600 + minutes * 60) * (*s == '-' ? -1 : 1);
    return true;
}

bool instant_parse(const char *s, size_t n, struct instant *t)
{
    struct date d;
    while (n && (*s == ' ' || *s == '\t')) s++, n--;
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\t')) n--;
    size_t day = n > 4 && (s[4] == '-' || s[4] == '/') ? 10 : 8;
    if (n < day || !date_parse(s, day, &d) || d.day == 0) return false;
    *t = (struct instant){(int64_t)(day_of(d) - DAY_1970) * DAY_SECONDS, day_of(d)};
    if (n == day) return true;
    if (n < day + 6 || (s[day] != ' ' && s[day] != 'T') || s[day + 3] != ':') return false;
    int hours = digits(s + day + 1, 2), minutes = digits(s + day + 4, 2), seconds = 0, zone;
    size_t at = day + 6;
    if (at < n && s[at] == ':') {
        if (n < at + 3 || (seconds = digits(s + at + 1, 2)) < 0) return false;
        at += 3;
        if (at < n && s[at] == '.')
            for (at++; at < n && s[at] >= '0' && s[at] <= '9';) at++;
    }
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds > 60 || !zone_parse(s + at, n - at, &zone))
        return false;
    t->seconds += hours * 3600 + minutes * 60 + seconds - zone;
    return true;
}

struct instant instant_of(int64_t seconds)
{
    int64_t day = seconds / DAY_SECONDS - (seconds % DAY_SECONDS < 0);
    return (struct instant){seconds, (int)day + DAY_1970};
}

int64_t instant_minute(int64_t seconds)
{
    struct instant t = instant_of(seconds);
    int64_t second = seconds - (int64_t)(t.day - DAY_1970) * DAY_SECONDS;
    return day_date(t.day) * 10000 + second / 3600 * 100 + second / 60 % 60;
}
