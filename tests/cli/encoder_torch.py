"""An encoder and its gradient against PyTorch's own layers in double precision, from the same parameters (test_encoder dump).

Outputs and every tensor's gradient must be right to 1e-5 of their largest entry. Where single precision cannot have that (derivatives of
queries and keys of states that are nearly alike cancel), the yardstick is PyTorch itself in single precision: three times its error."""
import os, struct, sys
import numpy as np, torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.stateless import functional_call

torch.set_num_threads(1)

for path in sys.argv[1:]:  # a process each, PyTorch loaded once
    child = os.fork()
    if not child:
        break
    ok = os.waitpid(child, 0)[1] == 0
    print("PASS" if ok else "FAIL", path, flush=True)
else:
    sys.exit(0)
raw, at = open(path, "rb").read(), 0


def take(kind, *shape):
    global at
    n = int(np.prod(shape))
    x = np.frombuffer(raw, kind, n, at).reshape(shape)
    at += x.nbytes
    return x


names = "N L D d H K df kernel temporal cross mean max_lag itself sectors markets C a tensors".split()
S = dict(zip(names, map(int, take("i4", len(names)))))
N, L, D, d, H, K, a = (S[x] for x in "NLDdHKa")
raw_X = take("f4", N, L, D)
group = [take("i4", N), take("i4", N)]
raw_slope = take("f4", N, S["C"])
y_c = take("f4", N, S["C"])
raw_P, G = {}, {}
for _ in range(S["tensors"]):
    name = raw[at:at + 24].split(b"\0")[0].decode()
    rank, *size = struct.unpack_from("5i", raw, at + 24)
    at += 44
    shape = size[:rank]
    raw_P[name] = take("f4", *shape)
    G[name] = take("f4", *shape)
assert at == len(raw)

there = torch.tensor(~np.isnan(raw_X[:, :, 0]))
NONE, FULL, LAGGED, HIERARCHICAL = range(4)
ALL, CAUSAL, LSTM, GRU, APART = range(5)  # over steps
cross = NONE if a else S["cross"]


def norm(k, i, x):
    return functional_call(nn.LayerNorm(d), {"weight": P["norm_scale"][k, i], "bias": P["norm_shift"][k, i]}, (x,))


def linear(x, w, b):
    return functional_call(nn.Linear(*w.shape), {"weight": w.T, "bias": b}, (x,))


def attention(name, k, heads, q, kv, key_mask=None, mask=None):
    parts = ["query", "key", "value"]
    m = nn.MultiheadAttention(d, heads, batch_first=True)
    given = {"in_proj_weight": torch.cat([P[f"{name}_{p}"][k].T for p in parts]),
             "in_proj_bias": torch.cat([P[f"{name}_{p}_bias"][k] for p in parts]),
             "out_proj.weight": P[f"{name}_output"][k].T, "out_proj.bias": P[f"{name}_output_bias"][k]}
    return functional_call(m, given, (q, kv, kv), {"key_padding_mask": key_mask, "attn_mask": mask, "need_weights": False})[0]


def recurrent(k, x):
    """States of PyTorch's own recurrent network over the steps that were there, zero elsewhere."""
    kind, name = (nn.LSTM, "lstm") if S["temporal"] == LSTM else (nn.GRU, "gru")
    w, u, b = (P[f"{name}_{part}"][k] for part in ("input", "hidden", "input_bias"))
    net, nothing = kind(d, d, batch_first=True), torch.zeros_like(b)
    net._flat_weights = [w.T, u.T, b, P["gru_hidden_bias"][k] if name == "gru" else nothing]  # functional_call leaves them
    out = []
    for asset, seen in zip(x, there):
        out.append(torch.zeros_like(asset).masked_scatter(seen[:, None].expand_as(asset), net(asset[seen][None])[0][0]))
    return torch.stack(out)


def pooled(x, lag):
    """States pooled over steps up to L-1-lag, and who was there then."""
    now = there[:, L - 1 - lag]
    seen = there & (torch.arange(L) <= L - 1 - lag)
    z = (x * seen[:, :, None]).sum(1) / seen.sum(1).clamp(min=1)[:, None] if S["mean"] else x[:, L - 1 - lag]
    return torch.where(now[:, None], z, torch.zeros(())), now


