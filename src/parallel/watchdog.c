/* The thread that sends and listens for beats, its sockets, and what it does when a neighbour falls silent. */
#include "parallel/watchdog.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

enum { ADDRESSES = 4 };
enum { ALIVE, DYING };
enum { FILE_SYSTEM = 15 }; /* seconds: a file system answers less often than ranks do */

/* Where a rank listens. A host may have several networks: packets go to all of its addresses until one is found to work. */
struct place {
    uint64_t host;
    char name[48];
    uint32_t address[ADDRESSES]; /* network order; 0: none */
    uint16_t port;               /* network order; 0: no socket */
    int32_t addresses;
};

struct packet {
    uint64_t token; /* of this run: others on the port are ignored */
    int32_t from, kind;
};

static struct {
    struct watchdog_options options;
    pthread_t thread;
    bool running, leads;
    int rank, size, socket;
    int wake; /* an event that ends the thread's wait: it is to end */
    int left, right;
    uint64_t token;
    double tick;
    struct place to; /* the right neighbour */
    char host[48], left_host[48];
    bool right_on_host;
    volatile bool ending;
} dog = {.socket = -1, .wake = -1};

static uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
    for (const unsigned char *p = data; n--; p++) h = (h ^ *p) * 0x100000001b3u; /* FNV-1a */
    return h;
}

/* Name, boot and network namespace of a host. Where they are equal, ranks reach each other by loopback. */
static uint64_t host_identity(char *name, size_t size)
{
    char boot[64] = "";
    struct stat net = {0};
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (f) {
        if (!fgets(boot, sizeof boot, f)) boot[0] = '\0';
        fclose(f);
    }
    if (gethostname(name, size)) snprintf(name, size, "unknown");
    name[size - 1] = '\0';
    uint64_t h = hash_bytes(0xcbf29ce484222325u, name, strlen(name));
    h = hash_bytes(h, boot, strlen(boot));
    if (!stat("/proc/self/ns/net", &net)) h = hash_bytes(h, &net.st_ino, sizeof net.st_ino);
    return h;
}

static void own_place(struct place *p)
{
    *p = (struct place){0};
    p->host = host_identity(p->name, sizeof p->name);
}

static void own_addresses(struct place *p)
{
    struct ifaddrs *all;
    if (getifaddrs(&all)) return;
    for (struct ifaddrs *a = all; a && p->addresses < ADDRESSES; a = a->ifa_next) {
        if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || (a->ifa_flags & IFF_LOOPBACK) || !(a->ifa_flags & IFF_UP))
            continue;
        p->address[p->addresses++] = ((struct sockaddr_in *)(void *)a->ifa_addr)->sin_addr.s_addr;
    }
    freeifaddrs(all);
}

static int open_socket(struct place *p)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t n = sizeof a;
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof a) || getsockname(s, (struct sockaddr *)&a, &n)) {
        if (s >= 0) close(s);
        return -1;
    }
    p->port = a.sin_port;
    own_addresses(p);
    return s;
}

static void send_packet(int kind)
{
    struct packet p = {.token = dog.token, .from = dog.rank, .kind = kind};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = dog.to.port};
    if (!dog.to.port) return;
    int n = dog.right_on_host ? 1 : dog.to.addresses;
    for (int i = 0; i < n; i++) {
        a.sin_addr.s_addr = dog.right_on_host ? htonl(INADDR_LOOPBACK) : dog.to.address[i];
        if (sendto(dog.socket, &p, sizeof p, 0, (struct sockaddr *)&a, sizeof a) < 0)
            continue; /* a packet that is lost counts as silence, which is what the patience is for */
    }
}

/* Whether a packet of the left neighbour has come. *dying is set if it said goodbye. */
static bool heard(bool *dying)
{
    struct packet p;
    bool any = false;
    while (recv(dog.socket, &p, sizeof p, 0) == (ssize_t)sizeof p) {
        if (p.token != dog.token || p.from != dog.left) continue;
        any = true;
        *dying |= p.kind == DYING;
    }
    return any;
}

/* Ends this process; the launcher ends the job. 75: what was finished is saved, run again with --resume. */
static _Noreturn void end(void)
{
    for (int i = 0; i < 3; i++) send_packet(DYING);
    _exit(EXIT_STOPPED);
}

static void say_silent(double seconds)
{
    fprintf(stderr,
            "aipm: watchdog: rank %d on %s has been silent for %.0f s (rank %d on %s listens): the job ends; finished rows "
            "stay in %s.parts: run again with --resume\n",
            dog.left, dog.left_host, seconds, dog.rank, dog.host, dog.options.what);
}

