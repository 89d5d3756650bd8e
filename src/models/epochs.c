#include "models/epochs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "linalg/adam.h"

/* What a fit under way is, beside its vectors: written to and read from checkpoints as it stands. */
struct progress_state {
    uint64_t size;     /* floats of a vector: a state of another network is refused */
    int32_t epoch, at; /* the next step: the at-th period of the epoch */
    int32_t restarts, bad_epochs, over;
    int64_t step;          /* Adam steps taken */
    double sum, best_loss; /* of the epoch so far; of the best epoch */
};

struct training training_options(const struct values *v)
{
    const char *schedule = values_word(v, "schedule");
    return (struct training){.seeds = (int)values_int(v, "seeds"),
                             .epochs = (int)values_int(v, "epochs"),
                             .rate = values_real(v, "learning_rate"),
                             .mse = !strcmp(values_word(v, "objective"), "mse"),
                             .schedule = !strcmp(schedule, "cosine")   ? RATE_COSINE
                                         : !strcmp(schedule, "linear") ? RATE_LINEAR
                                                                       : RATE_CONSTANT,
                             .decay = values_real(v, "weight_decay"),
                             .clip = values_real(v, "clip"),
                             .hold_out = (int)values_int(v, "early_stopping"),
                             .patience = (int)values_int(v, "patience"),
                             .dropout = values_real(v, "dropout"),
                             .shuffle = values_bool(v, "shuffle"),
                             .warm_start = values_bool(v, "warm_start")};
}

int training_check(const struct training *t, const struct shape *s, struct error *e)
{
    if (t->hold_out >= s->T)
        return error_set(
            e, "found early_stopping: %d with a window of %d periods; needed: fewer, so that some are left to train on",
            t->hold_out, s->T);
    return 0;
}

void training_layout(const struct training *t, struct layout *l)
{
    *l = (struct layout){.variants = 1, .seeds = t->seeds};
    layout_field(l, "returns", 0, 0, 0, false, "decimal", "out-of-sample SDF return, mean over seeds");
    layout_field(l, "returns_by_seed", 0, 0, 0, true, "decimal", "out-of-sample SDF return of each seed");
    layout_field(l, "restarts", 0, 0, 0, true, "count", "times the fit diverged and began again at half the learning rate");
    if (t->epochs) layout_field(l, "training_loss", 1, t->epochs, 0, true, "", "mean loss over the periods of each epoch");
}

void training_cost(const struct training *t, const struct shape *s, double flops, double bytes, struct cost *c)
{
    /* one forward and two more for backward per step, and the weights of now */
    *c = (struct cost){.flops = flops * (3. * t->epochs * (s->T - t->hold_out) + t->epochs * t->hold_out + 1),
                       .bytes = bytes};
    c->seconds = c->flops / 1e11; /* measured: bench_transformer; the schedule corrects it by what it sees */
}

struct trainer *trainer_create(struct network *n, const struct training *how, const struct shape *s, uint64_t seed)
{
    struct trainer *t = memory_array(struct trainer, 1, "trainer");
    *t = (struct trainer){.net = n, .how = *how, .seed = seed};
    n->memory = s->memory;
    n->dropout = how->dropout;
    t->first = memory_array(float, n->size, "Adam's moments");
    t->second = memory_array(float, n->size, "Adam's moments");
    t->total = memory_array(float, n->size, "gradient");
    t->best = memory_array(float, how->hold_out ? n->size : 0, "best parameters");
    t->w = memory_array(float, n->max_assets, "weights");
    t->dw = memory_array(float, n->max_assets, "weights");
    t->weights = memory_array(float, n->max_assets, "weights");
    t->part = memory_array(double, n->shards + 1, "losses of shards");
    t->order = memory_array(int, s->T, "order of periods");
    t->loss = memory_array(double, how->epochs, "losses of epochs");
    return t;
}

static void unbind(struct trainer *t)
{
    if (!t->bound) return;
    team_sum_destroy(t->sum);
    team_share_destroy(t->share);
    memory_free(t->range);
    t->bound = false;
}

