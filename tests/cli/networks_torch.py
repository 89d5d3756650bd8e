"""Networks against PyTorch in double precision: gradients of one period, losses of several epochs from the same initial values. The model
named sized sees its size group only."""
import glob, os, sys
import numpy as np, torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def labels(kind, n):
    """Labels of the assets of a gradient's period, as tests/mpi/test_networks.c gives them; None: nobody asks."""
    i = torch.arange(n)
    return {"own_group": 7 * i % 4, "linear_group": 7 * i % 4, "size_group": 5 * i % 6, "itself": i}.get(kind)


def attends_to(Y, w, label=None, linear=False):
    """Who attends to whom, [N, N]: those of a label to each other."""
    S = (Y @ w) @ Y.T
    seen = torch.ones_like(S) > 0 if label is None else label[:, None] == label[None, :]
    return S * seen / seen.sum(1, keepdim=True) if linear else torch.softmax(S.masked_fill(~seen, -torch.inf), 1)


def transformer(X, P, kind="transformer", label=None):
    P, Y = list(P), X
    label, linear = labels(kind, len(X)) if label is None else label, kind.startswith("linear")
    residual = kind not in ("no_residual", "linear_group")
    W, V = (P.pop(0), P.pop(0)) if kind != "no_attention" else (None, None)
    F = [P.pop(0) for _ in range(4)] if len(P) > 1 else None
    for k in range(2):
        if W is not None:
            A = sum(attends_to(Y, w, label, linear) @ Y @ v for w, v in zip(W[k], V[k]))
            Y = Y + A if residual else A
        if F:
            W1, b1, W2, b2 = (f[k] for f in F)
            A = torch.relu(Y @ W1 + b1) @ W2 + b2
            Y = Y + A if residual else A
    return Y @ P[0]


def mlp(X, P, kind=None):
    for i in range(0, len(P) - 2, 2):
        X = torch.relu(X @ P[i] + P[i + 1])
    return X @ P[-2][:, 0] + P[-1]


def gradients(path, kind):
    N, D = 700, 132
    raw = open(path, "rb").read()
    X = torch.tensor(np.frombuffer(raw, "f4", N * D).reshape(N, D).astype("f8"))
    R = torch.tensor(np.frombuffer(raw, "f8", N, N * D * 4).copy())
    at = N * D * 4 + N * 8
    loss_c = np.frombuffer(raw, "f8", 1, at)[0]
    at += 8
    attends, feeds = [(2, 2, D, D), (2, 2, D, D)], [(2, D, 50), (2, 50), (2, 50, D), (2, D)]
    shapes = {"no_attention": feeds + [(D,)], "no_feedforward": attends + [(D,)], "linear_group": attends + [(D,)],
              "mlp": [(D, 40), (40,), (40, 30), (30,), (30, 1), (1,)]}.get(kind, attends + feeds + [(D,)])
    P, G = [], []
    for s in shapes:
        n = int(np.prod(s))
        P.append(torch.tensor(np.frombuffer(raw, "f4", n, at).reshape(s).astype("f8"), requires_grad=True))
        G.append(np.frombuffer(raw, "f4", n, at + 4 * n).reshape(s))
        at += 8 * n
    loss = (1 - (mlp if kind == "mlp" else transformer)(X, P, kind) @ R) ** 2
    loss.backward()
    worst = abs(loss_c - loss.item()) / abs(loss.item())
    print(f"{kind}: loss off by {worst:.1e}")
    for s, p, g in zip(shapes, P, G):
        most = np.abs(p.grad.numpy()).max()
        e = np.abs(g - p.grad.numpy()).max() / most if most > 1e-12 else np.abs(g).max()
        print(f"  gradient of {s}: off by {e:.1e} of its largest entry")
        worst = max(worst, e)
    return worst < 1e-5


