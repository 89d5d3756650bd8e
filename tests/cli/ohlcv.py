"""Price files with every fault that ingest counts, and the panel they must give, computed here by other means: pandas-like formulas in
numpy on dictionaries of dates.
    ohlcv.py make DIR [LAST [FACTOR]]               the files, cut after day LAST, whose prices and volumes are multiplied by FACTOR
    ohlcv.py check DIR PANEL ranks|N HORIZON        the panel against the formulas; N: ranks among the asset's last N values
    ohlcv.py prefix PANEL SHORTER [shocked]         SHORTER's rows are PANEL's first rows, bit by bit (but the last date's returns)
    ohlcv.py real PANEL FILE...                     the panel of real files
"""
import csv, gzip, json, os, sys
from datetime import datetime, timedelta, timezone
import numpy as np, h5py

DAYS, START = 150, datetime(2021, 3, 1, tzinfo=timezone.utc)
NAMES = ["log_return", "intraday_return", "range", "relative_volume", "volatility", "rsi", "macd", "macd_signal", "macd_histogram"]


def bars(seed, first=0):
    """day -> (open, high, low, close, volume), unadjusted"""
    r = np.random.default_rng(seed)
    c, out = 50.0 * (1 + seed), {}
    for d in range(first, DAYS):
        o = c * np.exp(0.01 * r.standard_normal())
        c = o * np.exp(0.03 * r.standard_normal())
        h, l = max(o, c) * (1 + 0.01 * r.random()), min(o, c) * (1 - 0.01 * r.random())
        out[d] = tuple(float("%.6f" % v) for v in (o, h, l, c, 1000 * r.random()))
    return out


def stories():
    """asset -> {day: (open, high, low, close, adjusted, volume)} as ingest should see them"""
    s = {}
    a = bars(1)  # Yahoo: a dividend on day 60, a 2:1 split of unadjusted prices on day 90
    factor = {d: (0.5 if d < 90 else 1.0) * (0.98 if d < 60 else 1.0) for d in a}
    split = {d: tuple(x / (1 if d < 90 else 2) for x in v[:4]) + (v[4],) for d, v in a.items()}
    s["ADJ"] = {d: v[:4] + (float("%.6f" % (v[3] * factor[d])), v[4]) for d, v in split.items()}
    b = bars(2)
    for d in (70, 100, 101, 102, 103, 104):
        del b[d]
    del b[20]  # a price of 0 there
    b[110] = b[110][:3] + (b[110][3] * 1.001, 777.0)  # of two rows the last
    s["GAPS"] = {d: v[:4] + (v[3], v[4]) for d, v in b.items()}
    s["JSON.P"] = {d: v[:4] + (v[3], v[4]) for d, v in bars(3).items()}
    s["LATE"] = {d: v[:4] + (v[3], v[4]) for d, v in bars(4, 60).items()}
    quiet = bars(5)
    for d in range(80, 103):
        quiet[d] = quiet[d][:4] + (0.0,)
    s["QUIET"] = {d: v[:4] + (v[3], v[4]) for d, v in quiet.items()}
    return s


def day(d):
    return START + timedelta(days=d)