void trainer_destroy(struct trainer *t)
{
    if (!t) return;
    unbind(t);
    void *const all[] = {t->first, t->second, t->total, t->best, t->w, t->dw, t->weights, t->part, t->order, t->loss};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
    network_destroy(t->net);
    memory_free(t);
}

static void bind(struct trainer *t, struct team *team)
{
    struct network *n = t->net;
    if (n->team == team && t->bound) return;
    unbind(t);
    network_bind(n, team);
    int ranks = team_size(team);
    t->range = memory_array(int64_t, ranks + 1, "ranges of ranks");
    t->sum = team_sum_create(team, n->shards, n->part_first, n->size / (size_t)ranks + 1);
    t->share = team_share_create(team);
    t->bound = true;
}

/* part[s] of every shard to every rank. Slots are disjoint, so or-ing the bytes is exact. */
static void gather_parts(struct trainer *t, struct team *team)
{
    team_or_bytes(team, (uint8_t *)t->part, sizeof(double) * (size_t)(t->net->shards + 1));
}

/* The loss from this rank's weights, and dLoss/dw. `wish` travels along in the last slot: the leader's word on stopping. */
static double loss_of(struct trainer *t, const struct period *p, struct team *team, int *wish)
{
    struct network *n = t->net;
    int row0 = own_first_row(n, p->n), rows = own_rows(n, p->n);
    memset(t->part, 0, sizeof(double) * (size_t)(n->shards + 1));
    for (int s = n->first; s < n->first + n->own; s++)
        for (int i = shard_row(n, p->n, s); i < shard_row(n, p->n, s + 1); i++) {
            double w = (double)t->w[i - row0], r = p->returns[i];
            t->part[s] += t->how.mse ? (r - w) * (r - w) : w * r;
        }
    if (team_rank(team) == 0) t->part[n->shards] = *wish;
    gather_parts(t, team);
    *wish = (int)t->part[n->shards];
    double f = 0;
    for (int s = 0; s < n->shards; s++) f += t->part[s];
    for (int i = 0; i < rows; i++) {
        double r = p->returns[row0 + i];
        t->dw[i] = (float)(t->how.mse ? -2 * (r - (double)t->w[i]) : -2 * (1 - f) * r);
    }
    return t->how.mse ? f : (1 - f) * (1 - f);
}

/* The gradient over all shards, in shard order, on every rank. */
static void backward(struct trainer *t, const struct period *p)
{
    struct network *n = t->net;
    int ranks = team_size(n->team), me = team_rank(n->team);
    for (int s = 0; s < n->own; s++) memset(n->gradient[s], 0, sizeof(float) * n->size);
    n->class->backward(n, p, t->dw);
    for (int r = 0; r <= ranks; r++) t->range[r] = (int64_t)(n->size * (size_t)r / (size_t)ranks);
    memset(t->total, 0, sizeof(float) * n->size);
    team_sum_begin(t->sum, t->range, n->gradient);
    team_sum_finish(t->sum, t->total + t->range[me]);
    team_share_begin(t->share, t->total, t->range);
    team_share_finish(t->share);
}

double trainer_loss(struct trainer *t, const struct period *p, struct team *team, bool gradient)
{
    int wish = 0;
    bind(t, team);
    t->net->class->forward(t->net, p, gradient, t->w);
    double loss = loss_of(t, p, team, &wish);
    if (gradient) backward(t, p);
    return loss;
}

static double rate_at(const struct training *how, long step, long steps, int restarts)
{
    double x = (double)step / (double)steps, rate = ldexp(how->rate, -restarts);
    return how->schedule == RATE_COSINE   ? rate * (0.5 + 0.5 * cos(M_PI * x))
           : how->schedule == RATE_LINEAR ? rate * (1 - x)
                                          : rate;
}

static void clip(size_t n, float *g, double most)
{
    double square = 0;
    for (size_t i = 0; i < n; i++) square += (double)g[i] * (double)g[i];
    if (!(sqrt(square) > most)) return;
    float s = (float)(most / sqrt(square));
    for (size_t i = 0; i < n; i++) g[i] *= s;
}

