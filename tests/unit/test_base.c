/* Memory, errors and words about bytes and times. What ends the process is tried in a child. */
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"
#include "check.h"

/* What a child that runs the function ends with (as waitpid says) and prints to stderr. */
static int in_child(void (*run)(void), char *said, size_t size)
{
    int pipes[2], status = 0;
    CU_ASSERT_FATAL(pipe(pipes) == 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], STDERR_FILENO);
        run();
        _exit(99);
    }
    close(pipes[1]);
    size_t n = 0;
    for (ssize_t got; n + 1 < size && (got = read(pipes[0], said + n, size - 1 - n)) > 0;) n += (size_t)got;
    said[n] = '\0';
    close(pipes[0]);
    waitpid(child, &status, 0);
    return status;
}

static void accounts(void)
{
    size_t before = memory_held(), peak;
    long blocks = memory_blocks();
    char *a = memory_array(char, 1000, "a"), *none = memory_array(char, 0, "nothing");
    double *b = memory_array(double, 500, "b");
    CU_ASSERT(memory_held() == before + 5000 && memory_blocks() == blocks + 3 && none != NULL);
    CU_ASSERT((uintptr_t)a % 64 == 0 && (uintptr_t)b % 64 == 0);
    peak = memory_peak();
    CU_ASSERT(peak >= before + 5000);
    memory_free(a), memory_free(b), memory_free(none), memory_free(NULL);
    CU_ASSERT(memory_held() == before && memory_blocks() == blocks && memory_peak() == peak);
    for (int round = 0; round < 50; round++) { /* a block that was used before is zero again */
        unsigned char *c = memory_array(unsigned char, 4096, "c");
        for (int i = 0; i < 4096; i++) CU_ASSERT_FATAL(c[i] == 0);
        memset(c, 0xa5, 4096);
        memory_free(c);
    }
}

static void grows(void)
{
    long blocks = memory_blocks(), moved = 0;
    int *list = NULL;
    for (int i = 0; i < 10000; i++) {
        int *before = list;
        list = memory_grow(list, (size_t)i + 1, sizeof *list, "a list");
        moved += list != before;
        CU_ASSERT_FATAL(list[i] == 0); /* new room is zero */
        list[i] = i + 1;
        CU_ASSERT_FATAL(memory_blocks() == blocks + 1);
    }
    for (int i = 0; i < 10000; i++) CU_ASSERT_FATAL(list[i] == i + 1);
    CU_ASSERT(moved <= 9); /* 65, 130, ... 16640 */
    char *text = memory_grow(NULL, 100000, 1, "at once as much as is asked for");
    memset(text, 'x', 100000);
    CU_ASSERT(memory_grow(text, 100000, 1, "it fits") == text);
    memory_free(list), memory_free(text);
    CU_ASSERT(memory_blocks() == blocks);
}

static void numbers(void)
{
    static const char *const no[] = {"",      " ",   "x",   "1x",  "1 ", "--1", "1,5", "9223372036854775808",
                                     "1e999", "nan", "inf", "-inf"};
    long long n = 7;
    double x = 7;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        CU_ASSERT(!number_whole(no[i], INT64_MIN, INT64_MAX, &n) && n == 7);
        if (no[i][0] != '9') CU_ASSERT(!number_real(no[i], -HUGE_VAL, HUGE_VAL, &x) && x == 7);
    }
    CU_ASSERT(!number_whole("1.5", 0, 9, &n) && !number_whole("1e3", 0, 9999, &n) && !number_whole("-1", 0, 9, &n));
    CU_ASSERT(!number_whole("10", 0, 9, &n) && number_whole("9", 0, 9, &n) && n == 9 && number_whole("0", 0, 9, &n) &&
              n == 0);
    CU_ASSERT(number_whole("-9223372036854775808", INT64_MIN, 0, &n) && n == INT64_MIN);
    CU_ASSERT(!number_real("-0.1", 0, 1, &x) && !number_real("1.1", 0, 1, &x) && x == 7);
    CU_ASSERT(number_real("1", 0, 1, &x) && x == 1 && number_real("2.5e-1", 0, 1, &x) && x == 0.25);
}

