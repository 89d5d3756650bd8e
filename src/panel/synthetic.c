/* The world of stocks with a known SDF: characteristics, premia that they carry, returns, and the ceiling of its Sharpe
 * ratio. */
#include "panel/synthetic.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/random.h"
#include "panel/calendar.h"
#include "panel/latent.h"

enum { K = SYNTHETIC_FACTORS, SAMPLES = 24, MONTHS = 12 };
static const double factor_volatility = 0.02; /* a month, of a factor on which a stock loads 1 */

const struct synthetic_options synthetic_default = {
    .N = 500,
    .D = 12,
    .T = 300,
    .start = 199501,
    .seed = 1,
    .sharpe = 4,
    .factor_share = 0.3,
    .own_share = 0.3,
    .cross_share = 0.4,
    .volatility = 0.1,
};

/* What one period needs for its returns before the amplitudes are known. */
struct exposures {
    double *loadings;     /* [n, K] X B */
    double *own, *target; /* [n] g(X) - mean; X w */
    double signal;        /* (12/P) sum_p Xi(j_p, j'_p), near the state */
};

struct synthetic {
    struct synthetic_options o;
    struct latent latent;
    struct exposures x;
    double *mean, *scaled;      /* [N]; [N, K] U = factor_volatility X B */
    double premium, own, cross; /* amplitudes */
    double ceiling;
};

int synthetic_check(const struct synthetic_options *o, struct error *e)
{
    if (o->N < 10 || o->N > 10000000) return error_set(e, "%d assets: 10 to 10,000,000 are needed", o->N);
    if (o->D < 4 || o->D > 10000) return error_set(e, "%d characteristics: 4 to 10,000 are needed", o->D);
    if (o->T < 1 || o->T > 12000) return error_set(e, "%d periods: 1 to 12,000 are needed", o->T);
    if (o->start < 100001 || o->start > 800012 || o->start % 100 < 1 || o->start % 100 > MONTHS)
        return error_set(e, "start %d: a month YYYYMM from 100001 to 800012 is needed, as 199501", o->start);
    if (!(o->sharpe > 0 && o->sharpe <= 20))
        return error_set(e, "Sharpe ratio %g: more than 0, at most 20 a year is needed", o->sharpe);
    if (!(o->volatility > 0 && o->volatility < 1))
        return error_set(e, "volatility %g: between 0 and 1 a month is needed", o->volatility);
    double f = o->factor_share, own = o->own_share, c = o->cross_share;
    if (!(f >= 0 && own >= 0 && c >= 0 && f + own + c <= 1 + 1e-12))
        return error_set(e, "shares %g + %g + %g: none below 0 and a sum of at most 1 is needed", f, own, c);
    return 0;
}

/* ---- where each part of the return comes from ---------------------------------------------------------------------------- */

/* Pairs 2p, 2p+1 take the first half of the characteristics, the two last are the target, the factors lie in between. */
static int factor_column(int D, int f)
{
    int first = D / 2, room = D - 2 - first;
    return first + (room > 0 ? f % room : f % (D - first));
}

static void expose(const struct latent *l, const float *X, struct exposures *x)
{
    int D = l->D, P = latent_pairs(D), n = l->n;
    double pairs = 0, own_sum = 0;
    for (int i = 0; i < n; i++) {
        const float *r = X + (size_t)i * D;
        double *load = x->loadings + (size_t)i * K, products = 0;
        for (int p = 0; p < P; p++) products += (double)r[2 * p] * r[2 * p + 1];
        pairs += products;
        for (int f = 0; f < K; f++) load[f] = 0.8 * r[factor_column(D, f)] + 0.6 * r[factor_column(D, f + 1)];
        x->own[i] = (double)r[0] * r[D / 2] + (double)r[1] * r[D / 2 + 1] + (double)r[2] * r[2];
        own_sum += x->own[i];
        x->target[i] = 0.8 * r[D - 1] - 0.6 * r[D - 2];
    }
    for (int i = 0; i < n; i++) x->own[i] -= own_sum / n;
    x->signal = n ? 12 * pairs / P / n : 0;
}