/* Periods of an epoch in order, or shuffled by Fisher and Yates. */
static void set_order(struct trainer *t, int periods, int64_t window, int epoch)
{
    struct random_stream s = random_open(t->seed, 2000, (uint64_t)window, (uint64_t)epoch);
    for (int i = 0; i < periods; i++) t->order[i] = i;
    for (int i = periods - 1; i > 0 && t->how.shuffle; i--) {
        int j = (int)(random_uniform(&s, (uint64_t)i) * (i + 1)), was = t->order[i];
        t->order[i] = t->order[j];
        t->order[j] = was;
    }
}

/* ---- checkpoints: state, parameters, moments, best, losses, one after the other ---- */

static size_t state_bytes(const struct trainer *t)
{
    size_t vectors = t->how.hold_out ? 4 : 3;
    return sizeof(struct progress_state) + vectors * t->net->size * sizeof(float) + sizeof(double) * (size_t)t->how.epochs;
}

static void state_copy(struct trainer *t, struct progress_state *s, char *at, bool out)
{
    void *const piece[] = {s, t->net->parameter, t->first, t->second, t->best, t->loss};
    size_t vector = t->net->size * sizeof(float);
    const size_t bytes[] = {
        sizeof *s, vector, vector, vector, t->how.hold_out ? vector : 0, sizeof(double) * (size_t)t->how.epochs};
    for (int i = 0; i < 6; at += bytes[i++]) memcpy(out ? at : piece[i], out ? piece[i] : at, bytes[i]);
}

static void save_state(struct trainer *t, struct progress_state *s)
{
    if (team_rank(t->net->team)) return;
    char *bytes = memory_allocate(state_bytes(t), 1, "checkpoint");
    state_copy(t, s, bytes, true);
    t->watch->save(t->watch->context, bytes, state_bytes(t));
    memory_free(bytes);
}

/* Take up the state that the leader was given. Returns whether there was one. Collective. */
static bool load_state(struct trainer *t, struct progress_state *s)
{
    struct team *team = t->net->team;
    int there = t->watch && team_rank(team) == 0 && t->watch->state && t->watch->state_bytes == state_bytes(t) &&
                ((const struct progress_state *)t->watch->state)->size == t->net->size;
    team_broadcast(team, &there, sizeof there, 0);
    if (!there) return false;
    char *bytes = memory_allocate(state_bytes(t), 1, "checkpoint");
    if (team_rank(team) == 0) memcpy(bytes, t->watch->state, state_bytes(t));
    team_broadcast(team, bytes, state_bytes(t), 0);
    state_copy(t, s, bytes, false);
    memory_free(bytes);
    return true;
}

/* ---- the fit ---- */

/* From the window's own initial values, or the parameters in hand for a warm start that has not failed. */
static void begin(struct trainer *t, const struct window *w, struct progress_state *s)
{
    struct network *n = t->net;
    *s = (struct progress_state){.size = n->size, .restarts = s->restarts, .best_loss = INFINITY};
    if (!(t->how.warm_start && t->warm && !s->restarts)) network_initialise(n, t->seed, w->period[w->T].date);
    memset(t->first, 0, sizeof(float) * n->size);
    memset(t->second, 0, sizeof(float) * n->size);
    for (int i = 0; i < t->how.epochs; i++) t->loss[i] = NAN;
}

/* One period's step. Returns -1 if the loss is not finite, 1 if the leader wishes to stop after it. */
static int step(struct trainer *t, const struct window *w, const struct period *p, struct progress_state *s, long steps)
{
    struct network *n = t->net;
    int wish = t->watch && t->watch->wish && team_rank(n->team) == 0 ? (int)t->watch->wish(t->watch->context) : FIT_GO;
    n->dropout_key[0] = t->seed, n->dropout_key[1] = (uint64_t)w->period[w->T].date, n->dropout_key[2] = (uint64_t)s->step;
    n->class->forward(n, p, true, t->w);
    double loss = loss_of(t, p, n->team, &wish);
    if (!isfinite(loss)) return -1;
    backward(t, p);
    if (t->how.clip > 0) clip(n->size, t->total, t->how.clip);
    double rate = rate_at(&t->how, s->step, steps, s->restarts);
    adam_step(n->size, n->parameter, t->total, t->first, t->second, ++s->step, rate, t->how.decay);
    s->sum += loss;
    s->at++;
    if (wish == FIT_GO) return 0;
    save_state(t, s);
    return wish == FIT_STOP;
}

