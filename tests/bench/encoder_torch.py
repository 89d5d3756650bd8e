"""PyTorch's training step on the network of bench_encoder, one thread: prints the seconds of its own layers as they are, and of the same
with the work that does not reach the output left out of the last layer (feed-forward and norms for the last step only)."""
import os, math, time
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before torch: idle threads burn processor time
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)
N, L, D, d, H, K, df = 500, 60, 8, 64, 4, 2, 256


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.time = nn.MultiheadAttention(d, H, batch_first=True)
        self.cross = nn.MultiheadAttention(d, H, batch_first=True)
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(3))
        self.forward_layer = nn.Sequential(nn.Linear(d, df), nn.ReLU(), nn.Linear(df, d))

    def forward(self, x, last):
        x = self.norms[0](x + self.time(x, x, x, need_weights=False)[0])
        z = x.mean(1)[None]
        o = self.cross(z, z, z, need_weights=False)[0][0][:, None]
        if last:
            x = x[:, -1:]
        x = self.norms[1](x + o)
        return self.norms[2](x + self.forward_layer(x))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.out = nn.Linear(D, d), nn.Linear(d, 1)
        self.layers = nn.ModuleList(Layer() for _ in range(K))
        l, c = torch.arange(L)[:, None], torch.arange(d)[None]
        angle = l / 10000 ** ((c - c % 2) / d)
        self.register_buffer("position", torch.where(c % 2 == 0, torch.sin(angle), torch.cos(angle)))

    def forward(self, x, prune):
        x = self.embed(x) + self.position
        for k, layer in enumerate(self.layers):
            x = layer(x, prune and k == K - 1)
        return self.out(x[:, -1])


net, X, slope = Network(), torch.rand(N, L, D) - 0.5, torch.randn(N, 1)
for prune in False, True:
    best = math.inf
    for _ in range(5):
        net.zero_grad()
        at = time.process_time()
        (net(X, prune) * slope).sum().backward()
        best = min(best, time.process_time() - at)
    print(best)
