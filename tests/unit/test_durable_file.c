/* Files that are whole when they exist: nothing planted beside them is written to, what the dead left goes, what the living write
 * stays, and a failure leaves the old file. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/os.h"
#include "io/durable_file.h"
#include "io/lease.h"
#include "io/parameters_file.h"
#include "io/parts.h"
#include "io/text_file.h"

static char folder[64];
static struct error e;

static char *at(const char *name)
{
    static char path[6][300];
    static int turn;
    turn = (turn + 1) % 6;
    snprintf(path[turn], sizeof *path, "%s/%s", folder, name);
    return path[turn];
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(at(name), "w");
    CU_ASSERT_FATAL(f != NULL);
    fputs(text, f);
    fclose(f);
}

static bool holds(const char *name, const char *text)
{
    char found[256] = "";
    FILE *f = fopen(at(name), "r");
    if (!f) return false;
    found[fread(found, 1, sizeof found - 1, f)] = '\0';
    fclose(f);
    return !strcmp(found, text);
}

static bool says(const char *text)
{
    bool ok = strstr(e.text, text);
    if (!ok) fprintf(stderr, "said: %s\n", e.text);
    e.text[0] = '\0';
    return ok;
}

/* What is forced to disk, in order: 'f' a file, 'd' a folder. Called in the C library's place. */
static char synced[64];
int fsync(int fd)
{
    struct stat s;
    size_t n = strlen(synced);
    if (n + 1 < sizeof synced && !fstat(fd, &s)) synced[n] = S_ISDIR(s.st_mode) ? 'd' : 'f';
    return (int)syscall(SYS_fsync, fd);
}

static bool forced(const char *what)
{
    bool ok = !strcmp(synced, what);
    if (!ok) fprintf(stderr, "forced to disk: '%s', not '%s'\n", synced, what);
    memset(synced, 0, sizeof synced);
    return ok;
}

/* A folder of its own for a test: the leavings of the dead are looked for once a folder. */
static void enter(const char *name)
{
    snprintf(folder, sizeof folder, "/tmp/aipm-durable-%ld", (long)getpid());
    mkdir(folder, 0777);
    snprintf(folder, sizeof folder, "/tmp/aipm-durable-%ld/%s", (long)getpid(), name);
    mkdir(folder, 0777);
    e.text[0] = '\0';
}

static void a_planted_link_is_not_followed(void)
{
    struct durable_file f;
    struct stat s;
    enter("planted");
    put("victim", "precious");
    CU_ASSERT(!symlink(at("victim"), at("r.tmp")) && !symlink(at("victim"), at("r")));
    CU_ASSERT_FATAL(durable_begin(&f, at("r"), &e) == 0);
    /* whoever sees the temporary cannot have been there before, and it is no link */
    CU_ASSERT(!lstat(f.temporary, &s) && S_ISREG(s.st_mode) && check_temporaries(at("r")) == 1);
    CU_ASSERT(os_open(f.temporary, OS_CREATE) < 0);
    CU_ASSERT(os_write_at(f.fd, "new", 3, 0) == 0 && durable_commit(&f, &e) == 0);
    CU_ASSERT(holds("r", "new") && holds("victim", "precious"));
    CU_ASSERT(!lstat(at("r"), &s) && S_ISREG(s.st_mode)); /* the link itself was replaced */
    CU_ASSERT(check_temporaries(at("r")) == 0);
    CU_ASSERT(!symlink(at("victim"), at("grows")));
    CU_ASSERT(line_append(at("grows"), "more", &e) == -1 && says("cannot be written") && holds("victim", "precious"));
    CU_ASSERT(os_open(at("r.tmp"), OS_EDIT) < 0 && os_open(at("r.tmp"), OS_READ) < 0);
}

static void names_differ(void)
{
    struct durable_file f;
    char name[64][300];
    enter("names");
    for (int i = 0; i < 64; i++) {
        CU_ASSERT_FATAL(durable_begin(&f, at("x"), &e) == 0);
        snprintf(name[i], sizeof *name, "%s", f.temporary);
        for (int j = 0; j < i; j++) CU_ASSERT(strcmp(name[i], name[j]) != 0);
        durable_abandon(&f);
    }
    CU_ASSERT(check_temporaries(at("x")) == 0);
}

/* A child that begins a file and ends without a word, or waits; where: what to pretend about its host. */
static pid_t writer(bool stays, int *ready)
{
    int pipes[2];
    struct durable_file f;
    CU_ASSERT_FATAL(pipe(pipes) == 0);
    pid_t child = fork();
    if (!child) {
        int bad = durable_begin(&f, at("r"), &e);
        if (write(pipes[1], &bad, sizeof bad) < 0) _exit(2);
        if (stays) pause();
        _exit(0);
    }
    CU_ASSERT(read(pipes[0], ready, sizeof *ready) == sizeof *ready);
    close(pipes[0]);
    close(pipes[1]);
    return child;
}

