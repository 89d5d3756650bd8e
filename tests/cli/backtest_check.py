"""`aipm backtest` against a ledger in money kept from the HDF5 files.
    backtest_check.py check RESULTS PANEL DIR [K COST GROSS FROM TO]    every figure of DIR's tables and paths
    backtest_check.py plain RESULTS DIR                         costless paths at every date are the models' own returns
    backtest_check.py spoil RESULTS OUT KIND"""
import csv, sys
import h5py, numpy as np


def read(path):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def close(what, found, expected, tolerance=1e-10):
    found = float(found) if found != "" else np.nan
    if not (abs(found - expected) <= tolerance * max(1, abs(expected)) or (np.isnan(found) and np.isnan(expected))):
        sys.exit(f"{what}: {found!r} against {expected!r}")


def targets_of(g, p):
    a, b = g["weight_offsets"][p], g["weight_offsets"][p + 1]
    w = g["weights"][a:b].astype(float)
    return None if b == a or not np.isfinite(w).all() else dict(zip(g["weight_asset_ids"][a:b].tolist(), w))


def ledger(market, targets, K, cost, gross):
    """(gross, net, traded) of the periods from the first target on; wealth before costs decides what is bought."""
    money, cash, rows, since, kept = {}, 1.0, [], None, 0
    for t, (ids, returns) in enumerate(market):
        r = dict(zip(ids.tolist(), returns))
        w = None
        if since is None or (t - since) % K == 0:
            w = targets(t)
            if w is None and since is None: continue
            if since is None: since = t
            kept += w is None
        wealth = cash + sum(money.values())
        if w is None:
            new = {i: m for i, m in money.items() if i in r}
        else:
            size = sum(abs(x) for x in w.values())
            scale = gross / size if gross > 0 and size > 0 else 1.0
            new = {i: x * scale * wealth for i, x in w.items()}
        traded = sum(abs(new.get(i, 0) - money.get(i, 0)) for i in set(new) | set(money))
        paid = 1 - cost * traded / wealth
        cash = (wealth - sum(new.values())) * paid
        money = {i: m * paid * (1 + r[i]) for i, m in new.items()}
        end = cash + sum(money.values())
        rows.append((end / (wealth * paid) - 1, end / wealth - 1, traded / wealth))
    return since, np.array(rows).reshape(-1, 3), kept


def robust_difference(x, y, ppy):
    """Ledoit and Wolf (2008): delta method on (mean, mean, second moments), Bartlett weights."""
    n = len(x)
    m = np.array([x.mean(), y.mean(), (x ** 2).mean(), (y ** 2).mean()])
    v = np.column_stack([x, y, x ** 2, y ** 2]) - m
    lags = int(4 * (n / 100) ** (2 / 9))
    S = v.T @ v / n
    for l in range(1, lags + 1):
        G = v[l:].T @ v[:-l] / n
        S += (1 - l / (lags + 1)) * (G + G.T)
    sx, sy = (m[2] - m[0] ** 2) ** 1.5, (m[3] - m[1] ** 2) ** 1.5
    d = np.array([m[2] / sx, -m[3] / sy, -0.5 * m[0] / sx, 0.5 * m[1] / sy])
    sharpe = lambda z: z.mean() / z.std(ddof=1)
    return np.sqrt(ppy) * (sharpe(x) - sharpe(y)), np.sqrt(ppy) * np.sqrt(d @ S @ d / n)


