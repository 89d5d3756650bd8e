/* The training loop of all networks: rollouts, learning rates, early stopping, Adam, and the parameters that the best epoch
 * had. */
#include "nn/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "linalg/adam.h"

/* The state of a fit under way, apart from its vectors. Checkpoints hold it byte for byte. */
struct progress_state {
    uint64_t size;     /* floats of a vector: a state of another network is refused */
    int32_t epoch, at; /* the next step: the at-th rollout of the epoch */
    int32_t restarts, bad_epochs, over;
    int32_t cuts, flat;    /* RATE_PLATEAU: times the rate fell; epochs since the lowest loss */
    double lowest;         /* the loss of an epoch that the plateau is judged by */
    int64_t step;          /* Adam steps taken */
    double sum, best_loss; /* of the epoch so far; of the best epoch */
};

struct trainer *trainer_create(struct network *n, const struct training *how, int T, size_t memory, uint64_t seed)
{
    struct trainer *t = memory_array(struct trainer, 1, "trainer");
    *t = (struct trainer){.net = network_make(n), .how = *how, .seed = seed};
    if (!t->how.rollout) t->how.rollout = 1;
    n->memory = memory;
    n->dropout.share = how->dropout;
    t->first = memory_array(float, n->size, "Adam's moments");
    t->second = memory_array(float, n->size, "Adam's moments");
    t->total = memory_array(float, n->size, "gradient");
    t->best = memory_array(float, how->hold_out ? n->size : 0, "best parameters");
    size_t outputs = (size_t)n->max_assets * (size_t)n->outputs + 1,
           most = 2 * (size_t)(how->batch ? how->batch : t->how.rollout) + (size_t)T;
    t->y = memory_array(float, outputs, "outputs");
    t->dy = memory_array(float, outputs, "outputs");
    t->work = memory_array(double, objective_workspace(n->max_assets), "objective");
    t->f = memory_array(double, most, "returns of a rollout");
    t->losses = memory_array(double, most, "losses of a rollout");
    t->slope = memory_array(double, most, "derivatives of a rollout");
    t->weights = memory_array(float, n->max_assets, "weights");
    t->order = memory_array(int, T, "order of periods");
    t->chosen = memory_array(const struct period *, most, "periods of a step");
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
    void *const all[] = {t->first, t->second, t->total,  t->best,  t->y,     t->dy,     t->weights,
                         t->work,  t->f,      t->losses, t->slope, t->order, t->chosen, t->loss};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
    network_destroy(t->net);
    memory_free(t);
}

static void bind(struct trainer *t, struct team *team)
{
    struct network *n = t->net;
    if (n->shards.team == team && t->bound) return;
    unbind(t);
    network_bind(n, team);
    int ranks = team_size(team);
    t->range = memory_array(int64_t, ranks + 1, "ranges of ranks");
    t->sum = team_sum_create(team, n->shards.count, n->shards.part_first, n->size / (size_t)ranks + 1);
    t->share = team_share_create(team);
    t->bound = true;
}

/* The outputs of a period for all assets, on every rank, in t->y from element 1 on. Element 0 carries the answer that the leader got
 * when it asked whether to go on. */
static void outputs_of(struct trainer *t, const struct period *p, bool training, int *poll)
{
    struct network *n = t->net;
    int ranks = team_size(n->shards.team);
    for (int r = 0; r <= ranks; r++)
        t->range[r] = (r > 0) + (int64_t)shard_first(&n->shards, p->n, n->shards.part_first[r]) * n->outputs;
    t->y[0] = (float)*poll;
    network_forward(n, p, training, t->y + 1 + (size_t)own_first(n, p->n) * (size_t)n->outputs);
    team_share_begin(t->share, t->y, t->range);
    team_share_finish(t->share);
    *poll = (int)t->y[0];
}

/* Add what this rank's shards contribute to the gradient of a period. The period must be the last that went forward. */
static void backward(struct trainer *t, const struct period *p, double slope)
{
    struct network *n = t->net;
    objective_derivative(&t->how.objective, p->n, t->y + 1, p->returns, slope, t->dy, t->work);
    network_backward(n, p, t->dy + (size_t)own_first(n, p->n) * (size_t)n->outputs);
}

