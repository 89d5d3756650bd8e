"""Results with planted attention, and what `aipm report` says of them against numpy.
    reading_check.py make FILE          a leader, a collapsed model, a concentrated one, lags, sectors, a model without a record
    reading_check.py check FILE DIR [DATE]
    reading_check.py spoil FILE OUT KIND"""
import csv, sys
import h5py, numpy as np

NAMES = ["ADA", "BTC", "DOT", "ETH", "LTC", "SOL", "XRP"]
A, P = len(NAMES), 40
IDS = np.array([3, 5, 8, 13, 21, 34, 55], dtype=np.int64)


def attention(rng, S, H, plant, share, absent=True):
    """[P, S, H, A, A]: every row gives `share` to `plant`, the rest to all at random; one row not there, assets that come and go."""
    m = rng.dirichlet(np.ones(A), size=(P, S, H, A)) * (1 - share)
    m[..., plant] += share
    if absent:
        for p in range(0, P, 3):
            gone = (plant + 1 + p) % A
            gone = gone if gone != plant else (plant + 1) % A
            m[p, :, :, gone, :] = m[p, :, :, :, gone] = 0
            m[p] /= np.maximum(m[p].sum(axis=-1, keepdims=True), 1e-300)
            m[p, :, :, gone, :] = m[p, :, :, :, gone] = np.nan
        m[P - 1] = np.nan
    return m


