"""Results files for the shell tests, written with h5py, and the tables of `aipm analyze` checked with numpy's own algebra.
    results.py make FILE          a study with five models in two universes
    results.py check FILE DIR     every figure of DIR's tables, computed again
    results.py page FILE DIR       uncertainty, differences and trading of a report again, and its page against its tables
    results.py break FILE OUT KIND"""
import math
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
            if (universe, name) == ("all", "linear"):      # holdings of a changing set of assets
                ids = [np.sort(rng.choice(np.arange(100, 160), rng.integers(30, 50), replace=False)) for _ in range(P)]
                g["weight_asset_ids"] = np.concatenate(ids).astype(np.int64)
                g["weight_offsets"] = np.concatenate([[0], np.cumsum([len(i) for i in ids])]).astype(np.int64)
                g["weights"] = (0.05 * rng.standard_normal(g["weight_asset_ids"].shape[0])).astype(np.float32)


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
        elif kind == "weights":
            f["models/all/linear/weight_offsets"][5] = 0
        elif kind == "long-done":
            del f["models/all/bsv/done"]
            f["models/all/bsv/done"] = np.ones(100000, "u1")
        elif kind == "many-heads":
            del f["models/all/linear/heads"]
            f["models/all/linear/heads"] = np.arange(1.0, 2001)
        elif kind == "wide-dates":
            d = f["dates"][:]
            del f["dates"]
            f["dates"] = np.tile(d[:, None], (1, 400))
        elif kind == "no-date": f["dates"][7] = 20010231
        elif kind == "dates-back": f["dates"][7] = f["dates"][6]
        elif kind == "no-year": f.attrs["periods_per_year"] = np.int64(-12)
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


def information_ratio(y, X):
    """alpha over residual volatility by least squares on the raw returns: both scale alike"""
    A = np.column_stack([np.ones(len(y))] + X)
    c = np.linalg.lstsq(A, y, rcond=None)[0]
    e = y - A @ c
    return np.sqrt(12) * c[0] / np.sqrt(e @ e / (len(y) - A.shape[1]))

def check_risk(row, r):
    x = 0.15 / np.sqrt(12) * r / r.std(ddof=1)
    close("skewness", row["skewness"], ((r - r.mean()) ** 3).mean() / r.std() ** 3)
    close("worst period", row["worst_period_percent"], 100 * x.min())
    path = np.concatenate([[0], np.cumsum(x)])
    fall = max(path[:i + 1].max() - path[i] for i in range(len(path)))
    close("drawdown", row["max_drawdown_percent"], 100 * fall)
    close("Calmar", row["calmar"], 12 * x.mean() / fall)
    for g in range(1, 11):                                   # the sure return that an investor would take, by bisection
        u = (lambda c: np.log(c)) if g == 1 else (lambda c: c ** (1.0 - g) / (1 - g))
        low, high = -0.9, 0.9
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if u(1 + middle) < u(1 + x).mean() else (low, middle)
        close(f"certainty equivalent {g}", row[f"certainty_equivalent_percent_{g}"], 100 * ((1 + low) ** 12 - 1), 1e-8)

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
        close("information ratio", row["information_ratio"], information_ratio(series[k][on], [series[j][on] for j in others]))
    for row in read(folder, "risk"):
        k = row["universe"], row["model"]
        check_risk(row, series[k][here[k]])
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


def long_run(h):
    lags = int(4 * (len(h) / 100) ** (2 / 9))
    return sum((1 if l == 0 else 2 * (1 - l / (lags + 1))) * (h[l:] @ h[:len(h) - l]) for l in range(lags + 1)) / len(h)


def influence(r):
    z = (r - r.mean()) / r.std()
    return z - r.mean() / r.std() * (z ** 2 - 1) / 2


