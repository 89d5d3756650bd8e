/* LD_PRELOAD: the FAIL_AT-th call of a class fails, once, over all processes that share the counter in the file FAIL_COUNT (24 bytes,
 * made before) and are aipm. FAIL_AT=0 only counts, all classes at once, and writes a line `CLASS K PLACE` for every call into the file
 * FAIL_PLACES: its class, its number, and what tells the calls apart that lead to it. Classes (FAIL_CLASS):
 *   read     opening to read, reading           of files whose path matches FAIL_PATH (a shell pattern); EIO
 *   write    creating, writing, truncating, forcing to disk, renaming, linking, making folders there; ENOSPC
 *   memory   allocations that the program itself asks for, not its libraries */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum class { READ, WRITE, MEMORY, NONE, ALL };
static const char *const name_of[] = {"read", "write", "memory"};
static enum class class = NONE;
static atomic_llong *count; /* [3] of each class */
static int places = -1;     /* where calls are written down */
static long long fail_at;
static const char *pattern;
static char *text_begin, *text_end; /* the program's own code */

static int find_text(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    for (int i = 0; i < info->dlpi_phnum; i++) /* the first object is the program */
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
            text_begin = (char *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            text_end = text_begin + info->dlpi_phdr[i].p_memsz;
        }
    return 1;
}

/* The k-th call of a class and a digest of the addresses it returns to. */
static void write_down(enum class c, long long k)
{
    void *frame[64];
    char line[64];
    int n = backtrace(frame, 64);
    unsigned long long h = 0xcbf29ce484222325u;
    for (int i = 0; i < n; i++) h = (h ^ (uintptr_t)frame[i]) * 0x100000001b3u;
    if (c < NONE) syscall(SYS_write, places, line, snprintf(line, sizeof line, "%s %lld %llx\n", name_of[c], k, h));
}

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)(uintptr_t)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void)
{
    const char *what = getenv("FAIL_CLASS"), *where = getenv("FAIL_COUNT"), *at = getenv("FAIL_AT");
    if (!what || !where || strcmp(program_invocation_short_name, "aipm")) return; /* not in what it starts */
    REAL(open);
    int fd = real(where, O_RDWR);
    void *page = fd < 0 ? MAP_FAILED : mmap(NULL, 3 * sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) abort();
    close(fd);
    count = page;
    fail_at = at ? atoll(at) : 0;
    pattern = getenv("FAIL_PATH");
    dl_iterate_phdr(find_text, NULL);
    class = !fail_at ? ALL : *what == 'r' ? READ : *what == 'w' ? WRITE : MEMORY;
    if (!fail_at && (where = getenv("FAIL_PLACES"))) places = real(where, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (places >= 0) write_down(NONE, 0); /* what the library needs for it is loaded now */
}

static bool turn(enum class c)
{
    long long k = atomic_fetch_add(&count[c], 1) + 1;
    if (places >= 0) write_down(c, k);
    return k == fail_at;
}

/* Whether this call on a path (or a descriptor) is the one. */
static bool fails(enum class c, const char *path, int fd)
{
    char link[64], of_fd[4096];
    if ((class != c && class != ALL) || !pattern) return false;
    if (!path) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t k = readlink(link, of_fd, sizeof of_fd - 1);
        of_fd[k > 0 ? k : 0] = '\0';
        path = of_fd;
    }
    char whole[8192], here[4096];
    if (*path != '/' && getcwd(here, sizeof here)) snprintf(whole, sizeof whole, "%s/%s", here, path), path = whole;
    if (fnmatch(pattern, path, 0) || !turn(c)) return false;
    if (getenv("FAIL_TELL")) dprintf(2, "[%s %s fails]\n", name_of[c], path);
    errno = c == READ ? EIO : ENOSPC;
    return true;
}

/* ---- memory ---- */

static bool mine(void *caller)
{
    return (class == MEMORY || class == ALL) && (char *)caller >= text_begin && (char *)caller < text_end && turn(MEMORY);
}

