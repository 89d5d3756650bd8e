"""What results of sequence models promise, checked with numpy: sequences.py RESULTS PANEL."""
import sys
import h5py
import numpy as np

results, panel = h5py.File(sys.argv[1]), h5py.File(sys.argv[2])
models = results["models/all"]
dates, offsets, ids, returns = (panel[k][:] for k in ("dates", "offsets", "asset_ids", "returns"))
names = panel["asset_name_ids"][:]
first = int(np.searchsorted(dates, results["dates"][0]))
P = len(results["dates"])
assert list(results["asset_name_ids"][:]) == list(names) and len(results["asset_names"]) == len(names)


def present(p):
    t = first + p
    return np.isin(names, ids[offsets[t]:offsets[t + 1]])


def shares(a, there, self_too=True):
    """Rows of a [.., A, A] matrix sum to 1 over the assets that are there; NaN elsewhere."""
    assert np.isnan(a[..., ~there, :]).all() and np.isnan(a[..., :, ~there]).all()
    inside = a[..., there, :][..., there]
    assert np.allclose(inside.sum(-1), 1, atol=1e-5), inside.sum(-1)
    if not self_too:
        assert np.allclose(np.diagonal(inside, axis1=-2, axis2=-1), 0)


for name, heads, self_too in (("full.pool=mean", 2, False), ("full.pool=last", 2, False), ("lagged", 1, True),
                              ("sectors", 1, True), ("alpha", 1, True)):
    a = models[name]["attention"][:]
    S = models[name]["returns_by_seed"].shape[1]
    assert a.shape == (P, S, heads, len(names), len(names)), (name, a.shape)
    for p in range(P):
        if name == "lagged":  # an asset that was absent at a lag gives less than 1 in all
            there = present(p)
            assert np.nanmax(a[p]) <= 1 + 1e-6 and (np.nansum(a[p, 0, 0][there], -1) <= 1 + 1e-5).all()
        else:
            shares(a[p], present(p), self_too)
    assert np.allclose(models[name]["attention_assets"][:], names)
lag = models["lagged/lag_weights"][:]
assert lag.shape == (P, 1, 4) and np.allclose(lag.sum(-1), 1, atol=1e-6)
assert all((lag[p] == lag[p - p % 4]).all() for p in range(P)), "a block of rows shares one fit"
sector = models["sectors/sector_attention"][:]
G = panel["groups/sector"].attrs["labels"].size
assert sector.shape == (P, 1, G + 1, G + 1) and np.allclose(np.nansum(sector, -1)[..., :G], 1, atol=1e-5)

for name in models:
    m = models[name]
    at, w, who = m["weight_offsets"][:], m["weights"][:].astype(float), m["weight_asset_ids"][:]
    for p in range(P):
        rows = slice(offsets[first + p], offsets[first + p + 1])
        assert (who[at[p]:at[p + 1]] == ids[rows]).all()
        x = w[at[p]:at[p + 1]]
        assert np.isclose(x @ returns[rows], m["returns"][p], rtol=1e-4, atol=1e-7), name
        if name == "sectors":
            assert (x > 0).all() and np.isclose(x.sum(), 1, atol=1e-5)
        if name in ("forecast", "direction"):
            assert np.isclose(abs(x).sum(), 1, atol=1e-5)
        if name == "gain":
            assert (abs(x) <= 1 / len(x) + 1e-7).all()
        if name == "alpha":
            k = min(3, len(x) // 2)
            assert (x > 0).sum() == k and (x < 0).sum() == k and abs(x.sum()) < 1e-5 and np.isclose(abs(x).sum(), 2, atol=1e-5)