def make(folder, last=DAYS, factor=1):
    s = {n: {d: tuple(factor * y for y in v) if d == last else v for d, v in x.items() if d <= last} for n, x in stories().items()}
    ms = lambda d: int(day(d).timestamp()) * 1000
    rows = ["%s,%s,%s,%s,%s,%s,%s" % ((day(d).strftime("%Y-%m-%d"),) + v) for d, v in s["ADJ"].items()]
    rows[5], rows[9] = rows[9], rows[5]  # not in order
    open(folder + "/ADJ.csv", "w").write("Date,Open,High,Low,Close,Adj Close,Volume\n" + "\n".join(rows))
    rows = []
    for d, v in s["GAPS"].items():
        row = "%d,%s,%s,%s,%s,%s,1.5,%s" % (ms(d), *v[:4], v[5], day(d).strftime("%Y-%m-%d"))
        if d == 110:
            rows.append("%d,%s,%s,%s,%s,3,1.5,%s" % (ms(d), *v[:4], day(d).strftime("%Y-%m-%d")))
        rows += [row] * (2 if d == 50 else 1)
        if d == 19:
            rows.append("%d,0,5,0,4,10,40,2021-03-21" % ms(20))
    with gzip.open(folder + "/GAPS.csv.gz", "wt") as f:
        f.write("timestamp,open,high,low,close,volume,turnover,date\n" + "\n".join(rows) + "\n")
    with open(folder + "/renamed.json", "w") as f:  # pages, newest first, overlapping by one bar
        days = sorted(s["JSON.P"], reverse=True)
        for at in range(0, len(days), 60):
            page = [[str(ms(d)), *("%r" % x for x in s["JSON.P"][d][:4]), "%r" % s["JSON.P"][d][5], "1"] for d in days[at : at + 61]]
            f.write(json.dumps({"retCode": 0, "retMsg": "OK", "result": {"symbol": "JSON.P", "category": "linear", "list": page}, "time": 1}) + "\n")
        f.write(json.dumps({"retCode": 0, "retMsg": "OK", "result": {"symbol": "JSON.P", "category": "linear", "list": []}}) + "\n")
    for n in ("LATE", "QUIET"):
        with open(folder + "/" + n + ".csv", "w") as f:
            f.write("timestamp,open,high,low,close,volume\n")
            for d, v in s[n].items():
                f.write("%d,%s,%s,%s,%s,%s\n" % (ms(d) // 1000, *v[:4], v[5]))


def ema(x, span):
    alpha, y = 2 / (span + 1), [x[0]]
    for v in x[1:]:
        y.append(alpha * v + (1 - alpha) * y[-1])
    return np.array(y)


def features(rows, previous):
    """rows: date -> (open, high, low, close, adjusted, volume); previous: date -> the calendar's date before. date -> feature list"""
    dates = sorted(rows)
    x = np.array([rows[d] for d in dates])
    o, h, l, raw, c, v = x.T
    r = np.full(len(c), np.nan)
    for i in range(1, len(c)):
        if previous[dates[i]] == dates[i - 1]:
            r[i] = np.log(c[i] / c[i - 1])
    macd = ema(c, 12) - ema(c, 26)
    signal = ema(macd, 9)
    out = {}
    for i in range(33, len(c)):  # 34 observations
        known = r[: i + 1][~np.isnan(r[: i + 1])]
        if np.isnan(r[i]) or len(known) < 20 or not v[i - 19 : i + 1].sum() > 0:
            continue
        delta = np.diff(c[i - 14 : i + 1])
        gain, loss = np.maximum(delta, 0).mean(), np.maximum(-delta, 0).mean()
        rsi = 50 if gain == loss == 0 else 100 if loss == 0 else 100 - 100 / (1 + gain / loss)
        out[dates[i]] = [r[i], (raw[i] - o[i]) / o[i], (h[i] - l[i]) / raw[i], v[i] / v[i - 19 : i + 1].mean(), known[-20:].std(ddof=1), rsi,
                         macd[i] / c[i], signal[i] / c[i], (macd[i] - signal[i]) / c[i]]
    return out


def past_ranks(rows, previous, mode):
    """Ranks among the last values each feature has had on any date, of which there must be 20."""
    dates, column = sorted(rows), {}
    x = np.array([rows[d] for d in dates])
    o, h, l, raw, c, v = x.T
    macd = ema(c, 12) - ema(c, 26)
    signal, r = ema(macd, 9), []
    seen = [[] for _ in NAMES]
    for i, d in enumerate(dates):
        value = [np.nan] * 9
        if i and previous[d] == dates[i - 1]:
            value[0] = np.log(c[i] / c[i - 1])
            r.append(value[0])
        value[1], value[2] = (raw[i] - o[i]) / o[i], (h[i] - l[i]) / raw[i]
        if i >= 19 and v[i - 19 : i + 1].mean() > 0:
            value[3] = v[i] / v[i - 19 : i + 1].mean()
        if len(r) >= 20:
            value[4] = np.std(r[-20:], ddof=1)
        if i >= 14:
            delta = np.diff(c[i - 14 : i + 1])
            gain, loss = delta[delta > 0].sum(), -delta[delta < 0].sum()
            value[5] = 100 * gain / (gain + loss)
        if i >= 25:                                          # a mean of 26 prices has seen 26, a mean of 9 of those 34
            value[6] = macd[i] / c[i]
        if i >= 33:
            value[7:] = [signal[i] / c[i], (macd[i] - signal[i]) / c[i]]
        out = []
        for k, z in enumerate(value):
            if np.isnan(z):
                out.append(np.nan)
                continue
            seen[k].append(z)
            past = np.array(seen[k][-mode:])
            rank = (past < z).sum() + ((past == z).sum() + 1) / 2
            out.append((rank - 1) / (len(past) - 1) - 0.5 if len(past) >= 20 else np.nan)
        column[d] = out
    return column


def ranks(x):
    less = (x[None, :, :] < x[:, None, :]).sum(axis=1)
    same = (x[None, :, :] == x[:, None, :]).sum(axis=1)
    return (less + (same + 1) / 2 - 1) / max(len(x) - 1, 1) - (0.5 if len(x) > 1 else 0)


def expect(stories, mode, horizon):
    calendar = sorted(set().union(*stories.values()))
    previous = dict(zip(calendar[1:], calendar))
    names = sorted(stories)
    made = {n: features(stories[n], previous) for n in names}
    past = {n: past_ranks(stories[n], previous, mode) for n in names} if mode else None
    rows = []
    for k in range(0, len(calendar), horizon):
        d, after = calendar[k], calendar[k + horizon] if k + horizon < len(calendar) else None
        here = [n for n in names if d in made[n] and not (mode and np.isnan(past[n][d]).any())]
        if not here:
            continue
        x = np.array([made[n][d] for n in here])
        z = np.array([past[n][d] for n in here]) if mode else ranks(x)
        for i, n in enumerate(here):
            if after in stories[n]:
                rows.append((d, names.index(n) + 1, x[i], z[i], stories[n][after][4] / stories[n][d][4] - 1, stories[n][d][4]))
    return names, rows


def compare(names, rows, panel, date):
    f = h5py.File(panel)
    dates = np.repeat(f["dates"][()], np.diff(f["offsets"][()]))
    want = np.array([date(r[0]) for r in rows])
    assert [s.decode() for s in f["asset_names"]] == names, "names"
    assert list(f["asset_name_ids"]) == list(range(1, len(names) + 1)), "ids of names"
    assert [s.decode() for s in f["characteristic_names"]] == NAMES, "features"
    assert len(dates) == len(want) and (dates == want).all(), "dates: %d rows, %d wanted" % (len(dates), len(want))
    assert (f["asset_ids"][()] == [r[1] for r in rows]).all(), "ids"
    x, z = np.array([r[2] for r in rows]), np.array([r[3] for r in rows])
    for k, n in enumerate(NAMES):
        got = f["ohlcv/features"][:, k]
        assert np.abs(got - x[:, k]).max() <= 2e-6 * max(1, np.abs(x[:, k]).max()), (n, np.abs(got - x[:, k]).max())
    differ = np.abs(f["characteristics"][()] - z).max(axis=1) > 1e-6
    assert differ.mean() < 1e-4, ("standardised", differ.sum(), NAMES)
    assert np.abs(f["returns"][()] - [r[4] for r in rows]).max() < 1e-12, "returns"
    assert np.abs(f["ohlcv/close"][()] / [r[5] for r in rows] - 1).max() < 1e-12, "close"
    audit, steps = f["audit/rows"][()], [s.decode() for s in f["audit/steps"]]
    kept = steps.index("kept")
    assert (audit[:, 0] == audit[:, 1 : kept + 1].sum(axis=1)).all(), "every row is accounted for"
    assert audit[:, kept].sum() == len(rows), "rows kept"


def real(files):
    out = {}
    for path in files:
        rows = {}
        for r in csv.DictReader(gzip.open(path, "rt")):
            r = {k.lower(): v for k, v in r.items()}
            v = tuple(float(r[k]) for k in ("open", "high", "low", "close")) + (float(r.get("adj close", r["close"])), float(r["volume"]))
            if min(v[:5]) > 0:
                rows[r["date"]] = v
        out[os.path.basename(path)[:-7]] = rows
    return out


if __name__ == "__main__":
    what, arg = sys.argv[1], sys.argv[2:]
    if what == "make":
        make(arg[0], *map(int, arg[1:]))
    elif what == "check":
        mode = 0 if arg[2] == "ranks" else int(arg[2])
        compare(*expect(stories(), mode, int(arg[3])), arg[1], lambda d: int(day(d).strftime("%Y%m%d")))
    elif what == "real":
        compare(*expect(real(arg[1:]), 0, 1), arg[0], lambda d: int(d.replace("-", "")))
    elif what == "prefix":
        a, b = (h5py.File(p) for p in arg[:2])
        n, t = b["asset_ids"].shape[0], b["dates"].shape[0]
        assert n > 100
        for k in ("characteristics", "returns", "ohlcv/features", "ohlcv/close", "asset_ids"):
            m = b["offsets"][t - 1] if k == "returns" and arg[2:] else n
            assert a[k][:m].tobytes() == b[k][:m].tobytes(), k
        last = b["offsets"][t - 1]
        assert not arg[2:] or (a["returns"][last:n] != b["returns"][last:n]).all()
        assert (a["dates"][:t] == b["dates"][()]).all() and (a["offsets"][: t + 1] == b["offsets"][()]).all()
