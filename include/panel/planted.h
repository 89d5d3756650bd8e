/* Panels with one planted thing to find, for models of sequences (a link between assets) and for what tests a study (aipm trial): what
 * must be found is known, and so is the control in which there is nothing (strength 0). Every value is a pure function of (options, asset, period): any rank makes any period,
 * and the panel is the same for any number of ranks.
 *   N assets 0 .. N-1   D characteristics   T periods   e, u, v independent N(0, 1)   sigma volatility   s strength
 *
 * lead_lag   asset 0 leads the others by `lead` periods. Realised returns, over t-1 -> t:
 *                r_0(t) = sigma e_0(t),   r_i(t) = b r_0(t - lead) + sigma e_i(t) for i > 0,   b = s / sqrt(1 - s^2),
 *            so that corr(r_i(t), r_0(t - lead)) = s. Characteristic 0, `return`, is Phi(r_i(t) / sd r_i) - 0.5, a fixed function of
 *            what is known at t (no rank among assets): uniform in [-0.5, 0.5]. Rows of formation date t have the return
 *            r_i(t+1), which b r_0(t+1 - lead) moves: of all that a model sees at t, only asset 0's characteristic 0 at lag
 *            lead - 1 (lag 0 is t itself) says something, and it says it of every other asset.
 * sectors    asset i belongs to sector i mod S (group column `sector`, labels sector_0 ..; column `market`: market_0 holds the first
 *            half of the sectors). Characteristic 0, `signal`, is c_i(t) = Phi(sqrt(0.1) u_sector(t) + sqrt(0.9) v_i(t)) - 0.5, and with
 *            m(t) the mean of c_i(t) over the members of sector 0
 *                r_i(t+1) = b m(t) + sigma e_i(t+1) outside sector 0,   sigma e_i(t+1) within,   b = sigma s / (sd m sqrt(1 - s^2)),
 *            so that corr(r_i(t+1), m(t)) = s (all members present): one member says little of m, the sector's mean all of it.
 *
 * momentum   managed factors have premia that last and mean nothing in the long run: r_i(t+1) = sum_d p_d(t) x_id(t) + sigma e_i(t+1),
 *            p_d(t) = sigma b sqrt(12 / D) (u_d(t) + ... + u_d(t-23)) / sqrt(24). Characteristics are uniform noise. corr(r_i(t+1), sum_d p_d x_id) = s.
 * reversal   r_i(t+1) = sigma (e_i(t+1) - b e_i(t)), corr(r_i(t+1), e_i(t)) = -s. Characteristic 0, `return`, is Phi(r_i(t) / sd r_i) - 0.5.
 * noise      characteristics are noise, uniform in [0, 0.5] and so net long, and the market has a premium: r_i(t+1) = f(t+1) + sigma e_i(t+1),
 *            f normal, independent over time, of standard deviation sigma / 2 and Sharpe ratio b a period.
 *
 * In the first two characteristic 1, `size`, never changes: 0.25 for who leads (asset 0, the members of sector 0), even between -0.25 and 0 for the others.
 * It says nothing of returns by itself, and is there in the control, too; but networks treat assets alike, and without something of
 * an asset's own none could tell the leader from the others. The other characteristics are uniform noise. An asset-period is missing with probability `absent`, those of asset 0 never.
 * The true conditional SDF portfolio is w = (V + mu mu')^-1 mu with V = sigma^2 I and mu the moved part, known at t:
 * w = mu / (sigma^2 (1 + h)), h = mu'mu / sigma^2; in `noise` V has the market's variance, too. */
#ifndef PANEL_PLANTED_H
#define PANEL_PLANTED_H

#include <stdint.h>

#include "base/error.h"
#include "panel/panel.h"

enum planted_kind { PLANTED_LEAD_LAG, PLANTED_SECTORS, PLANTED_MOMENTUM, PLANTED_REVERSAL, PLANTED_NOISE };

struct planted_options {
    enum planted_kind kind;
    int N, D, T;
    const char *frequency; /* daily: weekdays; hourly: all hours; monthly: month ends */
    int periods_per_year;  /* 0: 252, 8760, 12 */
    int64_t start;         /* YYYYMMDD of the first formation date, or of the first weekday after it */
    uint64_t seed;
    int lead;          /* lead_lag */
    int sectors;       /* sectors: S */
    double strength;   /* s in (-1, 1); 0: the control */
    double absent;     /* in [0, 1) */
    double volatility; /* sigma, a period, decimal */
};
extern const struct planted_options planted_default;

int planted_find(const char *name, enum planted_kind *kind); /* "lead_lag", "sectors", ...; -1: none of them */
const char *planted_name(enum planted_kind kind);
/* What is wrong with the options: fills e, -1. */
int planted_check(const struct planted_options *o, struct error *e);

struct planted;
/* Options that planted_check refuses break the contract. */
struct planted *planted_create(const struct planted_options *o);
void planted_destroy(struct planted *p);

/* The header of the panel without truth (it is known period by period), assets named A00, A01, ...; panel_meta_free. O(N T) where some
 * are absent. */
void planted_describe(const struct planted *p, struct panel_meta *m);
/* b of the equations. */
double planted_slope(const struct planted *p);
/* Annual Sharpe ratio of the true SDF portfolio: sqrt(q / (1 - q) periods_per_year), q = E h / (1 + h), h = k z^2 with z ~ N(0, 1) and
 * k = s^2 / (1 - s^2) times the number of moved assets. Exact for lead_lag with nobody absent, and for noise; else close (momentum and
 * reversal: q = k / (1 + k)). */
double planted_ceiling(const struct planted *p);

/* Rows of period t: characteristics [n, D], returns [n], ids [n] (the asset's number); sectors: group [2][n] market and sector.
 * Returns n; *sdf is the return of the true conditional SDF portfolio. Any order of periods gives the same. */
int planted_period(struct planted *p, int t, float *characteristics, double *returns, int64_t *ids, int32_t *const *group,
                   double *sdf);

#endif
