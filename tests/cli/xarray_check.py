"""xarray_check.py meaning FILE...: every dataset says its unit and meaning and has a named scale on every dimension.
xarray_check.py ENGINE FILE GROUP=DIMENSION,...: xarray opens every group with that engine and no warning, shows h5py's numbers; in
GROUP the dimensions have coordinates, and `date` is the formation dates."""
import sys
import warnings

import h5py
import numpy as np


def datasets(f):
    found = []
    f.visititems(lambda name, x: found.append((name, x)) if isinstance(x, h5py.Dataset) else None)
    return found


def is_scale(x):
    return x.attrs.get("CLASS") == b"DIMENSION_SCALE"


def is_bare(x):  # a dimension without coordinates
    return is_scale(x) and b"not a netCDF variable" in x.attrs["NAME"]


def meaning(path):
    with h5py.File(path) as f:
        for name, x in datasets(f):
            if is_bare(x):
                continue
            assert x.attrs["meaning"] and "unit" in x.attrs, (path, name)
            for size, d in zip(x.shape, x.dims):
                assert d.label and (is_scale(x) or (len(d) == 1 and d[0].shape == (size,))), (path, name, d.label)


def shown(engine, path, expected):
    import xarray as xr
    with h5py.File(path) as f:
        groups = [""] + [name for name in all_groups(f)]
        for group in groups:
            there = {n: x for n, x in f[group or "/"].items() if isinstance(x, h5py.Dataset) and not is_bare(x)}
            with xr.open_dataset(path, group=group or None, engine=engine, decode_times=False) as d:
                assert set(d.variables) == set(there), (group, set(d.variables) ^ set(there))
                for name, x in there.items():
                    y = x.asstr()[...] if x.dtype == object else x[...]
                    assert d[name].shape == x.shape and d[name].dims == tuple(k.label for k in x.dims), (group, name, d[name].dims)
                    assert np.array_equal(d[name].values, y, equal_nan=y.dtype.kind == "f"), (group, name)
        dates = [str(t) for t in f["dates"][...]]
        for group, names in (e.split("=") for e in expected):
            with xr.open_dataset(path, group=group or None, engine=engine) as d:
                assert set(names.split(",")) <= set(d.coords) & set(d.dims), (group, d)
                shape = "%Y%m%d" if len(dates[0]) == 8 else "%Y%m%d%H%M"
                assert list(d.indexes["date"].strftime(shape)) == dates, group


def all_groups(f):
    found = []
    f.visititems(lambda name, x: found.append(name) if isinstance(x, h5py.Group) else None)
    return found


if sys.argv[1] == "meaning":
    for one in sys.argv[2:]:
        meaning(one)
else:
    import xarray  # with its engine, before warnings count: they may warn of each other's age
    if sys.argv[1] == "netcdf4":
        import netCDF4
    warnings.simplefilter("error")
    shown(sys.argv[1], sys.argv[2], sys.argv[3:])
