"""Results files for the shell tests, written with h5py, and the tables of `aipm analyze` checked with numpy's own algebra.
    results.py make FILE          a study with five models in two universes
    results.py check FILE DIR     every figure of DIR's tables, computed again
    results.py break FILE OUT KIND"""
import csv, sys
import numpy as np

try:
    import h5py
except ImportError:
    h5py = None


def make(path):
    rng = np.random.default_rng(4)
    P, M, ridge, heads = 144, 9, 10.0 ** np.arange(-4, 2), np.array([1.0, 2, 4])
    dates = np.array([(2001 + p // 12) * 10000 + (p % 12 + 1) * 100 + 28 for p in range(P)], dtype=np.int64)
    F = 0.01 + 0.04 * rng.standard_normal((P, M)) @ (np.eye(M) + 0.2)
    F[3, 4] = np.nan
    true = 0.05 + 0.06 * rng.standard_normal(P)
    text = h5py.string_dtype("utf-8")
    with h5py.File(path, "w") as f:
        for k, v in dict(aipm_format="results", study="study: demo\n", study_name="demo", panel="data/demo.h5", panel_digest="0badcafe",
                         program="aipm test", ranks="2", seconds="1.5").items():
            f.attrs.create(k, v, dtype=text)
        f.attrs["format_version"], f.attrs["periods_per_year"] = np.int64(1), np.int64(12)
        f["dates"] = dates
        f["test_assets/returns"] = F
        f.create_dataset("test_assets/names", data=[f"p{j}" for j in range(M)], dtype=text)
        f["test_assets"].attrs.create("source", "the panel's test assets", dtype=text)
        f["truth/sdf_returns"] = true
        models = [("all", "bsv", 0.5), ("all", "linear", 0.8), ("all", "FF6", 0.2), ("small", "bsv", 0.3), ("small", "linear", 0.6)]
        for order, (universe, name, share) in enumerate(models):
            g = f.create_group(f"models/{universe}/{name}")
            g.attrs["order"] = np.int64(order)
            g.attrs.create("kind", {"bsv": "bsv", "linear": "linear_transformer", "FF6": "factors"}[name], dtype=text)
            r = share * true + 0.05 * rng.standard_normal(P) + 0.03 * F[:, 0]
            if name == "FF6":
                r[:20] = np.nan
            g["done"] = np.ones(P, dtype=np.uint8)
            if name != "FF6":
                z = rng.integers(0, len(ridge), P)
                by = r[:, None] + 0.01 * rng.standard_normal((P, len(ridge)))
                r = by[np.arange(P), z]
                g["ridge"], g["selected_ridge"], g["returns_by_ridge"], g["loo_loss"] = ridge, ridge[z], by, rng.random((P, len(ridge)))
            if name == "linear":
                g["heads"] = heads
                g["returns_by_heads"] = by[:, :, None] + 0.01 * rng.standard_normal((P, len(ridge), len(heads)))
                s = 0.6 * r + 0.02 * rng.standard_normal(P)
                g["symmetric_returns"], g["antisymmetric_returns"] = s, r - s
            g["returns"] = r


def broken(path, out, kind):
    import shutil
    shutil.copy(path, out)
    with h5py.File(out, "r+") as f:
        if kind == "future": f.attrs["format_version"] = np.int64(99)
        elif kind == "panel": f.attrs.create("aipm_format", "panel", dtype=h5py.string_dtype())
        elif kind == "missing": del f["models/all/bsv/returns"]
        elif kind == "short":
            del f["models/all/bsv/returns"]
            f["models/all/bsv/returns"] = np.zeros(3)
        elif kind == "empty":
            for m in ("all/bsv", "all/linear", "all/FF6", "small/bsv", "small/linear"):
                f[f"models/{m}/done"][...] = 0
                f[f"models/{m}/returns"][...] = np.nan


def read(folder, name):
    with open(f"{folder}/{name}.csv", newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def number(s):
    return float(s) if s else np.nan


def close(what, a, b, tolerance=1e-9):
    a, b = number(a) if isinstance(a, str) else a, float(b)
    if not (abs(a - b) <= tolerance * max(1, abs(b)) or (np.isnan(a) and np.isnan(b))):
        sys.exit(f"{what}: {a!r} against {b!r}")


def sharpe(r):
    return np.sqrt(12) * r.mean() / r.std(ddof=1)


def hjd(r, F, form):
    F = F[:, np.isfinite(F).all(axis=0)]
    W = np.linalg.inv(F.T @ F / len(r) if form == "second-moment" else np.cov(F.T, bias=True))
    a, b = F.mean(axis=0), F.T @ r / len(r)
    g = a - b
    return g @ W @ g, a @ W @ a - (a @ W @ b) ** 2 / (b @ W @ b), F.shape[1]


def ols(y, X, lags):
    scale = lambda s: s * 0.15 / np.sqrt(12) / s.std(ddof=1)
    Z = np.column_stack([np.ones(len(y))] + [scale(x) for x in X])
    coefficients = np.linalg.lstsq(Z, scale(y), rcond=None)[0]
    e, inverse = scale(y) - Z @ coefficients, np.linalg.inv(Z.T @ Z)
    if lags < 0:
        V = inverse * (e @ e) / (len(y) - Z.shape[1])
    else:
        u = Z * e[:, None]
        S = u.T @ u
        for l in range(1, lags + 1):
            G = u[l:].T @ u[:-l]
            S += (1 - l / (lags + 1)) * (G + G.T)
        V = inverse @ S @ inverse
    return 100 * coefficients[0], coefficients[0] / np.sqrt(V[0, 0]), coefficients[1]


def check(path, folder, first=0, last=10 ** 9, lags=-1, form="second-moment"):
    with h5py.File(path) as f:
        rows = (f["dates"][:] >= first) & (f["dates"][:] <= last)
        F, dates = f["test_assets/returns"][rows], f["dates"][rows]
        series = {(u, m): f[f"models/{u}/{m}/returns"][rows] for u in f["models"] for m in f[f"models/{u}"]}
        series["all", "truth"] = f["truth/sdf_returns"][rows]
        ridge = {k: (f[f"models/{k[0]}/{k[1]}/ridge"][:], f[f"models/{k[0]}/{k[1]}/selected_ridge"][rows],
                     f[f"models/{k[0]}/{k[1]}/returns_by_ridge"][rows]) for k in series if k[1] in ("bsv", "linear")}
        by_heads = {u: (f[f"models/{u}/linear/heads"][:], f[f"models/{u}/linear/returns_by_heads"][rows]) for u in ("all", "small")}
        parts = {u: [f[f"models/{u}/linear/{p}returns"][rows] for p in ("", "symmetric_", "antisymmetric_")] for u in ("all", "small")}
    here = {k: np.isfinite(v) for k, v in series.items()}
    table = read(folder, "performance")
    assert len(table) == len(series), "performance rows"
    for row in table:
        k = row["universe"], row["model"]
        r, on = series[k][here[k]], here[k]
        close("periods", row["periods"], len(r))
        close("from", row["from"], dates[on][0])
        close("sharpe", row["sharpe"], sharpe(r))
        close("se", row["sharpe_se"], np.sqrt(12 * (1 + (sharpe(r) ** 2 / 12) / 2) / len(r)))
        d, scaled, assets = hjd(r, F[on], form)
        close("test assets", row["test_assets"], assets)
        close(f"hjd of {k}", row["hjd"], d)
        close("hjd_scaled", row["hjd_scaled"], scaled)
        z = ridge.get(k)
        close("edge", row["ridge_edge_share"], np.nan if z is None else np.mean((z[1] == z[0][0]) | (z[1] == z[0][-1])))
    table = read(folder, "alphas")
    assert len(table) == 3 * 2 + 3 + 2 + 2, "alphas rows"
    for row in table:
        k = row["universe"], row["model"]
        others = [j for j in series if j[0] == k[0] and j != k and j[1] != "truth"] if row["against"] == "others" else [(k[0], row["against"])]
        on = here[k].copy()
        for j in others: on &= here[j]
        alpha, t, beta = ols(series[k][on], [series[j][on] for j in others], lags)
        close("alpha", row["alpha_percent"], alpha)
        close("t", row["t"], t)
        close("a year", row["alpha_percent_per_year"], 12 * alpha)
        close("beta", row["beta"], np.nan if row["against"] == "others" else beta)
        close("periods", row["periods"], on.sum())
    table = read(folder, "correlations")
    assert len(table) == 9 + 4, "correlations rows"
    for row in table:
        a, b = (row["universe"], row["model"]), (row["universe"], row["with"])
        on = here[a] & here[b]
        close("correlation", row["correlation"], np.corrcoef(series[a][on], series[b][on])[0, 1])
    for universe in ("all", "small"):
        table = [r for r in read(folder, "tangency") if r["universe"] == universe]
        w = np.array([float(r["weight"]) for r in table])
        X = np.array([series[universe, r["model"]] for r in table])
        X = X[:, np.isfinite(X).all(axis=0)]
        X /= X.std(axis=1, ddof=1, keepdims=True)
        close("sum of weights", w.sum(), 1)
        best = max(sharpe(v @ X) for v in np.random.default_rng(1).dirichlet(np.ones(len(w)) * 0.5, 20000))
        assert (w >= 0).all() and sharpe(w @ X) >= best - 1e-9, "tangency weights are not the best"
        assert all(float(r["low"]) <= float(r["weight"]) <= float(r["high"]) for r in table), "tangency intervals"
    for row in read(folder, "ridge"):
        z, chosen, by = ridge[row["universe"], row["model"]]
        j = int(np.argmin(abs(np.log(z / float(row["ridge"])))))
        close("selected share", row["selected_share"], np.mean(chosen == z[j]))
        close("sharpe by ridge", row["sharpe"], sharpe(by[:, j]))
    table = read(folder, "heads")
    assert len(table) == 2 * (6 + 1) * 3, "heads rows"
    for row in table:
        heads, by = by_heads[row["universe"]]
        z, chosen, _ = ridge[row["universe"], "linear"]
        h = list(heads).index(float(row["heads"]))
        place = np.array([list(z).index(c) for c in chosen]) if not row["ridge"] else np.full(len(chosen), list(z).index(float(row["ridge"])))
        r = by[np.arange(len(chosen)), place, h]
        close("sharpe by heads", row["sharpe"], sharpe(r))
        close("hjd by heads", row["hjd"], hjd(r, F, form)[0])
    for row in read(folder, "symmetry"):
        r = parts[row["universe"]][["total", "symmetric", "antisymmetric"].index(row["part"])]
        close("sharpe of a part", row["sharpe"], sharpe(r))
        close("hjd of a part", row["hjd"], hjd(r, F, form)[0])


if __name__ == "__main__":
    if sys.argv[1] == "make": make(sys.argv[2])
    elif sys.argv[1] == "break": broken(*sys.argv[2:5])
    else: check(sys.argv[2], sys.argv[3], *[type(d)(a) for a, d in zip(sys.argv[4:], (0, 0, 0, ""))])