def epochs(panel, results, initial, universe, model, kind, names, rate, T):
    import h5py
    f, r = h5py.File(panel), h5py.File(results)
    offsets, dates = f["offsets"][:], list(f["dates"][:])
    worst = 0
    for path in sorted(glob.glob(f"{initial}/{universe}/{model}/seed=*/*.h5"))[::5]:
        date, seed = int(os.path.basename(path)[:-3]), int(path.split("seed=")[1].split("/")[0])
        h = h5py.File(path)
        P = [torch.tensor(h[n][:].astype("f8"), requires_grad=True) for n in names]
        adam = torch.optim.Adam(P, lr=rate)
        now, loss_c = dates.index(date), r[f"models/{universe}/{model}/training_loss"]
        row = list(r["dates"][:]).index(date)
        for e in range(loss_c.shape[2]):
            total = 0
            for t in range(now - T, now):
                a, b = offsets[t], offsets[t + 1]
                X, R = torch.tensor(f["characteristics"][a:b].astype("f8")), torch.tensor(f["returns"][a:b])
                adam.zero_grad()
                sizes = torch.tensor(f["size_groups"][a:b]) if model == "sized" else None
                loss = (1 - (mlp(X, P) if kind == "mlp" else transformer(X, P, kind, sizes)) @ R) ** 2
                loss.backward()
                adam.step()
                total += loss.item() / T
            worst = max(worst, abs(loss_c[row, seed, e] / total - 1))
    print(f"{model}: losses of all epochs off by at most {worst:.1e}")
    return worst < 1e-2


def attention(panel, folder, saved, date, block):
    """Entropies and column sums that `aipm inspect` wrote, from the saved parameters (mean over heads)."""
    import csv, h5py
    f, h = h5py.File(panel), h5py.File(saved)
    t = list(f["dates"][:]).index(date)
    a, b = f["offsets"][t], f["offsets"][t + 1]
    Y = torch.tensor(f["characteristics"][a:b].astype("f8"))
    ids = f["asset_ids"][a:b]
    label = torch.tensor(f["size_groups"][a:b]) if "/sized/" in saved else None
    W, V, W1, b1, W2, b2 = (torch.tensor(h[n][:].astype("f8")) for n in ("W", "V", "W1", "b1", "W2", "b2"))
    for k in range(block):
        P = [attends_to(Y, w, label) for w in W[k]]
        Z = Y + sum(p @ Y @ v for p, v in zip(P, V[k]))
        Y = Z + torch.relu(Z @ W1[k] + b1[k]) @ W2[k] + b2[k]
    P = (sum(P) / len(P)).numpy()
    received, entropy = P.sum(0) - np.diag(P), -(P * np.log(np.maximum(P, 1e-300))).sum(1)
    rows = {int(r["asset"]): r for r in csv.DictReader(open(folder + "/assets.csv"))}
    worst = max(max(abs(float(rows[i]["received"]) - x), abs(float(rows[i]["entropy"]) / y - 1)) for i, x, y in zip(ids, received, entropy))
    np.fill_diagonal(P, 0)
    links = [float(r["weight"]) for r in csv.DictReader(open(folder + "/links.csv"))]
    worst = max(worst, np.abs(np.array(links) / np.sort(P.ravel())[::-1][: len(links)] - 1).max())
    print(f"attention of block {block} on {date}: off by at most {worst:.1e}")
    return worst < 1e-4 and len(rows) == len(ids) and len(links) == 40


if sys.argv[1] == "gradients":
    ok = gradients(sys.argv[2], sys.argv[3])
elif sys.argv[1] == "attention":
    ok = attention(*sys.argv[2:5], int(sys.argv[5]), int(sys.argv[6]))
else:
    names = {"transformer": ["W", "V", "W1", "b1", "W2", "b2", "lambda"], "mlp": ["weight_0", "bias_0", "weight_1", "bias_1", "weight_2", "bias_2"]}
    ok = epochs(*sys.argv[2:8], names[sys.argv[7]], 1e-3, 24)
sys.exit(not ok)