/* Early stopping: the loss on the periods held out; keeps the best parameters. */
static void judge(struct trainer *t, const struct window *w, struct progress_state *s)
{
    double sum = 0;
    int counted = 0, wish = 0;
    for (int i = w->T - t->how.hold_out; i < w->T; i++) {
        if (!w->period[i].n) continue;
        t->net->class->forward(t->net, &w->period[i], false, t->w);
        sum += loss_of(t, &w->period[i], t->net->team, &wish);
        counted++;
    }
    if (counted && sum / counted < s->best_loss) {
        s->best_loss = sum / counted;
        s->bad_epochs = 0;
        memcpy(t->best, t->net->parameter, sizeof(float) * t->net->size);
    } else if (++s->bad_epochs >= t->how.patience) s->over = 1;
}

/* All epochs from state s on. 0 trained, -1 diverged, 1 stopped. */
static int train(struct trainer *t, const struct window *w, struct progress_state *s)
{
    int periods = w->T - t->how.hold_out;
    long steps = (long)t->how.epochs * periods;
    for (; s->epoch < t->how.epochs && !s->over; s->epoch++, s->at = 0, s->sum = 0) {
        set_order(t, periods, w->period[w->T].date, s->epoch);
        while (s->at < periods) {
            const struct period *p = &w->period[t->order[s->at]];
            if (!p->n) {
                s->at++;
                continue;
            }
            int rc = step(t, w, p, s, steps);
            if (rc) return rc;
        }
        int trained = 0;
        for (int i = 0; i < periods; i++) trained += w->period[i].n > 0;
        t->loss[s->epoch] = trained ? s->sum / trained : NAN;
        if (t->how.hold_out) judge(t, w, s);
    }
    if (t->how.hold_out && isfinite(s->best_loss)) memcpy(t->net->parameter, t->best, sizeof(float) * t->net->size);
    return 0;
}

/* The weights of now, every rank's rows to every rank. Returns whether all are finite. */
static bool weigh(struct trainer *t, const struct period *now)
{
    struct network *n = t->net;
    int row0 = own_first_row(n, now->n);
    n->class->forward(n, now, false, t->w);
    memcpy(t->weights + row0, t->w, sizeof(float) * (size_t)own_rows(n, now->n));
    team_share_begin(t->share, t->weights, network_ranges(n, now->n, 1));
    team_share_finish(t->share);
    bool finite = true;
    for (int i = 0; i < now->n; i++) finite = finite && isfinite(t->weights[i]);
    return finite;
}

int trainer_fit(struct trainer *t, const struct window *w, struct team *team, struct fit_note *note)
{
    struct progress_state s = {0};
    int rc;
    bind(t, team);
    note->code = 0;
    if (t->watch && t->watch->apply) {
        rc = weigh(t, &w->period[w->T]) ? 0 : -1;
    } else {
        if (!load_state(t, &s)) begin(t, w, &s);
        while ((rc = train(t, w, &s)) == 0 ? (rc = weigh(t, &w->period[w->T]) ? 0 : -1) < 0 && s.restarts < 1
                                           : rc < 0 && s.restarts < 1) {
            s.restarts++;
            begin(t, w, &s);
        }
    }
    t->restarts = s.restarts;
    t->warm = rc == 0;
    if (rc < 0) snprintf(note->text, sizeof note->text, "diverged at learning rate %g, and at half of it", t->how.rate);
    return note->code = rc < 0 ? CODE_DIVERGED : rc > 0 ? CODE_STOPPED : 0;
}

void trainer_record(const struct trainer *t, double earned, double *record)
{
    *record++ = earned;
    *record++ = earned;
    *record++ = t->restarts;
    memcpy(record, t->loss, sizeof(double) * (size_t)t->how.epochs);
}