/* a' V^-1 b for V = U U' + v I by Woodbury: (a'b - a'U (v I + U'U)^-1 U'b) / v; U = scale * loadings. */
static double inner(int n, const double *loadings, double scale, double v, const double *a, const double *b)
{
    double G[K][K] = {{0}}, ua[K] = {0}, ub[K] = {0}, ab = 0;
    for (int i = 0; i < n; i++) {
        const double *u = loadings + (size_t)i * K;
        for (int f = 0; f < K; f++) {
            for (int g = 0; g <= f; g++) G[f][g] += u[f] * u[g];
            ua[f] += u[f] * a[i];
            ub[f] += u[f] * b[i];
        }
        ab += a[i] * b[i];
    }
    /* Cholesky of v I + U'U, then forward substitution of both sides */
    for (int f = 0; f < K; f++) {
        ua[f] *= scale;
        ub[f] *= scale;
        for (int g = 0; g <= f; g++) {
            double sum = scale * scale * G[f][g] + (f == g ? v : 0);
            for (int h = 0; h < g; h++) sum -= G[f][h] * G[g][h];
            G[f][g] = f == g ? sqrt(sum) : sum / G[g][g];
        }
        for (int h = 0; h < f; h++) {
            ua[f] -= G[f][h] * ua[h];
            ub[f] -= G[f][h] * ub[h];
        }
        ua[f] /= G[f][f];
        ub[f] /= G[f][f];
        ab -= ua[f] * ub[f];
    }
    return ab / v;
}

/* ---- amplitudes ------------------------------------------------------------------------------------------------------------ */

/* The squared monthly Sharpe ratio h_t = level (f + o + c s_t^2 / E s^2) makes an SDF portfolio of mean and second moment
 * q_t = h_t / (1 + h_t), hence the squared Sharpe ratio E q / (1 - E q) over time. */
static double squared_sharpe(const struct synthetic *s, double level, double state2)
{
    const struct synthetic_options *o = &s->o;
    double q = 0;
    for (int t = 0; t < o->T; t++) {
        double state = latent_state(&s->latent, t);
        double h = level * (o->factor_share + o->own_share + o->cross_share * state * state / state2);
        q += h / (1 + h) / o->T;
    }
    return q / (1 - q);
}

/* The level at which the whole panel's squared Sharpe ratio is the one asked for: bisection, it rises with the level. */
static double find_level(const struct synthetic *s, double state2)
{
    double needed = s->ceiling * s->ceiling / MONTHS, low = 0, high = 1;
    while (squared_sharpe(s, high, state2) < needed) high *= 2;
    for (int i = 0; i < 50; i++) {
        double middle = (low + high) / 2;
        if (squared_sharpe(s, middle, state2) < needed) low = middle;
        else high = middle;
    }
    return high;
}

/* The squared Sharpe ratios that the parts bring at unit amplitude, averaged over sampled periods. The cross-asset part's
 * is proportional to the squared state and is stated relative to it. */
static void measure(struct synthetic *s, double *factor, double *own, double *cross)
{
    const struct synthetic_options *o = &s->o;
    float *X = memory_array(float, (size_t)o->N * o->D, "a sampled period");
    int8_t *groups = memory_array(int8_t, o->N, "a sampled period");
    int samples = o->T < SAMPLES ? o->T : SAMPLES;
    double v = o->volatility * o->volatility;
    double state2 = 0;
    *factor = *own = *cross = 0;
    for (int k = 0; k < samples; k++) {
        int t = (int)((int64_t)k * o->T / samples), n = latent_move(&s->latent, t);
        latent_characteristics(&s->latent, X, groups);
        expose(&s->latent, X, &s->x);
        for (int i = 0; i < n; i++) {
            s->mean[i] = 0;
            for (int f = 0; f < K; f++) s->mean[i] += s->x.loadings[(size_t)i * K + f];
        }
        *factor += inner(n, s->x.loadings, factor_volatility, v, s->mean, s->mean) / samples;
        *own += inner(n, s->x.loadings, factor_volatility, v, s->x.own, s->x.own) / samples;
        double state = latent_state(&s->latent, t),
               target = inner(n, s->x.loadings, factor_volatility, v, s->x.target, s->x.target);
        *cross += s->x.signal * s->x.signal * target;
        state2 += state * state;
    }
    *cross /= state2;
    memory_free(groups);
    memory_free(X);
}

static void set_amplitudes(struct synthetic *s)
{
    const struct synthetic_options *o = &s->o;
    double state2 = 0, factor, own, cross, all = o->factor_share + o->own_share + o->cross_share;
    s->ceiling = o->sharpe * sqrt(all);
    if (!(all > 0)) return;
    for (int t = 0; t < o->T; t++) state2 += latent_state(&s->latent, t) * latent_state(&s->latent, t) / o->T;
    double level = find_level(s, state2);
    measure(s, &factor, &own, &cross);
    s->premium = sqrt(level * o->factor_share / factor);
    s->own = sqrt(level * o->own_share / own);
    s->cross = sqrt(level * o->cross_share / (cross * state2));
}

/* ---- periods ----------------------------------------------------------------------------------------------------------------- */