static void gradient_zero(struct trainer *t)
{
    for (int s = 0; s < t->net->shards.own; s++) memset(t->net->gradient[s], 0, sizeof(float) * t->net->size);
}

/* The gradient over all shards, in shard order, on every rank. */
static void gradient_sum(struct trainer *t)
{
    struct network *n = t->net;
    int ranks = team_size(n->shards.team), me = team_rank(n->shards.team);
    for (int r = 0; r <= ranks; r++) t->range[r] = (int64_t)(n->size * (size_t)r / (size_t)ranks);
    memset(t->total, 0, sizeof(float) * n->size);
    team_sum_begin(t->sum, t->range, n->gradient);
    team_sum_finish(t->sum, t->total + t->range[me]);
    team_share_begin(t->share, t->total, t->range);
    team_share_finish(t->share);
}

/* Loss of the rollout period[0 .. H-1], in any order (those without assets left out; NaN if none is left) and, if asked, its gradient in t->total. The
 * losses of most objectives are sums over periods, so each period goes backward at once; a Sharpe ratio's derivative needs all of
 * the rollout's returns, so its periods go forward twice. key: of the dropout, per period. */
static double rollout_loss(struct trainer *t, const struct period *const *period, int H, bool gradient, uint64_t key,
                           int *poll)
{
    const struct objective *o = &t->how.objective;
    int used = 0, rest = 0, no_poll = 0, there = 0;
    for (int h = 0; h < H; h++) there += period[h]->n > 0;
    if (gradient) gradient_zero(t);
    for (int h = 0; h < H; h++) {
        const struct period *p = period[h];
        if (!p->n) continue;
        t->net->dropout.key[2] = key + (uint64_t)h;
        outputs_of(t, p, gradient, poll);
        t->f[used] = objective_period(o, p->n, t->y + 1, p->returns, &t->losses[used], t->work);
        if (gradient && o->loss != LOSS_SHARPE) {
            objective_rollout(o, 1, &t->f[used], &t->losses[used], t->slope);
            backward(t, p, t->slope[0] / there);
        }
        used++;
    }
    if (!used) return NAN;
    double loss = objective_rollout(o, used, t->f, t->losses, t->slope);
    for (int h = 0; gradient && o->loss == LOSS_SHARPE && isfinite(loss) && h < H; h++) {
        if (!period[h]->n) continue;
        t->net->dropout.key[2] = key + (uint64_t)h;
        outputs_of(t, period[h], true, &no_poll);
        backward(t, period[h], t->slope[rest++]);
    }
    if (gradient) gradient_sum(t);
    return loss;
}

/* The H periods from p on are those of the step. */
static void consecutive(struct trainer *t, const struct period *p, int H)
{
    for (int h = 0; h < H; h++) t->chosen[h] = p + h;
}

double trainer_loss(struct trainer *t, const struct period *p, int H, struct team *team, bool gradient)
{
    int poll = 0;
    bind(t, team);
    consecutive(t, p, H);
    return rollout_loss(t, t->chosen, H, gradient, 0, &poll);
}

