/* damage FILE COPY TRIALS SECONDS COMMAND...: for TRIALS places evenly spread over FILE, write COPY with that byte changed (one bit,
 * all bits, zero, 255, in turn) and run COMMAND, which must end by itself within SECONDS with status 0 or 1. Prints each that does
 * not and a count of how they ended; exit status 0 if all did. `first=N` before COMMAND shifts the places. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned char changed(unsigned char old, long trial)
{
    switch (trial % 4) {
    case 0: return (unsigned char)(old ^ (1u << (trial / 4 % 8)));
    case 1: return (unsigned char)~old;
    case 2: return old ? 0 : 1;
    default: return old == 255 ? 254 : 255;
    }
}

static void write_copy(const char *path, const unsigned char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f)) perror(path), exit(2);
}

/* The command's wait status; *late if it had to be killed. */
static int run(char **command, double seconds, int *late)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        setpgid(0, 0);
        dup2(null, 0), dup2(null, 1), dup2(null, 2);
        execvp(command[0], command);
        _exit(127);
    }
    int status;
    for (double waited = 0; waitpid(child, &status, WNOHANG) == 0; waited += 0.002) {
        if (waited > seconds && !*late) kill(-child, SIGKILL), *late = 1;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 6) return fprintf(stderr, "damage FILE COPY TRIALS SECONDS COMMAND...\n"), 2;
    FILE *f = fopen(argv[1], "rb");
    if (!f) return perror(argv[1]), 2;
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f), first = 0;
    unsigned char *bytes = malloc(n + 1);
    rewind(f);
    if (fread(bytes, 1, n, f) != n) return perror(argv[1]), 2;
    fclose(f);
    char **command = argv + 5;
    if (!strncmp(*command, "first=", 6)) first = (size_t)atol(*command++ + 6);
    long trials = atol(argv[3]), ended[2] = {0, 0}, bad = 0;
    for (long t = 0; t < trials; t++) {
        size_t at = (first + (size_t)t * n / (size_t)trials) % n;
        unsigned char old = bytes[at];
        int late = 0, status;
        bytes[at] = changed(old, t);
        write_copy(argv[2], bytes, n);
        status = run(command, atof(argv[4]), &late);
        if (!late && WIFEXITED(status) && WEXITSTATUS(status) <= 1) ended[WEXITSTATUS(status)]++;
        else
            bad++, printf("byte %zu, %d for %d: %s %d\n", at, bytes[at], old,
                          late                ? "not ended"
                          : WIFEXITED(status) ? "exit"
                                              : "signal",
                          WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
        bytes[at] = old;
    }
    printf("%ld trials: %ld read, %ld refused, %ld neither\n", trials, ended[0], ended[1], bad);
    free(bytes);
    return bad != 0;
}