static void too_many(void)
{
    memory_allocate((SIZE_MAX >> 3) + 2, 8, "the impossible"); /* the product wraps to 8 bytes */
}
static void too_large(void)
{
    memory_allocate(SIZE_MAX - 8, 1, "the improbable"); /* the block's own line wraps */
}
static void broken(void)
{
    int two = 2;
    require(two == 3);
}

static void ends(void)
{
    char said[2000];
    int status = in_child(too_many, said, sizeof said);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INPUT && strstr(said, "the impossible"));
    status = in_child(too_large, said, sizeof said);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INPUT && strstr(said, "the improbable"));
    status = in_child(broken, said, sizeof said);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INPUT && strstr(said, "two == 3"));
}

static void first_error_stays(void)
{
    struct error e = {""};
    CU_ASSERT(error_set(&e, "the %s", "cause") == -1 && error_set(&e, "what followed") == -1);
    CU_ASSERT_STRING_EQUAL(e.text, "the cause");
    struct error f = {""};
    error_set(&f, "%s", "");
    CU_ASSERT(error_is_set(&f)); /* an error without words is one all the same */
}

/* Three files: one to go, one forgotten, one registered twice over. */
static char scratch[3][64];
static void make_files(void)
{
    for (int i = 0; i < 3; i++) {
        FILE *f = fopen(scratch[i], "w");
        if (f) fclose(f);
        cleanup_register(scratch[i]);
    }
    cleanup_forget(scratch[1]);
}
static void by_die(void)
{
    make_files();
    die("the %d", 7);
}
static void by_signal(void)
{
    make_files();
    raise(SIGTERM);
}
static void by_hand(void)
{
    make_files();
    cleanup_run();
}

static void files_that_must_not_survive(void)
{
    void (*const way[])(void) = {by_die, by_signal, by_hand};
    for (int i = 0; i < 3; i++) snprintf(scratch[i], sizeof scratch[i], "/tmp/aipm-base-%ld-%d", (long)getpid(), i);
    for (int k = 0; k < 3; k++) {
        char said[2000];
        int status = in_child(way[k], said, sizeof said);
        CU_ASSERT(k == 0   ? WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INPUT && strstr(said, "the 7") != NULL
                  : k == 1 ? WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM
                           : WIFEXITED(status) && WEXITSTATUS(status) == 99);
        CU_ASSERT(access(scratch[0], F_OK) != 0 && access(scratch[2], F_OK) != 0);
        CU_ASSERT(access(scratch[1], F_OK) == 0);
        unlink(scratch[1]);
    }
}

static void words(void)
{
    static const struct {
        double x;
        const char *bytes, *duration;
    } said[] = {{0, "0 B", "0.0 s"},
                {999, "999 B", "17 min"},
                {1500, "1.5 kB", "25 min"},
                {119, "119 B", "119 s"},
                {7171, "7.2 kB", "2 h 00 min"},
                {12345, "12.3 kB", "3 h 26 min"},
                {172800, "173 kB", "2.0 days"},
                {1.9e9, "1.9 GB", "21990.7 days"},
                {4e9, "4.0 GB", "unknown"}};
    char text[32];
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        CU_ASSERT_STRING_EQUAL(format_bytes(said[i].x, text), said[i].bytes);
        CU_ASSERT_STRING_EQUAL(format_duration(said[i].x, text), said[i].duration);
    }
    CU_ASSERT_STRING_EQUAL(format_duration(NAN, text), "unknown");
}

int main(void)
{
    static const struct check tests[] = {{"memory is counted and cleared", accounts},
                                         {"arrays grow as they are filled", grows},
                                         {"numbers in text, all of it and in range", numbers},
                                         {"what cannot be allocated, what cannot be", ends},
                                         {"the first error stays", first_error_stays},
                                         {"files that must not survive a failure", files_that_must_not_survive},
                                         {"bytes and times in words", words}};
    return check_run("base", tests, sizeof tests / sizeof *tests);
}
