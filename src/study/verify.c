/* Which fits a run computes a second time, on another rank, and what a difference between the two says. */
#include "verify.h"

#include <math.h>

#include "base/random.h"

enum { STREAM = 0x76657269 }; /* names the draws of this file */

/* The first unit of a stratum, of those with equal floor(unit * share). */
static double first_of(double stratum, double share)
{
    double u = ceil(stratum / share);
    while (floor((u - 1) * share) >= stratum) u--; /* the quotient is rounded */
    while (floor(u * share) < stratum) u++;
    return u;
}

bool verify_chosen(uint64_t study_seed, double share, int config, int unit)
{
    struct random_stream s = random_open(study_seed, STREAM, (uint64_t)config, 0);
    double stratum = floor(unit * share), first = first_of(stratum, share), next = first_of(stratum + 1, share);
    return unit == first + floor(random_uniform(&s, (uint64_t)stratum) * (next - first));
}

struct verify_stretch verify_stretch(double share, double work, double first, double row, int most, int64_t total)
{
    enum { SEVERAL = 4, LONG = 20 }; /* stretches wanted; starts of which a stretch is worth at most */
    if (share >= 1) return (struct verify_stretch){most, 1};
    double room = share * work, rows = (room / SEVERAL - first) / row;
    if (rows < 1) rows = (room - first) / row;
    rows = floor(fmin(fmin(rows, 1 + LONG * first / row), most));
    if (!(rows >= 1)) return (struct verify_stretch){0};
    double drawn = room / (first + rows * row) * rows / (double)total;
    return (struct verify_stretch){(int)rows, fmin(drawn, 1)};
}

/* FNV-1a over bytes. */
uint64_t verify_digest(uint64_t before, const void *data, size_t bytes)
{
    const unsigned char *p = data;
    uint64_t h = before ? before : 0xcbf29ce484222325u;
    for (size_t i = 0; i < bytes; i++) h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

/* The first worker that is not below this rank; one beyond the last is the first. */
static int place_of(int rank, const int *worker, int workers)
{
    int i = 0;
    while (i < workers && worker[i] < rank) i++;
    return i % workers;
}

/* How often a worker has computed the fit, as one of the owner's team too. */
static int votes_of(const struct ballot *b, int rank, const int *worker, int workers, int *latest)
{
    int n = 0, from = place_of(b->rank[0], worker, workers);
    *latest = -1;
    for (int i = 0; i < b->width && i < workers && worker[from] == b->rank[0]; i++)
        if (worker[(from + i) % workers] == rank) n++, *latest = 0;
    for (int k = 1; k < b->votes; k++)
        if (b->rank[k] == rank) n++, *latest = k;
    return n;
}

int verify_next(const struct ballot *b, const int *worker, int workers)
{
    int best = -1, fewest = 0, last = 0, from = place_of(b->rank[0], worker, workers);
    for (int i = 1; i <= workers; i++) {
        int rank = worker[(from + i) % workers], latest, n = votes_of(b, rank, worker, workers, &latest);
        if (best < 0 || n < fewest || (n == fewest && latest > last)) best = rank, fewest = n, last = latest;
    }
    return best;
}

int verify_believed(const struct ballot *b, int workers)
{
    for (int k = 1; k < b->votes; k++)
        for (int i = 0; i < k; i++)
            if (b->digest[i] == b->digest[k] && (b->rank[i] != b->rank[k] || workers == 1)) return i;
    return -1;
}

int verify_decide(struct ballot *b, const int *worker, int workers, int (*ask)(void *context, int rank, uint64_t *digest),
                  void *context, int *believed)
{
    while ((*believed = verify_believed(b, workers)) < 0) {
        if (b->votes == VERIFY_VOTES) return -1;
        int rank = verify_next(b, worker, workers), rc = ask(context, rank, &b->digest[b->votes]);
        if (rc) return rc;
        b->rank[b->votes++] = rank;
    }
    return 0;
}