def check(results, panel, folder, K="1", bp="10", gross="1", first="0", last="99999999"):
    K, cost, gross = int(K), float(bp) * 1e-4, float(gross)
    table = {(r["universe"], r["model"]): r for r in read(f"{folder}/backtest.csv")}
    paths = {}
    for r in read(f"{folder}/backtest_paths.csv"):
        paths.setdefault((r["universe"], r["model"]), []).append(r)
    with h5py.File(results) as f, h5py.File(panel) as p:
        ppy, dates = float(f.attrs["periods_per_year"]), f["dates"][:]
        rows = np.flatnonzero((dates >= int(first)) & (dates <= int(last)))
        t0 = int(np.flatnonzero(p["dates"][:] == dates[rows[0]])[0])
        o, ids, ret = p["offsets"][:], p["asset_ids"][:], p["returns"][:]
        sizes = p["size_groups"][:] if "size_groups" in p else None
        market = [(ids[o[t]:o[t + 1]], ret[o[t]:o[t + 1]]) for t in range(t0, t0 + len(rows))]
        group = dict(micro=1, small=2, large=3, mega=4)
        compared, starts = 0, {}
        found = {}
        for universe in f["models"]:
            for name, g in f[f"models/{universe}"].items():
                if "weights" not in g: continue
                since, series, kept = ledger(market, lambda t: targets_of(g, rows[t]), K, cost, gross)
                found[universe, name] = since, series, g
                starts.setdefault(universe, set()).add(since)
            for since in starts.get(universe, ()):
                def even(t):
                    if t < since: return None
                    here = market[t][0] if universe == "all" else market[t][0][sizes[o[t0 + t]:o[t0 + t + 1]] == group[universe]]
                    return {i: (gross if gross > 0 else 1) / len(here) for i in here.tolist()} if len(here) else None
                name = "equal_weight" if len(starts[universe]) == 1 else f"equal_weight.from={dates[rows[since]]}"
                s, series, kept = ledger(market, even, K, cost, gross if gross > 0 else 0)
                found[universe, name] = since, series, None
        assert set(found) == set(table) == set(paths), (sorted(found), sorted(table))
        for key, (since, x, g) in found.items():
            path, row, n = paths[key], table[key], len(x)
            assert len(path) == n == int(row["periods"]), (key, len(path), n)
            assert int(float(row["from"])) == dates[rows[since]] == int(float(path[0]["date"])) and int(float(row["to"])) == dates[rows[-1]]
            wealth = np.cumprod(1 + x[:, 1])
            for i, r in enumerate(path):
                for c, v in (("gross_return", x[i, 0]), ("net_return", x[i, 1]), ("traded", x[i, 2]), ("wealth", wealth[i])):
                    close(f"{key} {r['date']} {c}", r[c], v)
            top = np.maximum.accumulate(np.concatenate([[1], wealth]))
            net, sharpe = x[:, 1], lambda z: np.sqrt(ppy) * z.mean() / z.std(ddof=1)
            s = sharpe(net) / np.sqrt(ppy)
            expected = dict(rebalance=K, cost_bp=float(bp), return_gross_percent_per_year=100 * ppy * x[:, 0].mean(),
                            return_net_percent_per_year=100 * ppy * net.mean(), volatility_percent_per_year=100 * np.sqrt(ppy) * net.std(ddof=1),
                            sharpe_gross=sharpe(x[:, 0]), sharpe_net=sharpe(net), sharpe_se=np.sqrt(ppy * (1 + s * s / 2) / n),
                            sortino=np.sqrt(ppy) * net.mean() / np.sqrt((np.minimum(net, 0) ** 2).mean()),
                            max_drawdown_percent=100 * (1 - np.concatenate([[1], wealth]) / top).max(), hit_rate_percent=100 * (net > 0).mean(),
                            turnover_per_year=ppy * x[:, 2].mean(), cost_drag_percent_per_year=100 * ppy * (x[:, 0] - net).mean(), final_wealth=wealth[-1])
            if g is not None:
                other = [v for k, v in found.items() if k[0] == key[0] and v[2] is None and v[0] == since][0][1][:, 1]
                d, error = robust_difference(net, other, ppy)
                expected.update(sharpe_less_equal_weight=d, t_equal_weight=d / error)
                if "returns_by_seed" in g and g["returns_by_seed"].shape[1] > 1:
                    by = [sharpe(c) for c in g["returns_by_seed"][:][rows[since:]].T]
                    expected.update(seeds=len(by), seed_sharpe_min=min(by), seed_sharpe_max=max(by), seed_sharpe_sd=np.std(by, ddof=1))
            for column, v in expected.items():
                close(f"{key} {column}", row[column], v, 1e-8)
                compared += 1
    assert compared > 30, compared


def plain(results, folder):
    with h5py.File(results) as f:
        seen = 0
        for r in read(f"{folder}/backtest_paths.csv"):
            if r["model"].startswith("equal_weight"): continue
            g = f[f"models/{r['universe']}/{r['model']}"]
            at = int(np.flatnonzero(f["dates"][:] == int(float(r["date"])))[0])
            close(f"{r['model']} {r['date']}", r["gross_return"], g["returns"][at], 2e-6)
            seen += 1
        assert seen > 20


def spoil(results, out, kind):
    import shutil
    shutil.copy(results, out)
    with h5py.File(out, "r+") as f:
        if kind == "digest": f.attrs["panel_digest"] = "0badcafe"
        elif kind == "dates": f["dates"][:] = f["dates"][:] - 1  # days before the ends of months
        elif kind == "holes":  # the mlp's second fit failed; bsv begins at the fourth date
            g, o = f["models/all/mlp"], f["models/all/mlp/weight_offsets"][:]
            g["weights"][o[1]] = np.nan
            g, o = f["models/all/bsv"], f["models/all/bsv/weight_offsets"][:]
            g["weights"][:o[3]] = np.nan
        elif kind == "stranger": f["models/all/bsv/weight_asset_ids"][0] = -5
        elif kind == "order":
            d = f["models/all/bsv/weight_asset_ids"]
            d[0:2] = d[0:2][::-1]
        elif kind == "bare":
            for g in ("all/bsv", "all/mlp", "small/bsv", "small/mlp"):
                del f[f"models/{g}/weights"], f[f"models/{g}/weight_offsets"], f[f"models/{g}/weight_asset_ids"]


globals()[sys.argv[1]](*sys.argv[2:])
