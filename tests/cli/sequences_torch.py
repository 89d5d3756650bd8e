"""A study of sequence models done again in PyTorch, in double precision, from include/models/{encoder,objective,epochs}.h and
include/panel/window.h: `compare STUDY...` reads STUDY-start.h5 (epochs: 0) and STUDY.h5, trains from the parameters of the one
and compares all that the other keeps; `relabel PANEL` gives a panel unknown and changing labels."""
import math
import sys

import h5py
import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


class Panel:
    def __init__(self, path):
        with h5py.File(path) as f:
            self.dates, self.offsets, self.ids = f["dates"][:], f["offsets"][:], f["asset_ids"][:]
            self.x, self.r = f["characteristics"][:].astype(float), f["returns"][:]
            self.groups = {k: f["groups"][k][:] for k in f.get("groups", {})}
            self.labels = {k: len(f["groups"][k].attrs["labels"]) for k in self.groups}
        self.all_ids = np.unique(self.ids)
        self.row = [{i: k for k, i in zip(range(a, b), self.ids[a:b])} for a, b in zip(self.offsets, self.offsets[1:])]

    def period(self, t, L):
        """What is known at t: [n, L, D] of each asset, [n, L] whether it was there, labels, returns."""
        a, b = self.offsets[t], self.offsets[t + 1]
        x, there = np.zeros((b - a, L, self.x.shape[1])), np.zeros((b - a, L), bool)
        for i, asset in enumerate(self.ids[a:b]):
            for l in range(L):
                s = t - L + 1 + l
                if s >= 0 and asset in self.row[s]:
                    x[i, l], there[i, l] = self.x[self.row[s][asset]], True
        return dict(x=torch.tensor(x), there=torch.tensor(there), ids=self.ids[a:b], r=torch.tensor(self.r[a:b]),
                    groups={k: torch.tensor(g[a:b].astype(int)) for k, g in self.groups.items()})


def attend(p, name, k, q, kv, heads, allowed):
    """nn.MultiheadAttention of layer k over the last but one dimension; where nothing is allowed the heads give 0."""
    def split(x, what):
        y = x @ p[f"{name}_{what}"][k] + p[f"{name}_{what}_bias"][k]
        return y.unflatten(-1, (heads, -1)).transpose(-2, -3)
    Q, K, V = split(q, "query"), split(kv, "key"), split(kv, "value")
    score = (Q @ K.transpose(-1, -2) / math.sqrt(Q.shape[-1])).masked_fill(~allowed, -math.inf)
    some = allowed.any(-1, keepdim=True)
    a = torch.where(some, torch.softmax(torch.where(some, score, 0.0), -1), 0.0)
    y = (a @ V).transpose(-2, -3).flatten(-2)
    return y @ p[f"{name}_output"][k] + p[f"{name}_output_bias"][k], a


def heads_of(d, h):
    h = max(h, 1)
    while d % h:
        h -= 1
    return h