def make(path):
    rng, text = np.random.default_rng(8), h5py.string_dtype("utf-8")
    with h5py.File(path, "w") as f:
        for k, v in dict(aipm_format="results", study="study: planted\n", study_name="planted", panel="nowhere.h5", panel_digest="0", program="aipm test").items():
            f.attrs.create(k, v, dtype=text)
        f.attrs["format_version"], f.attrs["periods_per_year"] = np.int64(1), np.int64(12)
        f["dates"] = np.array([(2001 + p // 12) * 10000 + (p % 12 + 1) * 100 + 28 for p in range(P)], dtype=np.int64)
        f["asset_name_ids"] = IDS[:-1]                     # the last asset has no name
        f.create_dataset("asset_names", data=NAMES[:-1], dtype=text)
        for order, (where, kind, S) in enumerate([("all/leader", "cross_attention", 2), ("all/collapsed", "alpha_portfolio", 1),
                                                  ("small/narrow", "cross_attention", 2), ("all/sectors", "cross_attention", 1),
                                                  ("all/plain", "cross_attention", 1)]):
            g = f.create_group(f"models/{where}")
            g.attrs["order"], g.attrs["seeds"] = np.int64(order), np.int64(S)
            g.attrs.create("kind", kind, dtype=text)
            by = 0.01 + 0.05 * rng.standard_normal((P, S))
            g["returns"], g["returns_by_seed"], g["done"] = by.mean(axis=1), by, np.ones(P, dtype=np.uint8)
            if where in ("all/leader", "all/collapsed", "small/narrow"): g["attention_assets"] = IDS.astype(float)
            if where == "all/leader": g["attention"] = attention(rng, S, 3, 3, 0.3)
            if where == "all/collapsed": g["attention"] = attention(rng, S, 1, 1, 0.9, False)
            if where == "small/narrow":                    # every asset on its neighbour: concentrated, no single source
                m = attention(rng, S, 1, 0, 0.0) * 0.35
                for i in range(A): m[..., i, (i + 1) % A] += 0.65
                m[np.isnan(m).any(axis=-1)] = np.nan
                g["attention"] = m
                lag = rng.dirichlet([1, 1, 9, 1], size=(P, S))
                lag[5] = np.nan
                g["lag_weights"] = lag
            if where == "all/sectors":
                s = rng.dirichlet([1, 5, 1], size=(P, S, 4))
                full = np.full((P, S, 4, 4), np.nan)
                full[..., :3, :3] = s[..., :3, :]
                g["sector_attention"] = full


def spoil(path, out, kind):
    import shutil
    shutil.copy(path, out)
    with h5py.File(out, "r+") as f:
        g = f["models/all/leader"]
        if kind == "short":
            d = g["attention"][:5]
            del g["attention"]
            g["attention"] = d
        elif kind == "assets":
            del g["attention_assets"]
            g["attention_assets"] = np.arange(5.0)
        elif kind == "sectors":
            d = f["models/all/sectors/sector_attention"][:, :, :3]
            del f["models/all/sectors/sector_attention"]
            f["models/all/sectors/sector_attention"] = d


def read(folder, name):
    with open(f"{folder}/tables/{name}.csv", newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def close(what, found, expected, tolerance=1e-12):
    found = float(found) if found != "" else np.nan
    if not (abs(found - expected) <= tolerance or (np.isnan(found) and np.isnan(expected))):
        sys.exit(f"{what}: {found!r} against {expected!r}")


def views(m):
    """Relative entropy and concentration of one matrix; NaN where there is none."""
    present = np.isfinite(m).any(axis=1)
    m = m[np.ix_(present, present)]
    if not len(m): return np.nan, np.nan
    m = m / m.sum(axis=1, keepdims=True)
    logs = np.log(np.where(m > 0, m, 1))
    return (-(m * logs).sum(axis=1) / np.log(len(m))).mean(), m.max(axis=1).mean()


def strongest(m):
    column = np.nansum(m, axis=0)
    return (int(column.argmax()), column.max() / column.sum()) if column.sum() > 0 else (None, np.nan)


def name(i): return "55" if i == A - 1 else NAMES[i]
def regime(c): return "crisis_correlated" if c > 0.6 else "trending" if c > 0.4 else "diversified"
def mean(x, axis): return np.nanmean(np.where(np.isfinite(x).any(axis=axis, keepdims=True), x, 0), axis=axis) * np.where(np.isfinite(x).any(axis=axis), 1, np.nan)


def check(path, folder, date=None):
    time, leaders, heads = read(folder, "attention"), read(folder, "leaders"), read(folder, "attention_heads")
    matrix, lags, sectors = read(folder, "attention_matrix"), read(folder, "lag_weights"), read(folder, "sector_attention")
    of = lambda t, key: [r for r in t if f"{r['universe']}/{r['model']}" == key]
    seen = set()
    with h5py.File(path) as f:
        dates = f["dates"][:]
        for key in ("all/leader", "all/collapsed", "small/narrow"):
            m = f[f"models/{key}/attention"][:]
            S, H = m.shape[1:3]
            v = np.array([[[views(m[p, s, h]) for h in range(H)] for s in range(S)] for p in range(P)])
            rows = of(time, key)
            assert len(rows) == P
            for p, r in enumerate(rows):
                e, c = (np.nanmean(v[p, ..., k]) if np.isfinite(v[p, ..., k]).any() else np.nan for k in (0, 1))
                best, share = strongest(mean(m[p].reshape(-1, A, A), 0))
                assert int(float(r["date"])) == dates[p]
                close(f"{key} entropy {p}", r["entropy"], e)
                close(f"{key} concentration {p}", r["concentration"], c)
                close(f"{key} share {p}", r["strongest_share"], share)
                assert r["regime"] == ("" if np.isnan(c) else regime(c)) and r["strongest_source"] == ("" if best is None else name(best)), (key, p, r)
                seen.add(r["regime"])
            head_means, all_mean = mean(m.reshape(-1, H, A, A), 0), mean(m.reshape(-1, A, A), 0)
            for h, r in enumerate(of(heads, key)):
                close(f"{key} head", r["entropy"], np.nanmean(v[:, :, h, 0]))
                close(f"{key} head", r["concentration"], np.nanmean(v[:, :, h, 1]))
                assert r["strongest_source"] == name(strongest(head_means[h])[0])
                close(f"{key} head", r["strongest_share"], strongest(head_means[h])[1])
            assert h == H - 1
            cells = {(int(r["head"]), r["asset"], r["source"]): r["weight"] for r in of(matrix, key)}
            assert len(cells) == (H + 1) * A * A
            for h in range(H + 1):
                for i in range(A):
                    for j in range(A): close(f"{key} matrix", cells[h, name(i), name(j)], (head_means[h - 1] if h else all_mean)[i, j])
            scores = {r["asset"]: r for r in of(leaders, key)}
            for j in range(A):
                close(f"{key} leader", scores[name(j)]["leader_score"], np.nanmean(np.delete(all_mean[:, j], j)))
                close(f"{key} follower", scores[name(j)]["follower_score"], 1 - all_mean[j, j])
            order = [float(r["leader_score"]) for r in of(leaders, key)]
            assert order == sorted(order, reverse=True)
            if date:
                p = int(np.flatnonzero(dates == int(date))[0])
                at = {(int(r["head"]), r["asset"], r["source"]): r["weight"] for r in of(read(folder, "attention_at"), key)}
                one = mean(m[p], 0)
                for h in range(H):
                    for i in range(A):
                        for j in range(A): close(f"{key} at", at[h + 1, name(i), name(j)], one[h, i, j])
        assert of(leaders, "all/leader")[0]["asset"] == "ETH", "the planted leader"
        assert seen >= {"diversified", "trending", "crisis_correlated", ""}, seen
        lag = mean(f["models/small/narrow/lag_weights"][:], 1)
        for l, r in enumerate(lags):
            close("lag", r["mean"], np.nanmean(lag[:, l]))
            close("lag", r["sd"], np.nanstd(lag[:, l], ddof=1))
        assert len(lags) == 4 and max(lags, key=lambda r: float(r["mean"]))["lag"] == "2"
        s = np.nanmean(f["models/all/sectors/sector_attention"][:][..., :3, :3].reshape(-1, 3, 3), axis=0)
        assert len(sectors) == 9
        for r in sectors: close("sector", r["weight"], s[int(r["sector"]), int(r["source"])])


globals()[sys.argv[1]](*sys.argv[2:])