int synthetic_period(struct synthetic *s, int t, float *characteristics, double *returns, int64_t *ids, int8_t *size_groups,
                     double *sdf)
{
    struct latent *l = &s->latent;
    int n = latent_move(l, t);
    latent_characteristics(l, characteristics, size_groups);
    expose(l, characteristics, &s->x);
    double shock[K], v = s->o.volatility * s->o.volatility, cross = s->cross * s->x.signal;
    struct random_stream factors = random_open(s->o.seed, STREAM_FACTOR, 0, 0),
                         noise = random_open(s->o.seed, STREAM_RETURN, 0, 0);
    for (int f = 0; f < K; f++) shock[f] = factor_volatility * random_normal(&factors, (uint64_t)t * K + (uint64_t)f);
    for (int i = 0; i < n; i++) {
        const double *load = s->x.loadings + (size_t)i * K;
        double mean = s->own * s->x.own[i] + cross * s->x.target[i], moved = 0;
        for (int f = 0; f < K; f++) {
            mean += s->premium * load[f];
            moved += load[f] * shock[f];
            s->scaled[(size_t)i * K + f] = factor_volatility * load[f];
        }
        s->mean[i] = mean;
        returns[i] = mean + moved + s->o.volatility * random_normal(&noise, l->asset[i] << 20 | (uint64_t)t);
        ids[i] = latent_id(l->asset[i]);
    }
    double h = inner(n, s->scaled, 1, v, s->mean, s->mean);
    *sdf = inner(n, s->scaled, 1, v, s->mean, returns) / (1 + h);
    return n;
}

const double *synthetic_means(const struct synthetic *s)
{
    return s->mean;
}
const double *synthetic_loadings(const struct synthetic *s)
{
    return s->scaled;
}
double synthetic_state(const struct synthetic *s, int t)
{
    return latent_state(&s->latent, t);
}
double synthetic_ceiling(const struct synthetic *s)
{
    return s->ceiling;
}

void synthetic_describe(const struct synthetic *s, struct panel_meta *m)
{
    int T = s->o.T;
    int start = s->o.start / 100 * MONTHS + s->o.start % 100 - 1;
    char name[64];
    *m = (struct panel_meta){.T = T, .D = s->o.D, .periods_per_year = MONTHS, .has_size_groups = true};
    m->frequency = memory_text("monthly");
    m->dates = memory_array(int64_t, T, "panel dates");
    m->offsets = memory_array(int64_t, (size_t)T + 1, "panel offsets");
    m->characteristic_names = memory_array(char *, m->D, "characteristic names");
    for (int d = 0; d < m->D; d++) m->characteristic_names[d] = memory_text(latent_name(d, name));
    for (int t = 0; t < T; t++) {
        m->dates[t] = month_end(start + t);
        m->offsets[t + 1] = m->offsets[t] + s->latent.count[t];
    }
    m->rows = m->offsets[T];
    if (!(s->o.factor_share > 0)) return;
    m->benchmarks = 1;
    m->benchmark = memory_array(struct benchmark, 1, "benchmarks");
    *m->benchmark = (struct benchmark){memory_text("factors"), K, memory_array(char *, K, "factor names"),
                                       memory_array(double, (size_t)T *K, "factor returns")};
    struct random_stream factors = random_open(s->o.seed, STREAM_FACTOR, 0, 0);
    for (int f = 0; f < K; f++) {
        snprintf(name, sizeof name, "factor_%d", f + 1);
        m->benchmark->factor_names[f] = memory_text(name);
    }
    for (uint64_t i = 0; i < (uint64_t)T * K; i++)
        m->benchmark->returns[i] = s->premium + factor_volatility * random_normal(&factors, i);
}

struct synthetic *synthetic_create(const struct synthetic_options *o)
{
    struct error e = {0};
    require(synthetic_check(o, &e) == 0);
    struct synthetic *s = memory_array(struct synthetic, 1, "synthetic panel");
    size_t N = (size_t)o->N;
    s->o = *o;
    latent_create(&s->latent, o->N, o->D, o->T, o->seed);
    s->x.loadings = memory_array(double, N *K, "factor loadings");
    s->x.own = memory_array(double, N, "own-asset part");
    s->x.target = memory_array(double, N, "cross-asset part");
    s->mean = memory_array(double, N, "expected returns");
    s->scaled = memory_array(double, N *K, "factor loadings");
    set_amplitudes(s);
    return s;
}

void synthetic_destroy(struct synthetic *s)
{
    if (!s) return;
    latent_destroy(&s->latent);
    memory_free_all(s->x.loadings, s->x.own, s->x.target, s->mean, s->scaled, s);
}
