"""Two or more results agree: close.py MODEL[,grid|,choice] FIRST OTHER... -- FIELD=LIMIT... Limits are shares of a field's largest value in FIRST.
grid: the others were solved on a grid and say how well. choice: the same penalties are chosen."""
import sys
import h5py
import numpy as np

at = sys.argv.index("--")
model, *also = sys.argv[1].split(",")
a, *others = [h5py.File(p)["models/all/" + model] for p in sys.argv[2:at]]
assert others
for b in others:
    for text in sys.argv[at + 1:]:
        name, limit = text.split("=")
        x, y = a[name][:], b[name][:]
        assert np.isfinite(x).all() and np.isfinite(y).all(), name
        assert np.abs(x - y).max() <= float(limit) * np.abs(x).max(), (name, np.abs(x - y).max())
    if "choice" in also:
        assert (a["selected_ridge"][:] == b["selected_ridge"][:]).all()
    if "grid" in also:
        for name in "eigen_residual", "eigen_orthogonality":
            assert name not in a and (b[name][:] > 0).all() and (b[name][:] < 50).all(), (name, b[name][:])
        assert (b["fit_code"][:] == 0).all()