class Model:
    def __init__(self, options, panel):
        self.o, self.panel = options, panel
        self.alpha = options["kind"] == "alpha_portfolio"
        self.cross = "none" if self.alpha else options["cross"]
        self.L, self.d, self.H = (int(options[k]) for k in ("lookback", "d_model", "heads"))
        loss = options["objective"]
        if self.alpha:
            self.position = "long_short"
        else:
            out = options["output"]
            self.position = out if out != "weights" else options["position"]
            if loss == "default":
                loss = {"weights": "msrr", "return": "mse", "direction": "cross_entropy"}[out]
        self.loss, self.falls = loss, 0
        self.rollout = int(options["rollout"]) or (12 if loss == "sharpe" else 1)

    def pool(self, x, there, last):
        """States at step `last`: its mean over steps up to it, or that step; whether the asset was there then."""
        if self.o["pool"] == "last":
            return x[:, last], there[:, last]
        m = there[:, : last + 1, None].to(x.dtype)
        return (x[:, : last + 1] * m).sum(1) / m.sum(1).clamp(min=1), there[:, last]

    def between(self, p, k, x, period):
        """o of step 2 and the attention: [heads, n, n]."""
        there, L = period["there"], self.L
        z, now = self.pool(x, there, L - 1)
        n = len(z)
        seen = torch.ones(n, n, dtype=bool) if self.o["include_self"] == "true" else ~torch.eye(n, dtype=bool)
        if self.cross == "full":
            return *attend(p, "cross", k, z, z, self.H, seen), {}
        if self.cross == "lagged":
            s = torch.softmax(p["lag_logits"][k], 0)
            o, a = 0, 0
            for lag in range(len(s)):
                z_lag, was = self.pool(x, there, L - 1 - lag)
                y, b = attend(p, "cross", k, z, z_lag, self.H, seen & was)
                o, a = o + s[lag] * y, a + s[lag] * b
            return o, a, {"lag_weights": s}
        o, a = attend(p, "cross", k, z, z, self.H, seen)
        parts, more = [o], {}
        for name, share in ("sector", 2), ("market", 4):
            column = self.o[name]
            G = self.panel.labels[column]
            label = period["groups"][column].clone()
            label[label < 0] = G
            present = torch.unique(label)
            member = (label[None] == present[:, None]).to(z.dtype)
            means = member @ z / member.sum(1, keepdim=True)
            y, b = attend(p, name, k, means, means, heads_of(self.d, self.H // share), torch.ones(1, dtype=bool))
            parts.append(member.T @ y)
            if name == "sector":
                full = torch.full((G + 1, G + 1), math.nan)
                full[present[:, None], present[None]] = b.mean(0).detach()
                more["sector_attention"] = full
        return torch.cat(parts, -1) @ p["combine"][k] + p["combine_bias"][k], a, more

    def forward(self, p, period):
        x, there = period["x"], period["there"]
        kernel, d = int(self.o["kernel"]), self.d
        late = F.pad(x, (0, 0, kernel - 1, 0))
        x = torch.cat([late[:, j : j + self.L] for j in range(kernel)], -1) @ p["input_weight"] + p["input_bias"]
        l, i = torch.arange(self.L)[:, None], torch.arange(d)[None]
        angle = l / 10000 ** ((i - i % 2) / d)
        x = x + torch.where(i % 2 == 0, torch.sin(angle), torch.cos(angle))
        allowed = there[:, None, None, :]
        if self.o["temporal"] == "causal":
            allowed = allowed & torch.ones(self.L, self.L, dtype=bool).tril()
        a, more = None, {}

        def norm(x, k, which):
            return F.layer_norm(x, (d,), p["norm_scale"][k, which], p["norm_shift"][k, which], 1e-5)
        for k in range(int(self.o["layers"])):
            x = norm(x + attend(p, "time", k, x, x, self.H, allowed)[0], k, 0)
            if self.cross != "none":
                o, a, more = self.between(p, k, x, period)
                x = norm(x + o[:, None], k, 1)
            x = norm(x + F.relu(x @ p["W1"][k] + p["b1"][k]) @ p["W2"][k] + p["b2"][k], k, -1)
        if not self.alpha:
            return x[:, -1] @ p["output_weight"] + p["output_bias"], a, more
        r = (x * there[..., None]).flatten(1)
        q, k, v = (r @ p[f"asset_{w}"].flatten(0, 1) + p[f"asset_{w}_bias"] for w in ("query", "key", "value"))
        a = torch.softmax(q @ k.T / math.sqrt(q.shape[1]), -1)
        return torch.tanh(a @ v @ p["winner"] + p["winner_bias"])[:, None], a[None], more

    def weights(self, y):
        n = len(y)
        if self.position == "direction":
            up = torch.softmax(y, -1)
            c = up[:, 2] - up[:, 0]
            return c / c.abs().sum()
        y = y[:, 0]
        if self.position == "none":
            return y
        if self.position == "softmax":
            return torch.softmax(y, 0)
        if self.position == "tanh":
            return torch.tanh(y) / n
        if self.position == "return":
            c = y.clamp(-1, 1)
            return c / c.abs().sum()
        G = min(int(self.o["winners"]), n // 2)
        order = torch.argsort(-y, stable=True)
        w = torch.zeros_like(y)
        w = w.index_add(0, order[:G], torch.softmax(y[order[:G]], 0))
        return w.index_add(0, order[n - G :], -torch.softmax(-y[order[n - G :]], 0)) if G else w

    def objective(self, p, periods):
        """Loss of a rollout of periods."""
        losses, f = [], []
        for q in periods:
            y, _, _ = self.forward(p, q)
            r = q["r"]
            if self.loss == "mse":
                losses.append(((r - y[:, 0]) ** 2).sum())
            elif self.loss == "cross_entropy":
                zone = float(self.o["dead_zone"])
                losses.append(F.cross_entropy(y, 1 + (r > zone).long() - (r < -zone).long()))
            else:
                f.append(self.weights(y) @ r)
                losses.append((1 - f[-1]) ** 2 if self.loss == "msrr" else -f[-1])
        if self.loss == "sharpe":
            f = torch.stack(f)
            return -f.mean() / f.std(unbiased=False)
        return torch.stack(losses).mean()

    def fit(self, start, periods):
        """Trained parameters and the loss of every epoch."""
        o = self.o
        p = {k: torch.tensor(v, requires_grad=True) for k, v in start.items()}
        rate, clip = float(o["learning_rate"]), float(o["clip"])
        adam = torch.optim.AdamW(p.values(), lr=rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=float(o["weight_decay"]))
        held = int(o["early_stopping"])
        train, kept = (periods[:-held], periods[-held:]) if held else (periods, [])
        steps = max(len(train) // self.rollout, 1)
        cut = [len(train) * g // steps for g in range(steps + 1)]
        history = np.full(int(o["epochs"]), np.nan)
        best, waited, low, flat, keep, step = math.inf, 0, math.inf, 0, None, 0
        for epoch in range(len(history)):
            total = 0
            for a, b in zip(cut, cut[1:]):
                done = step / (steps * len(history))
                if o["schedule"] == "cosine":
                    adam.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * done)) / 2
                elif o["schedule"] == "linear":
                    adam.param_groups[0]["lr"] = rate * (1 - done)
                step += 1
                adam.zero_grad()
                loss = self.objective(p, train[a:b])
                loss.backward()
                if clip:
                    size = math.sqrt(sum(float((v.grad**2).sum()) for v in p.values() if v.grad is not None))
                    for v in p.values():
                        if v.grad is not None and size > clip:
                            v.grad *= clip / size
                adam.step()
                total += float(loss) * (b - a)
            history[epoch] = total / len(train)
            watched = history[epoch]
            if kept:
                with torch.no_grad():
                    watched = float(self.objective(p, kept))
            if o["schedule"] == "plateau":
                flat = 0 if watched < low else flat + 1
                low = min(low, watched)
                if flat >= int(o["plateau_patience"]):
                    flat, adam.param_groups[0]["lr"] = 0, adam.param_groups[0]["lr"] * float(o["plateau_factor"])
                    self.falls += 1
            if kept:
                if watched < best:
                    best, waited, keep = watched, 0, {k: v.detach().clone() for k, v in p.items()}
                else:
                    waited += 1
                    if waited >= int(o["patience"]):
                        break
        return keep or {k: v.detach() for k, v in p.items()}, history


class Differences:
    """The largest difference of every quantity, relative to the quantity's largest value."""

    def __init__(self):
        self.worst, self.what = {}, {}

    def add(self, what, mine, theirs, scale=None):
        mine, theirs = np.asarray(mine, float), np.asarray(theirs, float)
        if mine.shape != theirs.shape or (np.isnan(mine) != np.isnan(theirs)).any():
            self.worst[what] = math.inf
            return
        if not mine.size or np.isnan(mine).all():
            return
        scale = scale or np.nanmax(np.abs(theirs)) or 1
        self.worst[what] = max(self.worst.get(what, 0), float(np.nanmax(np.abs(mine - theirs)) / scale))


def read_parameters(path):
    with h5py.File(path) as f:
        return {k: f[k][:].astype(float) for k in f}


def compare(study, name, group, panel, dates, tolerance):
    o = dict(w.split("=", 1) for w in group.attrs["options"].split())
    model, T, S = Model(o, panel), int(o["window"]), int(o["seeds"])
    every, first = int(o["refit_every"]), list(panel.dates).index(dates[0])
    assets = {i: k for k, i in enumerate(panel.all_ids)}
    periods = [model.panel.period(t, model.L) for t in range(len(panel.dates))]
    P, A, d = len(dates), len(assets), Differences()
    by_seed, losses, weights = np.zeros((P, S)), np.zeros((P, S, int(o["epochs"]))), [0] * P
    extra = {}
    for s in range(S):
        p = None
        for row in range(P):
            now = first + row
            history = np.full(int(o["epochs"]), np.nan)
            if row % every == 0:
                at = f"{study}%s.h5.parameters/all/{name}/seed={s}/{dates[row]}.h5"
                start = read_parameters(at % "-start")
                if o["warm_start"] == "true" and p is not None:
                    start = {k: v.numpy() for k, v in p.items()}
                p, history = model.fit(start, periods[now - T : now])
                theirs = read_parameters(at % "")
                if set(theirs) != set(p):
                    d.worst["parameters"] = math.inf
                # those of no effect have a gradient of rounding only, which Adam's steps magnify; so it is with single entries
                felt = [k for k in p if not k.endswith("key_bias") and (k, model.position) != ("output_bias", "softmax")]
                far = [sum(((a[k] - b[k]) ** 2).sum() for k in felt) ** 0.5
                       for a, b in (({k: v.numpy() for k, v in p.items()}, theirs), (theirs, start))]
                d.add("parameters", far[0], 0, far[1])
            with torch.no_grad():
                y, a, more = model.forward(p, periods[now])
                w = model.weights(y)
            by_seed[row, s], losses[row, s] = float(w @ periods[now]["r"]), history
            weights[row] = weights[row] + w.numpy() / S
            if o["save_attention"] != "none":
                at = [assets[i] for i in periods[now]["ids"]]
                full = np.full((len(a), A, A), np.nan)
                full[np.ix_(range(len(a)), at, at)] = a
                more["attention"] = full.mean(0, keepdims=True) if o["save_attention"] == "mean" else full
                for k, v in more.items():
                    extra.setdefault(k, {})[row, s] = np.asarray(v)
    d.add("returns", by_seed.mean(1), group["returns"][:])
    d.add("returns_by_seed", by_seed, group["returns_by_seed"][:])
    d.add("training_loss", losses, group["training_loss"][:])
    d.add("weights", np.concatenate(weights), group["weights"][:])
    ids = np.concatenate([periods[first + row]["ids"] for row in range(P)])
    d.add("weight_asset_ids", ids, group["weight_asset_ids"][:])
    if extra:
        d.add("attention_assets", panel.all_ids, group["attention_assets"][:])
    for k in "attention", "lag_weights", "sector_attention":
        if (k in extra) != (k in group):
            d.worst[k] = math.inf
        elif k in extra:
            d.add(k, np.array([[extra[k][row, s] for s in range(S)] for row in range(P)]), group[k][:])
    good = all(v < (tolerance[1] if k == "parameters" else tolerance[0]) for k, v in d.worst.items())
    epochs = (~np.isnan(losses[::every])).sum(2)
    print("PASS" if good else "FAIL", f"{name}, {epochs.size} fits of {epochs.min()} to {epochs.max()} epochs,",
          f"{model.falls} falls of the rate, relative differences:",
          ", ".join(f"{k} {v:.0e}" for k, v in d.worst.items()), flush=True)
    return good


def main():
    if sys.argv[1] == "relabel":
        with h5py.File(sys.argv[2], "r+") as f:
            ids, g = f["asset_ids"][:], f["groups/sector"]
            labels = g[:]
            labels[ids == np.unique(ids)[5]] = -1                   # never known
            labels[(ids == np.unique(ids)[1]) & (np.arange(len(ids)) > len(ids) // 2)] = 0  # moves
            g[:] = labels
        return 0
    good = True
    for study in sys.argv[2:]:
        with h5py.File(study + ".h5") as f:
            panel = Panel(f.attrs["panel"])
            for name in f["models/all"]:
                good &= compare(study, name, f["models/all"][name], panel, f["dates"][:], (5e-5, 1e-2))
    return 0 if good else 1


sys.exit(main())