int posix_memalign(void **block, size_t line, size_t n)
{
    REAL(posix_memalign);
    return mine(__builtin_return_address(0)) ? ENOMEM : real(block, line, n);
}

/* ---- files ---- */

static int open_one(const char *path, int flags, mode_t mode, int (*real)(const char *, int, ...))
{
    struct stat s;
    if (fails(flags & (O_CREAT | O_TRUNC) ? WRITE : READ, path, -1) && (flags & O_CREAT || !stat(path, &s))) return -1;
    return real(path, flags, mode);
}
int open(const char *path, int flags, ...)
{
    REAL(open);
    va_list a;
    va_start(a, flags);
    mode_t mode = flags & O_CREAT ? va_arg(a, mode_t) : 0;
    va_end(a);
    return open_one(path, flags, mode, real);
}
int open64(const char *path, int flags, ...)
{
    REAL(open64);
    va_list a;
    va_start(a, flags);
    mode_t mode = flags & O_CREAT ? va_arg(a, mode_t) : 0;
    va_end(a);
    return open_one(path, flags, mode, real);
}
ssize_t read(int fd, void *data, size_t n)
{
    REAL(read);
    return fails(READ, NULL, fd) ? -1 : real(fd, data, n);
}
ssize_t pread(int fd, void *data, size_t n, off_t at)
{
    REAL(pread);
    return fails(READ, NULL, fd) ? -1 : real(fd, data, n, at);
}
ssize_t pread64(int fd, void *data, size_t n, off64_t at)
{
    REAL(pread64);
    return fails(READ, NULL, fd) ? -1 : real(fd, data, n, at);
}
ssize_t write(int fd, const void *data, size_t n)
{
    REAL(write);
    return fails(WRITE, NULL, fd) ? -1 : real(fd, data, n);
}
ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
    REAL(pwrite);
    return fails(WRITE, NULL, fd) ? -1 : real(fd, data, n, at);
}
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
    REAL(pwrite64);
    return fails(WRITE, NULL, fd) ? -1 : real(fd, data, n, at);
}
int ftruncate(int fd, off_t n)
{
    REAL(ftruncate);
    return fails(WRITE, NULL, fd) ? -1 : real(fd, n);
}
int fsync(int fd)
{
    REAL(fsync);
    return fails(WRITE, NULL, fd) ? -1 : real(fd);
}
int rename(const char *from, const char *to)
{
    REAL(rename);
    return fails(WRITE, to, -1) ? -1 : real(from, to);
}
int link(const char *from, const char *to)
{
    REAL(link);
    return fails(WRITE, to, -1) ? -1 : real(from, to);
}
int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir);
    struct stat s;
    return stat(path, &s) && fails(WRITE, path, -1) ? -1 : real(path, mode);
}

/* ---- streams: their buffers are filled and emptied inside the C library ---- */

static size_t broken(FILE *f)
{
    f->_flags |= 0x20; /* as ferror() sees it */
    return 0;
}
static bool empty(const FILE *f)
{
    return f->_IO_read_ptr >= f->_IO_read_end;
}
FILE *fopen(const char *path, const char *how)
{
    REAL(fopen);
    struct stat s;
    return (*how == 'r' ? !stat(path, &s) && fails(READ, path, -1) : fails(WRITE, path, -1)) ? NULL : real(path, how);
}
size_t fread(void *data, size_t size, size_t n, FILE *f)
{
    REAL(fread);
    return empty(f) && fails(READ, NULL, fileno(f)) ? broken(f) : real(data, size, n, f);
}
char *fgets(char *line, int n, FILE *f)
{
    REAL(fgets);
    return empty(f) && fails(READ, NULL, fileno(f)) ? broken(f), NULL : real(line, n, f);
}
int fflush(FILE *f)
{
    REAL(fflush);
    if (!f || !fails(WRITE, NULL, fileno(f))) return real(f);
    broken(f);
    errno = ENOSPC;
    return EOF;
}
