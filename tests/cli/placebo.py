"""Placebo panels made apart from the program, as its header promises them, and what placebos must earn.
    placebo.py make PANEL OUT returns SEED | characteristics K
    placebo.py nothing RESULTS MODEL...     |t| of every model's mean return is below 3
    placebo.py strong RESULTS MODEL         the model's Sharpe ratio is near the truth's"""
import shutil, sys
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


def order(seed, t, n):
    """Fisher and Yates: place i takes what stands at a uniform place of 0 .. i."""
    name = int.from_bytes(b"placebo", "big")
    key = (seed & M, seed >> 32)
    x = philox(key, (name & M, name >> 32, t, 0))
    x = philox(key, x)
    at = list(range(n))
    for i in range(n - 1, 0, -1):
        w = philox(x[:2], (i, 0, x[2], x[3]))
        j = ((w[0] << 32 | w[1]) * (i + 1)) >> 64
        at[i], at[j] = at[j], at[i]
    return at


def make(panel, out, what, number):
    shutil.copy(panel, out)
    with h5py.File(out, "r+") as f:
        at, ids, X, R = f["offsets"][:], f["asset_ids"][:], f["characteristics"][:], f["returns"][:]
        shown = np.zeros_like(X)
        for t in range(len(at) - 1):
            here = slice(at[t], at[t + 1])
            if what == "returns":
                R[here] = R[here][order(number, t, at[t + 1] - at[t])]
            elif t >= number:
                past = dict(zip(ids[at[t - number]:at[t - number + 1]], X[at[t - number]:at[t - number + 1]]))
                for i in range(at[t], at[t + 1]):
                    shown[i] = past.get(ids[i], 0)
        f["returns"][...] = R
        if what != "returns":
            f["characteristics"][...] = shown
            assert 0.01 < (shown[at[number]:] == 0).all(axis=1).mean() < 0.9, "no asset enters: the test says nothing"


def series(f, model):
    r = f["truth/sdf_returns"][:] if model == "truth" else f[f"models/all/{model}/returns"][:]
    return r[np.isfinite(r)]


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
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
