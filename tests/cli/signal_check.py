"""What `aipm signal` says against the formulas of include/measure/attention_signal.h, written down once more.
    signal_check.py          random files, short and constant series, one asset, thresholds; every figure compared exactly"""
import gzip, json, math, os, random, subprocess, sys

AIPM = os.environ["AIPM"]


def attend(q, others, lookback):
    """Unrounded weights and momentum of a target with returns q, from a list of series."""
    q = q[-lookback:]
    if not q or not others:
        return None
    columns = [(list(v[-lookback:]) + [0.0] * len(q))[:len(q)] for v in others]
    scores = []
    for c in columns:
        total = 0.0
        for a, b in zip(q, c):
            total += a * b
        scores.append(total / math.sqrt(len(q)))
    e = [math.exp(s - max(scores)) for s in scores]
    total = 0.0
    for x in e:
        total += x
    w = [x / total for x in e]
    out = []
    for i in range(len(q)):
        total = 0.0
        for a, c in zip(w, columns):
            total += a * c[i]
        out.append(total)
    last, total = out[-5:], 0.0
    for x in last:
        total += x
    return w, total / len(last)


def signal_of(series, target, lookback):
    names = [n for n in series if n != target]
    found = attend(series[target], [series[n] for n in names], lookback)
    if found is None:
        return dict(signal=0.0, attention_weights={}, dominant_driver=None, confidence=0.0)
    w, momentum = found
    rounded = {n: round(x, 4) for n, x in zip(names, w)}
    most = max(rounded.values())
    return dict(signal=round(momentum, 6), attention_weights=rounded, dominant_driver=[n for n in names if rounded[n] == most][0],
                confidence=round(max(w) * min(1.0, 10 * abs(momentum)), 4))


def regime_of(series, window):
    if len(series) < 2:
        return dict(regime="insufficient_data", risk_level="unknown")
    matrix = {n: signal_of(series, n, window)["attention_weights"] for n in series}
    total = 0.0
    for row in matrix.values():
        total += max(row.values())
    mean = total / len(matrix)
    kind = "crisis_correlated high" if mean > 0.6 else "trending moderate" if mean > 0.4 else "diversified low"
    return dict(zip(("regime", "risk_level"), kind.split()), correlation_concentration=round(mean, 4), asset_count=len(series),
                attention_matrix=matrix)


def tilted(weights, base, tilt):
    total = sum(weights.values()) or 1.0
    out = {n: s * (1 - tilt) + weights[n] / total * tilt if n in weights else s for n, s in base.items()}
    total = 0.0
    for s in out.values():
        total += s
    return {n: round(s / total, 4) for n, s in out.items()} if total > 0 else out


def write(path, series):
    """The last return of every series on the last row; shorter ones begin with empty cells."""
    T = max(len(v) for v in series.values())
    text = "date," + ",".join(series) + "\n"
    for t in range(T):
        cells = [repr(v[t - T + len(v)]) if t >= T - len(v) else "" for v in series.values()]
        text += f"2020-{1 + t // 28 % 12:02d}-{1 + t % 28:02d} {t // 336:02d}:00," + ",".join(cells) + "\n"
    with (gzip.open(path, "wt") if path.endswith(".gz") else open(path, "w")) as f:
        f.write(text)
    return T


def run(*arguments):
    return json.loads(subprocess.run([AIPM, "signal", *map(str, arguments), "--json"], check=True, capture_output=True, text=True).stdout)


def same(what, found, expected):
    for key, value in expected.items():
        if found.get(key) != value:
            sys.exit(f"{what}: {key}: {found.get(key)!r} against {value!r}")


def compare(what, series, lookback, window, target=None, short=False):
    path = f"{what}.csv" + (".gz" if len(series) % 2 else "")
    write(path, series)
    more = ["--short"] if short else []
    target = target or list(series)[0]
    found = run(path, "--target", target, "--lookback", lookback, "--matrix", "--window", window, *more)
    expected = signal_of(series, target, lookback)
    same(what, found, expected)
    same(what, found, regime_of(series, window))
    assert list(found["attention_weights"]) == [n for n in series if n != target] or not expected["attention_weights"], "column order"
    return found