static void *monitor(void *unused)
{
    double last = clock_seconds(), silent = 0, still = 0, limit = dog.options.seconds, sent = 0;
    long beats = dog.options.beats ? dog.options.beats() : 0;
    bool known = false, warned = false;
    while (!dog.ending) {
        struct pollfd p[] = {{.fd = dog.socket, .events = POLLIN},
                             {.fd = dog.wake, .events = POLLIN}}; /* -1 is passed over */
        poll(p, 2, (int)(1000 * dog.tick / 2));
        if (dog.ending) break;
        double now = clock_seconds(), passed = now - last;
        last = now;
        if (passed > 2 * dog.tick)
            passed = 2 * dog.tick; /* this process did not run either, so the silence is not held against the others */
        silent += passed;
        still += passed;
        bool dying = false;
        if (dog.socket >= 0 && heard(&dying)) known = true, silent = 0;
        if (dying) end();
        if (dog.socket >= 0 && now - sent >= dog.tick) send_packet(ALIVE), sent = now;
        if (dog.size > 1 && dog.socket >= 0 && silent > limit) {
            if (known) {
                say_silent(silent);
                end();
            }
            if (!warned && dog.rank < 4)
                fprintf(
                    stderr,
                    "warning: watchdog: rank %d on %s has not heard rank %d on %s: no UDP between them? It is not watched\n",
                    dog.rank, dog.host, dog.left, dog.left_host);
            warned = true;
        }
        if (!dog.leads || !dog.options.beats) continue;
        long b = dog.options.beats();
        if (b != beats) beats = b, still = 0;
        if (still <= (limit > FILE_SYSTEM ? limit : FILE_SYSTEM)) continue;
        fprintf(stderr,
                "aipm: watchdog: the file system of %s has not answered rank %d on %s for %.0f s: the job ends; run again "
                "with --resume\n",
                dog.options.what, dog.rank, dog.host, still);
        end();
    }
    return unused;
}

static bool leads(const struct place *all, int rank)
{
    for (int r = 0; r < rank; r++)
        if (all[r].host == all[rank].host) return false;
    return true;
}

bool watchdog_leads_host(struct team *world)
{
    struct place mine, *all = memory_array(struct place, team_size(world), "hosts");
    own_place(&mine);
    team_all_gather(world, &mine, sizeof mine, all);
    bool yes = leads(all, team_rank(world));
    memory_free(all);
    return yes;
}

void watchdog_open(struct team *world, const struct watchdog_options *o)
{
    if (!(o->seconds > 0)) return;
    struct place mine, *all = memory_array(struct place, team_size(world), "hosts");
    dog.options = *o;
    dog.rank = team_rank(world);
    dog.size = team_size(world);
    dog.left = (dog.rank + dog.size - 1) % dog.size;
    dog.right = (dog.rank + 1) % dog.size;
    dog.tick = o->seconds < 8 ? o->seconds / 8 : 1;
    dog.ending = false;
    own_place(&mine);
    dog.socket = dog.size > 1 ? open_socket(&mine) : -1;
    team_all_gather(world, &mine, sizeof mine, all);
    dog.leads = leads(all, dog.rank);
    dog.to = all[dog.right];
    memcpy(dog.host, mine.name, sizeof dog.host);
    memcpy(dog.left_host, all[dog.left].name, sizeof dog.left_host);
    dog.right_on_host = all[dog.right].host == mine.host;
    memory_free(all);
    double now = clock_seconds();
    dog.token = hash_bytes(hash_bytes(mine.host, &now, sizeof now), &(pid_t){getpid()}, sizeof(pid_t));
    team_broadcast(world, &dog.token, sizeof dog.token, 0);
    if (dog.socket >= 0) send_packet(ALIVE); /* so that a neighbour that ends early has been heard at least once */
    team_barrier(world);
    dog.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sigset_t every, before; /* signals belong to the main thread */
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    dog.running = !pthread_create(&dog.thread, NULL, monitor, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!dog.running) log_warn("the watchdog could not be started: no thread");
}

void watchdog_close(struct team *world)
{
    if (!(dog.options.seconds > 0)) return;
    team_barrier(world); /* no rank stops sending while another still listens */
    dog.ending = true;
    if (dog.wake >= 0) eventfd_write(dog.wake, 1);
    if (dog.running) pthread_join(dog.thread, NULL);
    if (dog.wake >= 0) close(dog.wake);
    if (dog.socket >= 0) close(dog.socket);
    dog.wake = dog.socket = -1;
    dog.running = false;
    dog.options.seconds = 0;
}