def check_sure(f, folder):
    returns = lambda u, m: f["truth/sdf_returns"][:] if m == "truth" else f[f"models/{u}/{m}/returns"][:]
    F = f["test_assets/returns"][:]
    for row in read(folder, "uncertainty"):
        r = returns(row["universe"], row["model"])
        r = r[np.isfinite(r)]
        close("robust error", row["sharpe_se_robust"], np.sqrt(12 * long_run(influence(r)) / len(r)))
        low, high = float(row["sharpe_low"]), float(row["sharpe_high"])
        assert low < float(row["sharpe"]) < high and 0.7 < (high - low) / (2 * 1.96 * float(row["sharpe_se_robust"])) < 1.4, f"Sharpe interval {row}"
        assert float(row["hjd_low"]) <= float(row["hjd"]) <= float(row["hjd_high"]), f"HJD interval {row}"
    table = read(folder, "differences")
    assert len(table) == 3 + 1, "differences rows"
    for row in table:
        a, b = returns(row["universe"], row["model"]), returns(row["universe"], row["against"])
        on = np.isfinite(a) & np.isfinite(b)
        a, b = a[on], b[on]
        se = np.sqrt(12 * long_run(influence(a) - influence(b)) / len(a))
        close("difference", row["sharpe_difference"], sharpe(a) - sharpe(b))
        close("its error", row["sharpe_difference_se"], se)
        close("its t", row["t"], (sharpe(a) - sharpe(b)) / se)
        close("its p", row["p"], math.erfc(abs(sharpe(a) - sharpe(b)) / se / math.sqrt(2)))
        close("difference of HJD", row["hjd_difference"], hjd(a, F[on], "second-moment")[0] - hjd(b, F[on], "second-moment")[0])
        assert float(row["hjd_low"]) < float(row["hjd_difference"]) < float(row["hjd_high"]), f"HJD difference {row}"


def check_trading(f, folder):
    for row in read(folder, "trading"):
        g = f[f"models/{row['universe']}/{row['model']}"]
        r = g["returns"][:]
        on = np.flatnonzero(np.isfinite(r))
        scale = 0.15 / np.sqrt(12) / r[on].std(ddof=1)
        path = np.concatenate([[0], np.cumsum(scale * r[on])])
        close("drawdown", row["max_drawdown_percent"], 100 * (np.maximum.accumulate(path) - path).max())
        close("Sortino", row["sortino"], np.sqrt(12) * r[on].mean() / np.sqrt((np.minimum(r[on], 0) ** 2).mean()))
        close("hits", row["hit_rate_percent"], 100 * (r[on] > 0).mean())
        if "weights" not in g:
            assert row["leverage"] == row["turnover"] == row["sharpe_net_10bp"] == "", "no weights, no turnover"
            continue
        at, held = g["weight_offsets"][:], []
        for p in on: held.append(dict(zip(g["weight_asset_ids"][at[p]:at[p + 1]], g["weights"][at[p]:at[p + 1]].astype(float))))
        traded = np.array([sum(abs(new.get(i, 0) - old.get(i, 0)) for i in set(old) | set(new)) for old, new in zip([{}] + held, held)])
        close("leverage", row["leverage"], scale * np.mean([sum(map(abs, h.values())) for h in held]))
        close("net exposure", row["net_exposure"], scale * np.mean([sum(h.values()) for h in held]))
        close("turnover", row["turnover"], scale * traded[1:].mean())
        close("net of costs", row["sharpe_net_25bp"], sharpe(r[on] - 0.0025 * traded))
        close("break-even", row["break_even_bp"], 1e4 * r[on].mean() / traded.mean())
    table = read(folder, "positions")
    g = f["models/all/linear"]
    first, last = g["weight_offsets"][-2:]
    order = np.argsort(-g["weights"][first:last])
    assert [int(r["asset"]) for r in table] == list(g["weight_asset_ids"][first:last][np.r_[order[:10], order[-10:]]]), "largest positions"


