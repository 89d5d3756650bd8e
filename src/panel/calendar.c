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