random.seed(5)
regimes = set()
for case in range(25):
    n, T, scale = random.randint(2, 9), random.randint(1, 90), random.choice([0.01, 0.3, 0.8, 2.0])
    common = [random.gauss(0, scale) for _ in range(T)]
    series = {f"A{j}": [random.choice([0, 1]) * c + random.gauss(0, scale) for c in common] for j in range(n)}
    found = compare(f"random{case}", series, random.randint(1, 40), random.randint(1, 80), f"A{random.randrange(n)}")
    regimes.add(found["regime"])
assert regimes == {"diversified", "trending", "crisis_correlated"}, regimes
for case in range(8):  # some begin later: zeros behind their end, or cut at the target's length
    series = {f"A{j}": [random.gauss(0, 0.5) for _ in range(random.choice([3, 12, 30]))] for j in range(5)}
    series["long"] = [random.gauss(0, 0.5) for _ in range(30)]
    compare(f"short{case}", series, 20, 25, short=True)
constant = compare("constant", {"a": [0.01] * 30, "b": [0.02] * 30, "c": [0.02] * 30, "d": [0.0] * 30}, 20, 60)
assert constant["dominant_driver"] == "b", "the first of equals"
zeros = compare("zeros", {"t": [0.0] * 9, "x": [0.01] * 9, "y": [-0.01] * 9}, 20, 60)
assert zeros["attention_weights"] == {"x": 0.5, "y": 0.5} and zeros["dominant_driver"] == "x" and zeros["regime"] == "trending"
alone = compare("alone", {"a": [0.01, 0.02]}, 20, 60)
assert alone["signal"] == 0 and alone["dominant_driver"] is None and alone["confidence"] == 0 and "attention_matrix" not in alone

# the thresholds: two assets give a mean weight of 1, four equal ones 1/3 (three equal: 1/2), so both sides are met
assert compare("two", {"a": [0.01] * 5, "b": [0.02] * 5}, 5, 5)["regime"] == "crisis_correlated"
assert compare("three", {n: [0.01] * 5 for n in "abc"}, 5, 5)["regime"] == "trending"
assert compare("four", {n: [0.01] * 5 for n in "abcd"}, 5, 5)["regime"] == "diversified"
# scores of log 1.5 and 0 make weights of 0.6 and 0.4
x = math.log(1.5)
assert compare("near", {"a": [1.0], "b": [x], "c": [0.0]}, 1, 1)["attention_weights"] == {"b": 0.6, "c": 0.4}

series = {f"A{j}": [random.gauss(0, 0.4) for _ in range(70)] for j in range(6)}
write("tilt.csv", series)
for tilt, base in ((0.2, {"A1": 0.5, "A3": 0.3, "A0": 0.2}), (1, {"A1": 0.5, "A2": 0.5}), (0, {"A4": 3.0, "A5": 1.0}),
                   (0.35, {"A2": -0.5, "A3": 0.25}), (0.5, {"cash": 0.6, "A1": 0.4})):
    found = run("tilt.csv", "--target", "A0", "--tilt", tilt, "--allocate", ",".join(f"{n}={s}" for n, s in base.items()))
    expected = tilted(found["attention_weights"], base, tilt)
    same(f"tilt {tilt}", found, dict(adjusted_allocation=expected))
    assert list(found["adjusted_allocation"]) == list(base)
assert tilted({"A2": 0.5, "A3": 0.5}, {"A2": -5, "A3": 1}, 0.1)["A2"] < -4, "unrounded where the sum is not positive"

# history: at every date what was known then
import csv
subprocess.run([AIPM, "signal", "tilt.csv", "--target", "A2", "--lookback", "12", "--window", "30", "--history", "-o", "history.csv"],
               check=True, capture_output=True)
rows = list(csv.DictReader(open("history.csv")))
assert len(rows) == 70
for t, row in enumerate(rows):
    past = {n: v[:t + 1] for n, v in series.items()}
    s, r = signal_of(past, "A2", 12), regime_of(past, 30)
    assert float(row["signal"]) == s["signal"] and float(row["confidence"]) == s["confidence"] and row["dominant_driver"] == s["dominant_driver"], (t, row, s)
    assert float(row["concentration"]) == r["correlation_concentration"] and row["regime"] == r["regime"] and row["risk_level"] == r["risk_level"]
