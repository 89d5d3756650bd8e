/* Messages, the progress line, and how bytes and times read. The progress line is drawn on terminals only. */
#include "base/log.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/escape.h"

static bool speaks = true, quiet;

void log_set_speaker(bool s)
{
    speaks = s;
}
bool log_speaks(void)
{
    return speaks;
}
void log_set_quiet(bool q)
{
    quiet = q;
}

static void say(const char *prefix, const char *format, va_list a)
{
    char text[2048];
    vsnprintf(text, sizeof text, format, a);
    fputs(prefix, stderr);
    escape_message(stderr, text);
    fputc('\n', stderr);
}

void log_info(const char *format, ...)
{
    if (!speaks || quiet) return;
    va_list a;
    va_start(a, format);
    say("", format, a);
    va_end(a);
}

void log_warn(const char *format, ...)
{
    if (!speaks) return;
    va_list a;
    va_start(a, format);
    say("warning: ", format, a);
    va_end(a);
}

double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double clock_thread(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

char *format_bytes(double b, char *out)
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    int i = 0;
    while (fabs(b) >= 999.5 && i < 5) b /= 1000, i++;
    snprintf(out, 32, i && b < 99.95 ? "%.1f %s" : "%.0f %s", b, unit[i]);
    return out;
}

char *format_duration(double s, char *out)
{
    if (!(s >= 0) || s > 3.2e9) snprintf(out, 32, "unknown");
    else if (s < 9.95) snprintf(out, 32, "%.1f s", s);
    else if (s < 119.5) snprintf(out, 32, "%.0f s", s);
    else if (s < 7170) snprintf(out, 32, "%.0f min", s / 60);
    else if (s < 48 * 3600.) snprintf(out, 32, "%d h %02d min", (int)((s + 30) / 3600), (int)(fmod(s + 30, 3600) / 60));
    else snprintf(out, 32, "%.1f days", s / 86400);
    return out;
}

void progress_begin(struct progress *p, const char *what, long total, long done_at_start)
{
    *p = (struct progress){.what = what,
                           .start = clock_seconds(),
                           .total = total,
                           .done_at_start = done_at_start,
                           .terminal = isatty(STDERR_FILENO) == 1};
    p->last = p->start;
}

static void progress_line(struct progress *p, long done, const char *extra)
{
    double seconds = clock_seconds() - p->start, rate = seconds > 0 ? (double)(done - p->done_at_start) / seconds : 0;
    char eta[32];
    format_duration(rate > 0 ? (double)(p->total - done) / rate : INFINITY, eta);
    fprintf(stderr, "%s%s: %ld of %ld rows (%.1f%%), %.1f rows/s, %s left%s%s%s", p->terminal ? "\r" : "", p->what, done,
            p->total, p->total ? 100.0 * (double)done / (double)p->total : 100.0, rate, eta, extra && *extra ? ", " : "",
            extra ? extra : "", p->terminal ? "\033[K" : "\n");
    fflush(stderr);
    p->shown = true;
}

void progress_show(struct progress *p, long done, const char *extra)
{
    double t = clock_seconds();
    if (!speaks || quiet || t - p->last < (p->terminal ? 0.25 : 60)) return;
    p->last = t;
    progress_line(p, done, extra);
}

void progress_end(struct progress *p, long done)
{
    if (!speaks || quiet) return;
    if (p->terminal && p->shown) fputs("\r\033[K", stderr);
    char took[32];
    log_info("%s: %ld of %ld rows in %s", p->what, done, p->total, format_duration(clock_seconds() - p->start, took));
}