static double rate_at(const struct training *how, const struct progress_state *s, long steps)
{
    double x = (double)s->step / (double)steps, rate = ldexp(how->rate, -s->restarts) * pow(how->factor, s->cuts);
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

/* The epoch's rollouts in order, or its rollouts or single periods shuffled by Fisher and Yates. */
static void set_order(struct trainer *t, int count, int64_t window, int epoch)
{
    struct random_stream s = random_open(t->seed, 2000, (uint64_t)window, (uint64_t)epoch);
    for (int i = 0; i < count; i++) t->order[i] = i;
    for (int i = count - 1; i > 0 && (t->how.shuffle || t->how.batch); i--) {
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
    if (team_rank(t->net->shards.team)) return;
    char *bytes = memory_allocate(state_bytes(t), 1, "checkpoint");
    state_copy(t, s, bytes, true);
    t->monitor->save(t->monitor->context, bytes, state_bytes(t));
    memory_free(bytes);
}

/* Whether a checkpoint can be one of this trainer. A checkpoint of another study may happen to have the same length. */
static bool state_is_ours(const struct trainer *t, const struct fit_monitor *m)
{
    const struct progress_state *s = m->state;
    if (!s || m->state_bytes != state_bytes(t) || s->size != t->net->size) return false;
    int epochs = t->how.epochs;
    const int32_t counts[][2] = {{s->epoch, epochs}, {s->at, INT32_MAX - 1}, {s->restarts, 1}, {s->bad_epochs, epochs},
                                 {s->over, 1},       {s->cuts, epochs},      {s->flat, epochs}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i][0] < 0 || counts[i][0] > counts[i][1]) return false;
    return s->step >= 0 && s->step <= (int64_t)epochs * INT32_MAX;
}

/* Continue from the state that the leader was given, if it was given one. Returns whether it was. Collective. */
static bool load_state(struct trainer *t, struct progress_state *s)
{
    struct team *team = t->net->shards.team;
    const struct fit_monitor *m = t->monitor;
    int there = m && team_rank(team) == 0 && state_is_ours(t, m);
    team_broadcast(team, &there, sizeof there, 0);
    if (!there) return false;
    char *bytes = memory_allocate(state_bytes(t), 1, "checkpoint");
    if (team_rank(team) == 0) memcpy(bytes, m->state, state_bytes(t));
    team_broadcast(team, bytes, state_bytes(t), 0);
    state_copy(t, s, bytes, false);
    memory_free(bytes);
    return true;
}

/* ---- the fit ---- */

/* A fit begins at the window's own initial values; one that is to start elsewhere and has not diverged before, at the parameters in hand. */
static void begin(struct trainer *t, const struct window *w, struct progress_state *s)
{
    struct network *n = t->net;
    *s = (struct progress_state){.size = n->size, .restarts = s->restarts, .best_loss = INFINITY, .lowest = INFINITY};
    bool elsewhere = t->how.policy.warm_start || t->how.policy.start_from;
    if (!(elsewhere && t->warm && !s->restarts)) network_initialise(n, t->seed, w->period[w->T].date);
    memset(t->first, 0, sizeof(float) * n->size);
    memset(t->second, 0, sizeof(float) * n->size);
    for (int i = 0; i < t->how.epochs; i++) t->loss[i] = NAN;
}

/* Periods with assets. */
static int inhabited(const struct period *const *period, int H)
{
    int there = 0;
    for (int h = 0; h < H; h++) there += period[h]->n > 0;
    return there;
}

/* The periods of step g of an epoch, in t->chosen. Returns how many. */
static int choose(struct trainer *t, const struct window *w, int periods, int g)
{
    int step = t->how.batch ? g : t->order[g], from = training_step_first(&t->how, periods, step),
        count = training_step_first(&t->how, periods, step + 1) - from;
    consecutive(t, w->period + from, count);
    for (int i = 0; t->how.batch && i < count; i++) t->chosen[i] = &w->period[t->order[from + i]];
    return count;
}

/* One Adam step on the periods chosen. Returns -1 if the loss is not finite, 1 if the leader was told to stop after this step, else
 * 0. */
static int step(struct trainer *t, const struct window *w, int H, struct progress_state *s, long steps)
{
    struct network *n = t->net;
    const struct fit_monitor *m = t->monitor;
    int poll = m && m->poll && team_rank(n->shards.team) == 0 ? (int)m->poll(m->context) : FIT_CONTINUE;
    n->dropout.key[0] = t->seed, n->dropout.key[1] = (uint64_t)w->period[w->T].date;
    double loss = rollout_loss(t, t->chosen, H, true, (uint64_t)s->step << 20, &poll);
    if (!isfinite(loss)) return -1;
    if (t->how.clip > 0) clip(n->size, t->total, t->how.clip);
    double rate = rate_at(&t->how, s, steps);
    adam_step(n->size, n->parameter, t->total, t->first, t->second, ++s->step, rate, t->how.decay);
    s->sum += loss * inhabited(t->chosen, H);
    s->at++;
    if (poll == FIT_CONTINUE) return 0;
    save_state(t, s);
    return poll == FIT_STOP;
}

/* Early stopping: keep the parameters that have the smallest loss on the periods held out. */
static void judge(struct trainer *t, double loss, struct progress_state *s)
{
    if (loss < s->best_loss) {
        s->best_loss = loss;
        s->bad_epochs = 0;
        memcpy(t->best, t->net->parameter, sizeof(float) * t->net->size);
    } else if (++s->bad_epochs >= t->how.patience) s->over = 1;
}

/* Schedule `plateau`: the rate falls when the loss has not reached a new minimum for some epochs. */
static void plateau(const struct training *how, double loss, struct progress_state *s)
{
    if (loss < s->lowest) {
        s->lowest = loss;
        s->flat = 0;
    } else if (++s->flat >= how->plateau) {
        s->cuts++;
        s->flat = 0;
    }
}

/* All epochs from state s on. 0 trained, -1 diverged, 1 stopped. */
static int train(struct trainer *t, const struct window *w, struct progress_state *s)
{
    int periods = w->T - t->how.hold_out, a_pass = training_steps(&t->how, periods), no_poll = 0;
    long steps = (long)t->how.epochs * a_pass;
    for (; s->epoch < t->how.epochs && !s->over; s->epoch++, s->at = 0, s->sum = 0) {
        int trained = 0;
        set_order(t, t->how.batch ? periods : a_pass, w->period[w->T].date, s->epoch);
        for (int g = 0; g < a_pass; g++) {
            int count = choose(t, w, periods, g), there = inhabited(t->chosen, count);
            trained += there;
            if (g < s->at) continue; /* done before a checkpoint */
            int rc = there ? step(t, w, count, s, steps) : (s->at++, 0);
            if (rc) return rc;
        }
        double loss = t->loss[s->epoch] = trained ? s->sum / trained : NAN;
        if (t->how.hold_out) {
            consecutive(t, w->period + periods, t->how.hold_out);
            loss = rollout_loss(t, t->chosen, t->how.hold_out, false, 0, &no_poll);
            judge(t, loss, s);
        }
        if (t->how.schedule == RATE_PLATEAU) plateau(&t->how, loss, s);
    }
    if (t->how.hold_out && isfinite(s->best_loss)) memcpy(t->net->parameter, t->best, sizeof(float) * t->net->size);
    return 0;
}

/* The weights of now, on every rank. Returns whether all are finite, as they are where there is no asset. */
static bool weigh(struct trainer *t, const struct period *now)
{
    int no_poll = 0;
    if (!now->n) return true;
    outputs_of(t, now, false, &no_poll);
    objective_weights(&t->how.objective, now->n, t->y + 1, t->weights, t->work);
    bool finite = true;
    for (int i = 0; i < now->n; i++) finite = finite && isfinite(t->weights[i]);
    return finite;
}

static int outcome(struct trainer *t, int rc, int restarts, struct fit_note *note)
{
    t->restarts = restarts;
    t->warm = rc == 0;
    if (rc < 0) snprintf(note->text, sizeof note->text, "diverged at learning rate %g, and at half of it", t->how.rate);
    return note->code = rc < 0 ? CODE_DIVERGED : rc > 0 ? CODE_STOPPED : 0;
}

int trainer_fit(struct trainer *t, const struct window *w, struct team *team, struct fit_note *note)
{
    struct progress_state s = {0};
    int rc;
    bind(t, team);
    if (!load_state(t, &s)) begin(t, w, &s);
    for (;;) {
        rc = train(t, w, &s);
        if (rc == 0 && !weigh(t, &w->period[w->T])) rc = -1;
        if (rc >= 0 || s.restarts > 0) break;
        s.restarts++; /* diverged: once more, at half the learning rate */
        begin(t, w, &s);
    }
    return outcome(t, rc, s.restarts, note);
}

int trainer_apply(struct trainer *t, const struct period *now, struct team *team, struct fit_note *note)
{
    bind(t, team);
    for (int i = 0; i < t->how.epochs; i++) t->loss[i] = NAN; /* nothing was trained for this row */
    return outcome(t, weigh(t, now) ? 0 : -1, 0, note);
}

double *trainer_record(const struct trainer *t, double earned, double *record)
{
    *record++ = earned;
    *record++ = earned;
    *record++ = t->restarts;
    memcpy(record, t->loss, sizeof(double) * (size_t)t->how.epochs);
    return record + t->how.epochs;
}