def page(path, folder):
    import glob, os, re
    from html.parser import HTMLParser

    with h5py.File(path) as f:
        check_sure(f, folder + "/tables")
        check_trading(f, folder + "/tables")

    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.tables, self.row, self.cell, self.images, self.outside, self.open = {}, None, None, [], [], []
        def handle_starttag(self, tag, attrs):
            a = dict(attrs)
            if tag == "table": self.tables[a.get("id")] = self.now = []
            elif tag == "tr": self.row = []
            elif tag in ("td", "th"): self.cell = ""
            for key in ("src", "srcset", "href", "data", "action", "poster"):
                if key in a:
                    self.images.append(a[key])
                    if not a[key].startswith("data:image/svg+xml;base64,"): self.outside.append(a[key][:80])
            if tag in ("script", "link", "iframe", "object", "embed", "form"): self.outside.append(tag)
            if tag not in ("meta", "img", "source", "br"): self.open.append(tag)
        def handle_endtag(self, tag):
            assert self.open and self.open.pop() == tag, f"</{tag}> closes another element"
            if tag in ("td", "th"): self.row.append(self.cell); self.cell = None
            elif tag == "tr": self.now.append(self.row)
        def handle_data(self, text):
            if self.cell is not None: self.cell += text

    text = open(f"{folder}/index.html", encoding="utf-8").read()
    reader = Reader()
    reader.feed(text)
    assert not reader.open and not reader.outside, f"left open {reader.open}, leaves the page {reader.outside}"
    assert "default-src 'none'" in text and "@import" not in text and "url(" not in text, "the page may request"
    compared = 0
    for name, cells in reader.tables.items():
        if name is None: continue
        with open(f"{folder}/tables/{name}.csv", newline="", encoding="utf-8") as f: rows = list(csv.reader(f))
        assert len(rows) == len(cells), f"{name}: rows"
        for there, here in zip(rows[1:], cells[1:]):
            for x, shown in zip(there, here):
                compared += 1
                if re.fullmatch(r"-?\d+\.\d+", shown) and re.fullmatch(r"-?[\d.]+(e-?\d+)?", x):
                    assert float(f"{float(x):.{len(shown.split('.')[1])}f}") == float(shown), f"{name}: {x} shown as {shown}"
                elif re.fullmatch(r"\d{4}-\d\d-\d\d", shown): assert shown.replace("-", "") == x, f"{name}: {x} shown as {shown}"
                elif re.fullmatch(r"-?[\d.]+(e-?\d+)?", x): assert abs(float(x) - float(shown)) <= 0.051 * abs(float(x)), f"{name}: {x} shown as {shown}"
                else: assert x == shown, f"{name}: {x!r} shown as {shown!r}"
        markdown = [[c.strip().replace("\\", "") for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in open(f"{folder}/tables/{name}.md", encoding="utf-8") if line.startswith("|")]
        assert [r for r in markdown[2:]] == [[c.strip() for c in r] for r in cells[1:]], f"{name}: Markdown and page differ"
    assert compared > 500, "too few cells compared"
    scripts = sorted(os.path.basename(p)[:-3] for p in glob.glob(f"{folder}/figures/*.gp"))
    assert len(scripts) >= 15, f"figures: {scripts}"
    import shutil
    if not shutil.which("gnuplot"): return
    for name in scripts:
        for suffix in (".pdf", ".svg", "-phone.svg", ".dat"):
            assert os.path.getsize(f"{folder}/figures/{name}{suffix}") > 100, f"{name}{suffix} is empty"
        svg = open(f"{folder}/figures/{name}.svg", encoding="utf-8").read()
        assert svg.count("<path") > 5 and "</svg>" in svg, f"{name}: an empty drawing"
        assert f'id="figure-{name}"' in text, f"{name} is not in the page"
    assert not glob.glob(f"{folder}/figures/*.log") and len(reader.images) == 2 * len(scripts), "a figure is missing from the page"


if __name__ == "__main__":
    if sys.argv[1] == "make": make(sys.argv[2])
    elif sys.argv[1] == "page": page(*sys.argv[2:4])
    elif sys.argv[1] == "break": broken(*sys.argv[2:5])
    else: check(sys.argv[2], sys.argv[3], *[type(d)(a) for a, d in zip(sys.argv[4:], (0, 0, 0, ""))])
