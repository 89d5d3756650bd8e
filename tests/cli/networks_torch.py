"""Networks against PyTorch in double precision: gradients of one period, losses of several epochs from the same initial values."""
import glob, os, sys
import numpy as np, torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def transformer(X, P):
    Y = X
    for W, V, W1, b1, W2, b2 in zip(*P[:6]):
        A = sum(torch.softmax((Y @ w) @ Y.T, 1) @ Y @ v for w, v in zip(W, V))
        Z = Y + A
        Y = Z + torch.relu(Z @ W1 + b1) @ W2 + b2
    return Y @ P[6]


def mlp(X, P):
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
    shapes = {"transformer": [(2, 2, D, D), (2, 2, D, D), (2, D, 50), (2, 50), (2, 50, D), (2, D), (D,)],
              "mlp": [(D, 40), (40,), (40, 30), (30,), (30, 1), (1,)]}[kind]
    P, G = [], []
    for s in shapes:
        n = int(np.prod(s))
        P.append(torch.tensor(np.frombuffer(raw, "f4", n, at).reshape(s).astype("f8"), requires_grad=True))
        G.append(np.frombuffer(raw, "f4", n, at + 4 * n).reshape(s))
        at += 8 * n
    loss = (1 - globals()[kind](X, P) @ R) ** 2
    loss.backward()
    worst = abs(loss_c - loss.item()) / abs(loss.item())
    print(f"{kind}: loss off by {worst:.1e}")
    for s, p, g in zip(shapes, P, G):
        e = np.abs(g - p.grad.numpy()).max() / np.abs(p.grad.numpy()).max()
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
                loss = (1 - globals()[kind](X, P) @ R) ** 2
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
    W, V, W1, b1, W2, b2 = (torch.tensor(h[n][:].astype("f8")) for n in ("W", "V", "W1", "b1", "W2", "b2"))
    for k in range(block):
        P = [torch.softmax((Y @ w) @ Y.T, 1) for w in W[k]]
        Z = Y + sum(p @ Y @ v for p, v in zip(P, V[k]))
        Y = Z + torch.relu(Z @ W1[k] + b1[k]) @ W2[k] + b2[k]
    P = (sum(P) / len(P)).numpy()
    received, entropy = P.sum(0) - np.diag(P), -(P * np.log(P)).sum(1)
    rows = {int(r["asset"]): r for r in csv.DictReader(open(folder + "/assets.csv"))}
    worst = max(max(abs(float(rows[i]["received"]) / x - 1), abs(float(rows[i]["entropy"]) / y - 1)) for i, x, y in zip(ids, received, entropy))
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
