"""Placebo panels made apart from the program, as its header promises them, and what placebos must earn.
    placebo.py make PANEL OUT KIND[=VALUE] SEED
    placebo.py nothing RESULTS MODEL...     |t| of every model's mean return is below 3
    placebo.py strong RESULTS MODEL         the model's Sharpe ratio is near the truth's"""
import math, shutil, sys
import h5py
import numpy as np

M = 0xffffffff


def philox(key, counter):
    k0, k1 = key
    c0, c1, c2, c3 = counter
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & M, (p0 >> 32) ^ c3 ^ k1, p0 & M
        k0, k1 = (k0 + 0x9E3779B9) & M, (k1 + 0xBB67AE85) & M
    return c0, c1, c2, c3


class Stream:
    def __init__(self, seed, name, b):
        self.key = (seed & M, seed >> 32)
        name = int.from_bytes(name, "big")
        self.x = philox(self.key, (name & M, name >> 32, b, 0))
        self.x = philox(self.key, self.x)

    def block(self, i):
        return philox(self.x[:2], (i & M, i >> 32, self.x[2], self.x[3]))

    def normal(self, i):
        w = self.block(i // 2)
        u, v = [(((a << 32 | b) >> 11) + 0.5) * 2.0 ** -53 for a, b in (w[:2], w[2:])]
        r, angle = math.sqrt(-2 * math.log(u)), 6.283185307179586 * v
        return r * (math.sin(angle) if i % 2 else math.cos(angle))


def order(stream, n):
    """Fisher and Yates: place i takes what stands at a uniform place of 0 .. i."""
    at = list(range(n))
    for i in range(n - 1, 0, -1):
        w = stream.block(i)
        j = ((w[0] << 32 | w[1]) * (i + 1)) >> 64
        at[i], at[j] = at[j], at[i]
    return at


def blur(X, amount, stream):
    """Sums one after the other, as a plain loop takes them."""
    n, D = X.shape
    for j in range(D):
        mean = sum(float(x) for x in X[:, j]) / n
        sd = math.sqrt(sum((float(x) - mean) ** 2 for x in X[:, j]) / n)
        for i in range(n):
            y = mean + (float(X[i, j]) - mean + amount * sd * stream.normal(i * D + j)) * (1 / math.sqrt(1 + amount ** 2))
            X[i, j] = min(0.5, max(-0.5, y))


def make(panel, out, what, seed):
    kind, _, value = what.partition("=")
    shutil.copy(panel, out)
    with h5py.File(out, "r+") as f:
        at, ids, X, R = f["offsets"][:], f["asset_ids"][:], f["characteristics"][:], f["returns"][:]
        names, T = [n.decode() for n in f["characteristic_names"][:]], len(f["offsets"]) - 1
        stored, shown, moved = R.copy(), X.copy(), order(Stream(seed, b"periods", 0), T)
        absent = strangers = 0
        for t in range(T):
            here, n = slice(at[t], at[t + 1]), at[t + 1] - at[t]
            if kind == "returns":
                R[here] = R[here][order(Stream(seed, b"placebo", t), n)]
            elif kind == "signs":
                R[here] *= -1 if Stream(seed, b"signs", 0).block(t // 4)[t % 4] >> 31 else 1
            elif kind == "iid":
                mean = sum(R[here]) / n
                sd, s = math.sqrt(sum((r - mean) ** 2 for r in R[here]) / n), Stream(seed, b"iid", t)
                R[here] = [sd * s.normal(i) + mean for i in range(n)]
            elif kind == "periods":
                there = slice(at[moved[t]], at[moved[t] + 1])
                m, other = len(ids[there]), dict(zip(ids[there], stored[there]))
                for i in range(n):
                    strangers += ids[at[t] + i] not in other
                    R[at[t] + i] = other.get(ids[at[t] + i], stored[there][(2 * i + 1) * m // (2 * n)])
            elif kind == "noise":
                part = X[here].copy()
                blur(part, float(value), Stream(seed, b"noise", t))
                X[here] = part
            elif kind == "characteristics":
                past, lag = {}, int(value)
                if t >= lag:
                    past = dict(zip(ids[at[t - lag]:at[t - lag + 1]], shown[at[t - lag]:at[t - lag + 1]]))
                for i in range(at[t], at[t + 1]):
                    X[i] = past.get(ids[i], 0)
                    absent += t >= lag and ids[i] not in past
        for name in value.split(",") if kind == "without" else []:
            X[:, names.index(name)] = 0
        if kind == "characteristics":
            assert 0.01 < absent / len(ids) < 0.9, "no asset enters: the test says nothing"
        if kind == "periods":
            assert 0.01 < strangers / len(ids) < 0.9, "no asset is missing then: the test says nothing"
        f["returns"][...], f["characteristics"][...] = R, X


def series(f, model):
    r = f["truth/sdf_returns"][:] if model == "truth" else f[f"models/all/{model}/returns"][:]
    return r[np.isfinite(r)]


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(*sys.argv[2:5], int(sys.argv[5]))
    else:
        with h5py.File(sys.argv[2]) as f:
            for model in sys.argv[3:]:
                r = series(f, model)
                t = r.mean() / r.std(ddof=1) * len(r) ** 0.5
                if sys.argv[1] == "nothing":
                    assert abs(t) < 3, f"{model}: t = {t:.2f}"
                else:
                    s = series(f, "truth")
                    share = t / (s.mean() / s.std(ddof=1) * len(s) ** 0.5)
                    assert 0.75 < share <= 1.05 and t > 8, f"{model}: {share:.2f} of the truth's Sharpe ratio, t = {t:.1f}"