static void what_the_dead_left_goes(void)
{
    struct durable_file f;
    int bad = 1, status;
    char name[200];
    enter("dead");
    pid_t dead = writer(false, &bad);
    CU_ASSERT(!bad && waitpid(dead, &status, 0) == dead);
    CU_ASSERT(check_temporaries(at("r")) == 1);
    /* somebody else's by name, by host, and one that only looks like ours */
    put("r.tmp", "a user's own");
    put("notes.0123456789abcdef-1-1-zz.tmp", "a user's own");
    snprintf(name, sizeof name, "r.%016llx-%lx-%llx-%016llx.tmp", 1ULL, 1L, 1ULL, 7ULL);
    put(name, "another host's");
    pid_t lives = writer(true, &bad);
    CU_ASSERT(!bad);
    CU_ASSERT_FATAL(durable_begin(&f, at("other"), &e) == 0);
    CU_ASSERT(check_temporaries(at("r")) == 2); /* the other host's and the living writer's */
    CU_ASSERT(holds("r.tmp", "a user's own") && holds("notes.0123456789abcdef-1-1-zz.tmp", "a user's own"));
    CU_ASSERT(holds(name, "another host's"));
    durable_abandon(&f);
    kill(lives, SIGKILL);
    waitpid(lives, &status, 0);
}

static void failures_leave_the_old_file(void)
{
    struct durable_file f;
    enter("failures");
    put("r", "old");
    CU_ASSERT_FATAL(durable_begin(&f, at("r"), &e) == 0);
    error_set(&e, "changed my mind");
    CU_ASSERT(durable_commit(&f, &e) == -1 && says("changed my mind"));
    CU_ASSERT(holds("r", "old") && check_temporaries(at("r")) == 0);
    CU_ASSERT_FATAL(durable_begin(&f, at("r"), &e) == 0);
    CU_ASSERT(durable_commit_new(&f, &e) == -1 && says("File exists"));
    CU_ASSERT(holds("r", "old") && check_temporaries(at("r")) == 0);
    CU_ASSERT_FATAL(durable_begin(&f, at("n"), &e) == 0);
    CU_ASSERT(os_write_at(f.fd, "new", 3, 0) == 0 && durable_commit_new(&f, &e) == 0);
    CU_ASSERT(holds("n", "new") && check_temporaries(at("n")) == 0);
    mkdir(at("taken"), 0777);
    mkfifo(at("pipe"), 0666);
    CU_ASSERT(durable_begin(&f, at("taken"), &e) == -1 && says("is a folder"));
    CU_ASSERT(durable_begin(&f, at("pipe"), &e) == -1 && says("no regular file"));
    CU_ASSERT(durable_begin(&f, "/proc/aipm/x", &e) == -1 && says("/proc/aipm/x: cannot be written"));
    CU_ASSERT(folder_create(at("r"), &e) == -1 && says("needed: a folder"));
    CU_ASSERT(folder_create(at("a/b/c"), &e) == 0 && folder_create(at("a/b/c"), &e) == 0);
    CU_ASSERT(os_kind(at("a/b/c")) == OS_DIRECTORY);
}

static void text_and_states(void)
{
    size_t bytes;
    enter("text");
    CU_ASSERT(text_file_write(at("t"), "one\n", &e) == 0 && holds("t", "one\n"));
    FILE *a = text_file_begin(at("t"), &e), *b = text_file_begin(at("u"), &e); /* two at once, ended in either order */
    CU_ASSERT_FATAL(a && b);
    fputs("a", a);
    fputs("b", b);
    CU_ASSERT(holds("t", "one\n") && text_file_end(a, at("t"), &e) == 0 && text_file_end(b, at("u"), &e) == 0);
    CU_ASSERT(holds("t", "a") && holds("u", "b"));
    CU_ASSERT(state_write(at("s"), "state", 5, &e) == 0);
    char *back = state_read(at("s"), &bytes);
    CU_ASSERT(back && bytes == 5 && !memcmp(back, "state", 5));
    memory_free(back);
    int fd = open(at("s"), O_WRONLY);
    CU_ASSERT(pwrite(fd, "S", 1, 24) == 1 && !close(fd) && !state_read(at("s"), &bytes)); /* one damaged byte */
}

static void a_line_without_its_end_is_closed(void)
{
    enter("lines");
    CU_ASSERT(line_append(at("h"), "begin 1", &e) == 0 && line_append(at("h"), "end 1", &e) == 0);
    CU_ASSERT(holds("h", "begin 1\nend 1\n"));
    put("h", "begin 1\nend");
    CU_ASSERT(line_append(at("h"), "begin 2", &e) == 0 && holds("h", "begin 1\nend\nbegin 2\n"));
}

