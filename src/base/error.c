/* Errors, broken contracts, and files that must not outlive a failure. Signal handlers here call only what is safe in one. */
#include "base/error.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"

enum { CLEANUPS = 16 };
static char *volatile cleanup_path[CLEANUPS];
static void (*die_hook)(int);

int error_set(struct error *e, const char *format, ...)
{
    if (!error_is_set(e)) {
        va_list a;
        va_start(a, format);
        vsnprintf(e->text, sizeof e->text, format, a);
        va_end(a);
        if (!e->text[0]) snprintf(e->text, sizeof e->text, "unknown error");
    }
    return -1;
}

void error_print(const struct error *e)
{
    fputs("aipm: ", stderr);
    escape_message(stderr, e->text);
    fputc('\n', stderr);
}

void die_set_hook(void (*hook)(int status))
{
    die_hook = hook;
}

_Noreturn void die(const char *format, ...)
{
    struct error e;
    va_list a;
    va_start(a, format);
    vsnprintf(e.text, sizeof e.text, format, a);
    va_end(a);
    error_print(&e);
    cleanup_run();
    if (die_hook) die_hook(EXIT_INPUT);
    fflush(NULL);
    _exit(EXIT_INPUT); /* a library in whose midst this happens, HDF5 for one, could not be closed */
}

_Noreturn void require_failed(const char *condition, const char *file, int line)
{
    die("internal contract broken at %s:%d: %s; please report it", file, line, condition);
}

void cleanup_unlink(void)
{
    for (int i = 0; i < CLEANUPS; i++) {
        const char *path = cleanup_path[i];
        if (path) unlink(path);
    }
}

/* unlink and raise are all that a handler may do. */
static void clean_up_and_die(int signal_number)
{
    cleanup_unlink();
    raise(signal_number); /* its default action, as soon as this returns */
}

/* Nobody else's handler, nor a signal that is ignored, is touched. */
static void handle_signals(void)
{
    static const int deadly[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t k = 0; k < sizeof deadly / sizeof *deadly; k++) {
        struct sigaction now, a = {.sa_handler = clean_up_and_die, .sa_flags = SA_RESETHAND};
        sigemptyset(&a.sa_mask);
        if (!sigaction(deadly[k], NULL, &now) && now.sa_handler == SIG_DFL) sigaction(deadly[k], &a, NULL);
    }
}

void cleanup_register(const char *path)
{
    handle_signals();
    for (int i = 0; i < CLEANUPS; i++)
        if (!cleanup_path[i]) {
            cleanup_path[i] = strdup(path);
            return;
        }
}

void cleanup_forget(const char *path)
{
    for (int i = 0; i < CLEANUPS; i++)
        if (cleanup_path[i] && !strcmp(cleanup_path[i], path)) {
            char *old = cleanup_path[i];
            cleanup_path[i] = NULL;
            free(old);
        }
}

void cleanup_run(void)
{
    for (int i = 0; i < CLEANUPS; i++)
        if (cleanup_path[i]) {
            unlink(cleanup_path[i]);
            free(cleanup_path[i]);
            cleanup_path[i] = NULL;
        }
}