def groups(name, k, heads, z, label, count):
    """Attention between the means of groups, handed to their assets; unknown labels are one more group."""
    label = torch.tensor(np.where(label < 0, count, label))
    known = label.unique()
    means = torch.stack([z[label == g].mean(0) for g in known])
    while d % heads:
        heads -= 1
    out = attention(name, k, heads, means[None], means[None])[0]
    return out[torch.searchsorted(known, label)]


def between(k, x):
    z, _ = pooled(x, 0)
    mask = None if S["itself"] else torch.eye(N, dtype=torch.bool)
    if cross != LAGGED:
        o = attention("cross", k, H, z[None], z[None], None, mask)[0]
    else:
        weight, o = F.softmax(P["lag_logits"][k], 0), 0
        for lag in range(S["max_lag"] + 1):
            z_lag, now = pooled(x, lag)
            o = o + weight[lag] * attention("cross", k, H, z[None], z_lag[None], ~now[None], mask)[0]
    if cross == HIERARCHICAL:
        s = groups("sector", k, max(1, H // 2), z, group[0], S["sectors"])
        m = groups("market", k, max(1, H // 4), z, group[1], S["markets"])
        o = linear(torch.cat([o, s, m], 1), P["combine"][k], P["combine_bias"][k])
    return o


def run(dtype):
    """Outputs and gradients of all tensors."""
    global P
    torch.set_default_dtype(dtype)
    P = {n: torch.tensor(p, dtype=dtype, requires_grad=True) for n, p in raw_P.items()}
    X = torch.tensor(np.nan_to_num(raw_X), dtype=dtype)
    w = P["input_weight"]
    if S["kernel"] == 1:
        x = linear(X, w, P["input_bias"])
    else:
        conv = nn.Conv1d(D, d, S["kernel"])
        given = {"weight": w.reshape(S["kernel"], D, d).permute(2, 1, 0), "bias": P["input_bias"]}
        x = functional_call(conv, given, (F.pad(X.transpose(1, 2), (S["kernel"] - 1, 0)),)).transpose(1, 2)
    l, c = torch.arange(L)[:, None], torch.arange(d)[None]
    angle = l / 10000 ** ((c - c % 2) / d)
    x = x + torch.where(c % 2 == 0, torch.sin(angle), torch.cos(angle))
    # steps see the steps that were there (causal: up to their own); those that were not see themselves, and are then left out
    mask = ~there[:, None, :].expand(N, L, L)
    if S["temporal"] == CAUSAL:
        mask = mask | ~torch.ones(L, L, dtype=torch.bool).tril()
    mask = mask & ~(torch.eye(L, dtype=torch.bool) & ~there[:, None, :])
    mask = mask.repeat_interleave(H, 0)
    for k in range(K):
        i = 0
        if S["temporal"] != APART:
            x, i = norm(k, 0, x + (attention("time", k, H, x, x, None, mask) if S["temporal"] <= CAUSAL else recurrent(k, x))), 1
        if cross != NONE:
            x, i = norm(k, i, x + between(k, x)[:, None, :]), i + 1
        x = norm(k, i, x + linear(torch.relu(linear(x, P["W1"][k], P["b1"][k])), P["W2"][k], P["b2"][k]))
    if a:
        r = torch.where(there[:, :, None], x, torch.zeros(())).reshape(N, L * d)
        q, key, v = (linear(r, P[f"asset_{n}"].reshape(L * d, a), P[f"asset_{n}_bias"]) for n in ("query", "key", "value"))
        y = torch.tanh(F.softmax(q @ key.T / a ** 0.5, 1) @ v @ P["winner"] + P["winner_bias"])[:, None]
    else:
        y = linear(x[:, -1], P["output_weight"], P["output_bias"])
    (y * torch.tensor(raw_slope, dtype=dtype)).sum().backward()
    return dict({n: p.grad.numpy() for n, p in P.items()}, outputs=y.detach().numpy())


want, single = run(torch.float64), run(torch.float32)
G["outputs"] = y_c
most = max(np.abs(g).max() for g in want.values())
worst, said = 0, ""
for name, w in want.items():
    error = np.abs(G[name] - w).max()
    allowed = max(1e-5 * np.abs(w).max(), 3 * np.abs(single[name] - w).max(), 5e-7 * most)
    if error / allowed >= worst:
        worst, said = error / allowed, f"{name}: off by {error:.1e}, PyTorch in single precision {np.abs(single[name] - w).max():.1e}, largest {np.abs(w).max():.1e}"
print(f"worst of {len(want)}: {said}", flush=True)
sys.exit(not worst < 1)