static bool stands(const char *name)
{
    struct stat s;
    return !lstat(at(name), &s);
}

static void folders_appear_whole(void)
{
    struct durable_file f;
    char inside[600];
    pid_t child;
    int status;
    enter("folders");
    mkdir(at("precious"), 0777);
    put("precious/rows", "precious");
    if (!(child = fork())) { /* one that ends before its folder is in place; a link in it leads elsewhere */
        if (durable_begin_folder(&f, at("p"), &e)) _exit(1);
        snprintf(inside, sizeof inside, "%s/deep", f.temporary);
        if (mkdir(inside, 0777)) _exit(1);
        snprintf(inside, sizeof inside, "%s/deep/link", f.temporary);
        _exit(symlink(at("precious"), inside));
    }
    CU_ASSERT(waitpid(child, &status, 0) == child && !status && check_temporaries(at("p")) == 1);
    CU_ASSERT_FATAL(durable_begin_folder(&f, at("p"), &e) == 0);
    CU_ASSERT(check_temporaries(at("p")) == 1 && !stands("p") && holds("precious/rows", "precious"));
    snprintf(inside, sizeof inside, "%s/a", f.temporary);
    CU_ASSERT(line_append(inside, "text", &e) == 0);
    memset(synced, 0, sizeof synced);
    CU_ASSERT(durable_commit(&f, &e) == 0 && forced("dd") && holds("p/a", "text\n") && check_temporaries(at("p")) == 0);
    /* one that holds anything stays, an empty one does not */
    CU_ASSERT(durable_begin_folder(&f, at("p"), &e) == 0 && durable_commit(&f, &e) == -1 && says("cannot be put in place"));
    CU_ASSERT(holds("p/a", "text\n") && check_temporaries(at("p")) == 0 && !unlink(at("p/a")));
    CU_ASSERT(durable_begin_folder(&f, at("p"), &e) == 0 && durable_commit(&f, &e) == 0);
    CU_ASSERT(durable_begin_folder(&f, at("q"), &e) == 0);
    durable_abandon(&f);
    CU_ASSERT(!stands("q") && check_temporaries(at("q")) == 0);
    memset(synced, 0, sizeof synced);
}

static void all_of_it_reaches_the_disk(void)
{
    struct part_key key = {0};
    double value = 1;
    char token[LEASE_TOKEN];
    enter("disk");
    forced("");
    CU_ASSERT(folder_create(at("a/b"), &e) == 0 && forced("dd"));
    CU_ASSERT(text_file_write(at("t"), "text", &e) == 0 && forced("fd"));
    CU_ASSERT(state_write(at("s"), "state", 5, &e) == 0 && forced("fd"));
    CU_ASSERT(line_append(at("h"), "line", &e) == 0 && forced("fd"));
    CU_ASSERT(line_append(at("h"), "line", &e) == 0 && forced("fd")); /* its maker may have ended before */
    struct part_writer *w = part_create(folder, 1, 0, 0);
    CU_ASSERT(part_append(w, &key, 1, &value, 0, NULL, NULL, &e) == 0 && forced("fd"));
    CU_ASSERT(part_append(w, &key, 1, &value, 0, NULL, NULL, &e) == 0 && forced("f"));
    CU_ASSERT(part_close(w, &e) == 0 && forced(""));
    w = part_create(folder, 1, 0, 0); /* another start of the same number appends to no log of the first */
    CU_ASSERT(part_append(w, &key, 1, &value, 0, NULL, NULL, &e) == -1 && says("cannot be created"));
    CU_ASSERT(part_close(w, &e) == 0 && forced(""));
    CU_ASSERT(lease_take(at("r"), token, &e) == 0 && forced("fd"));
    lease_release(at("r"), token, true);
    CU_ASSERT(forced("d"));
}

int main(void)
{
    static const struct check tests[] = {
        {"a planted link is not followed", a_planted_link_is_not_followed},
        {"temporary names differ", names_differ},
        {"what the dead left goes, what the living write stays", what_the_dead_left_goes},
        {"failures leave the old file", failures_leave_the_old_file},
        {"text files and states", text_and_states},
        {"a line without its end is closed", a_line_without_its_end_is_closed},
        {"folders appear whole", folders_appear_whole},
        {"all of it reaches the disk", all_of_it_reaches_the_disk},
    };
    int rc = check_run("durable_file", tests, sizeof tests / sizeof *tests);
    char command[96];
    snprintf(command, sizeof command, "rm -rf /tmp/aipm-durable-%ld", (long)getpid());
    if (system(command)) rc = 1;
    return rc;
}
