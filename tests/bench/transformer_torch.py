"""PyTorch's step on the same network, one thread: forward, backward, Adam. Prints nothing useful without torch."""
import os, sys, time
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before torch: idle threads burn processor time
try:
    import torch
except ImportError:
    sys.exit("skipped: python3-torch is not here")
torch.set_num_threads(1)
torch.manual_seed(1)
N, D, DF, K = 3000, 132, 256, 4
X = torch.rand(N, D) - 0.5
R = 0.1 * torch.randn(N)
shapes = [(D, D), (D, D), (D, DF), (DF,), (DF, D), (D,)]
P = [[(torch.randn(*s) / (s[0] ** 0.5)).requires_grad_() for s in shapes] for _ in range(K)]
lam = (torch.randn(D) / D ** 0.5).requires_grad_()
adam = torch.optim.Adam([p for b in P for p in b] + [lam], lr=1e-5)


def step():
    adam.zero_grad()
    Y = X
    for W, V, W1, b1, W2, b2 in P:
        Y = Y + torch.softmax((Y @ W) @ Y.T, 1) @ Y @ V
        Y = Y + torch.relu(Y @ W1 + b1) @ W2 + b2
    loss = (1 - (Y @ lam) @ R) ** 2
    loss.backward()
    adam.step()


best = 1e9
for i in range(5):
    t = time.process_time()
    step()
    best = min(best, time.process_time() - t)
print(f"PyTorch {torch.__version__} step N={N} D={D} df={DF} K={K}, one thread: {best:.4f} s of processor time")
