"""A trial's figures made apart from the program, from its runs and its panel.
    trial.py PANEL RUNS TABLES WINDOW
"""
import csv, glob, sys
import h5py
import numpy as np


def table(folder, name):
    with open(f"{folder}/{name}.csv") as f:
        return list(csv.DictReader(f))


def near(what, a, b, tolerance=1e-8):
    assert abs(float(a) - b) <= tolerance * max(1, abs(b)), f"{what}: {a}, not {b}"


def returns(run, model):
    with h5py.File(run) as f:
        return f["dates"][:], f[f"models/all/{model}/returns"][:]


def sharpe(x, year=12):
    return x.mean() / x.std(ddof=1) * year ** 0.5


def long_run(v, lags):
    """Newey and West: sums of outer products [n, k] with Bartlett's weights."""
    S = v.T @ v
    for lag in range(1, lags + 1):
        G = v[lag:].T @ v[:-lag]
        S = S + (1 - lag / (lags + 1)) * (G + G.T)
    return S


def lags_of(n):
    return int(4 * (n / 100) ** (2 / 9))


def mean_t(y):
    return y.mean() * len(y) / np.sqrt(long_run((y - y.mean())[:, None], lags_of(len(y)))[0, 0])


def remainder(y, X):
    """Share of y's mean that X explains, t of the intercept."""
    n = len(y)
    Z = np.column_stack([np.ones(n)] + X)
    b = np.linalg.lstsq(Z, y, rcond=None)[0]
    scores, bread = Z * (y - Z @ b)[:, None], np.linalg.inv(Z.T @ Z)
    return 1 - b[0] / y.mean(), b[0] / np.sqrt((bread @ long_run(scores, lags_of(n)) @ bread)[0, 0])


def references(panel):
    with h5py.File(panel) as f:
        at, ids, X, R = f["offsets"][:], f["asset_ids"][:], f["characteristics"][:].astype(float), f["returns"][:]
        dates = f["dates"][:]
    T = len(dates)
    market, reversal, F, past = np.zeros(T), np.zeros(T), np.zeros((T, X.shape[1])), {}
    for t in range(T):
        here = slice(at[t], at[t + 1])
        market[t], F[t] = R[here].mean(), X[here].T @ R[here] / (at[t + 1] - at[t])
        both = [i for i in range(at[t], at[t + 1]) if ids[i] in past]
        if both:
            before = np.array([past[ids[i]] for i in both])
            w = before.mean() - before
            reversal[t] = w @ R[both] / abs(w).sum()
        past = dict(zip(ids[here], R[here]))
    return dates, market, reversal, F


def timed(F, first, means, variances, bounded=True):
    out = np.full(len(F), np.nan)
    for t in range(first, len(F)):
        v, m = F[variances(t)].var(axis=0), F[means(t)].mean(axis=0)
        assert (v > 0).all()
        out[t] = (m / v * F[t]).sum() / (1 + (m * m / v).sum() * bounded)
    return out


def check_explanations(panel, runs, tables, W):
    dates, market, reversal, F = references(panel)
    fixed = timed(F, W, lambda t: slice(0, t), lambda t: slice(0, t))
    momentum = timed(F, W, lambda t: slice(t - min(12, W), t), lambda t: slice(t - W, t))
    longer = timed(F, W, lambda t: slice(t - W, t), lambda t: slice(t - W, t))
    rows, ages = table(tables, "explanations"), table(tables, "ages")
    for model in dict.fromkeys(r["model"] for r in rows):
        d, y = returns(f"{runs}/base.h5", model)
        k = np.searchsorted(dates, d)
        own = [r for r in rows if r["model"] == model]
        for row, X in zip(own, [[market], [reversal], [fixed], [fixed, momentum, longer]]):
            share, t = remainder(y, [x[k] for x in X])
            near(f"{model}, {row['regressors']}: share", row["explained"], share, 1e-6)
            near(f"{model}, {row['regressors']}: t", row["t_left"], t, 1e-6)
        own = [r for r in ages if r["model"] == model]
        span = [(int(r["age_from"]), int(r["age_to"])) for r in own]
        assert span[0][0] == 1 and span[-1][1] == W and all(a[1] + 1 == b[0] for a, b in zip(span, span[1:]))
        Z = np.column_stack([np.ones(len(y))] + [timed(F, W, lambda t: slice(t - b, t - a + 1), lambda t: slice(t - W, t), False)[k]
                                                  for a, b in span])
        b = np.linalg.lstsq(Z, y, rcond=None)[0]
        e = y - Z @ b
        t = b / np.sqrt(e @ e / (len(y) - Z.shape[1]) * np.diag(np.linalg.inv(Z.T @ Z)))
        for j, (row, (first, last)) in enumerate(zip(own, span)):
            near(f"{model}: weight at {first}", row["weight"], b[j + 1] / b[1:].sum() / (last - first + 1) * W, 1e-5)
            near(f"{model}: t at {first}", row["t"], t[j + 1], 1e-5)
            near(f"{model}: R2", row["r2"], 1 - e @ e / ((y - y.mean()) ** 2).sum(), 1e-6)


def check_placebos(runs, tables):
    rows = table(tables, "placebo_runs")
    for r in rows:
        y = returns(f"{runs}/{r['run']}.h5", r["model"])[1]
        near(r["run"], r["sharpe"], sharpe(y))
        near(r["run"] + ": t", r["t"], mean_t(y))
    for g in table(tables, "placebos"):
        own = [r for r in rows if (r["model"], r["placebo"]) == (g["model"], g["placebo"])]
        t = np.array([float(r["t"]) for r in own])
        s = np.array([float(r["sharpe"]) for r in own])
        assert int(g["draws"]) == len(own)
        near("mean", g["sharpe_mean"], s.mean())
        near("mean t", g["t_mean"], t.mean())
        near("share", g["beyond"], (abs(t) > 1.96).mean())
        if len(own) > 1:
            near("spread", g["sharpe_sd"], s.std(ddof=1))
    assert rows


def check_specifications(runs, tables):
    """Every combination again from the runs: penalties by the losses in the results."""
    series = {}
    for run in ["base", "nonmicro"] + [p.split("/")[-1][:-3] for p in glob.glob(f"{runs}/spec-*.h5")]:
        try:
            f = h5py.File(f"{runs}/{run}.h5")
        except OSError:
            continue
        for universe in f["models"]:
            for model in f["models"][universe]:
                g = f["models"][universe][model]
                series[model, run, 0] = dict(zip(f["dates"][:], g["returns"][:]))
                n = len(g["ridge"])
                for grid, part in ((1, slice(0, n // 2)), (2, slice(n // 2, n))):
                    loss, by = g["loo_loss"][:, part], g["returns_by_ridge"][:, part]
                    series[model, run, grid] = dict(zip(f["dates"][:], by[np.arange(len(by)), loss.argmin(1)]))
    for row in table(tables, "specifications"):
        own = [s for k, s in series.items() if k[0] == row["model"]]
        common = [d for d in own[0] if all(np.isfinite(s.get(d, np.nan)) for s in own)]
        found = [sharpe(np.array([s[d] for d in common])) for s in own]
        assert int(row["specifications"]) == len(found) > 10, (row, len(found))
        near("median", row["median"], np.median(found))
        near("non-standard error", row["nonstandard_error"], np.std(found, ddof=1))
        near("positive", row["positive"], (np.array(found) > 0).mean())


def check_seeds(runs, tables):
    """One, two of three (the third with the first), all: Sharpe ratios of their mean."""
    with h5py.File(f"{runs}/base.h5") as f:
        g = f["models/all/dkkm"]
        by, mean = g["returns_by_seed"][:], g["returns"][:]
    assert by.shape[1] == 3 and np.abs(by.mean(axis=1) - mean).max() < 1e-14 and by.std(axis=1).min() > 0
    rows = {int(r["seeds"]): r for r in table(tables, "seeds")}
    assert sorted(rows) == [1, 2, 3]
    for k in rows:
        groups = [sharpe(by[:, [(g + j) % 3 for j in range(k)]].mean(axis=1)) for g in range(3 if k < 3 else 1)]
        near(f"{k} seeds", rows[k]["sharpe"], np.mean(groups), 1e-8)
        if k < 3:
            near(f"{k} seeds: spread", rows[k]["spread"], np.std(groups, ddof=1), 1e-8)


def check_earned(runs, tables):
    for row in table(tables, "verdicts"):
        if row["question"] == "Is anything earned?":
            y = returns(f"{runs}/base.h5", row["model"])[1]
            t = mean_t(y)
            needed = 3 / (len(y) / 12) ** 0.5
            assert row["figures"] == (f"Sharpe {sharpe(y):.2f} a year, t of the mean {t:.1f}, {len(y)} periods, in which a t of 3 "
                                      f"takes a Sharpe of about {needed:.2f}"), (row, t)
            assert row["answer"] == ("yes" if t >= 3 else "nothing is found")


def check_doubts(runs, tables):
    """Answers that rest on several runs at once, by the rules; every model that earned something was asked."""
    answers = {(r["model"], r["question"]): r for r in table(tables, "verdicts")}
    for model in dict.fromkeys(m for m, _ in answers):
        ask = lambda question: answers[model, question]["answer"].split(":")[0]
        if ask("Is anything earned?") != "yes":
            assert ask("Does it hang on choices?") == "not asked"
            continue
        y = returns(f"{runs}/base.h5", model)[1]
        c = [r for r in table(tables, "specifications") if r["model"] == model][0]
        t = float(c["median"]) / np.hypot(float(c["nonstandard_error"]), float(c["standard_error"]))
        assert f"t by both {t:.1f}" in answers[model, "Does it hang on choices?"]["figures"]
        assert (ask("Does it hang on choices?") == "yes") == (float(c["beyond"]) < 0.5 or t < 1.96)
        parts = [y[k * len(y) // 4:(k + 1) * len(y) // 4] for k in range(4)]
        s = np.array([sharpe(x) for x in parts])
        w = np.array([len(x) / (12 + sharpe(x) ** 2 / 2) for x in parts])
        chi2 = (w * (s - (w * s).sum() / w.sum()) ** 2).sum() if len(y) >= 48 else 0
        for part, row in zip(parts, [r for r in table(tables, "eras") if r["model"] == model]):
            near("era", row["sharpe"], sharpe(part))
            near("era: error", row["sharpe_se"], ((12 + sharpe(part) ** 2 / 2) / len(part)) ** 0.5)
            near("era: t", row["t"], mean_t(part))
        assert f"equality {chi2:.1f} (3" in answers[model, "Is it of some eras only?"]["figures"], chi2
        assert (ask("Is it of some eras only?") == "yes") == (s.min() <= 0 and chi2 > 7.815)
        shuffled = [float(r["sharpe"]) for r in table(tables, "placebo_runs")
                    if r["model"] == model and r["run"].startswith("placebo-returns")]
        assert (ask("Does it outlive its characteristics?") == "yes") == (np.mean(shuffled) >= sharpe(y) / 2)
        assert f"mean Sharpe {np.mean(shuffled):.2f} in" in answers[model, "Does it outlive its characteristics?"]["figures"]


def check_alterations(runs, tables):
    rows = table(tables, "alterations")
    base = {r["model"]: float(r["sharpe"]) for r in rows if r["panel"] == "the study"}
    for r in rows:
        what = r["panel"]
        run = "base" if what == "the study" else "without-" + what[8:] if what[:8] == "without " else "noise-" + what.split()[2]
        if "caps" in what:
            continue
        y = returns(f"{runs}/{run}.h5", r["model"])[1]
        own = sharpe(y)
        near(what, r["sharpe"], own)
        near(what + ": t", r["t"], mean_t(y))
        if run != "base":
            near(what, r["kept"], own / base[r["model"]])
            near(what, r["difference"], own - base[r["model"]], 1e-6)


if __name__ == "__main__":
    panel, runs, tables, W = *sys.argv[1:4], int(sys.argv[4])
    check_explanations(panel, runs, tables, W)
    check_placebos(runs, tables)
    check_specifications(runs, tables)
    check_alterations(runs, tables)
    check_seeds(runs, tables)
    check_earned(runs, tables)
    check_doubts(runs, tables)
