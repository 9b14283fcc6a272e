"""The workloads in PyTorch: `torch_peer.py WORKLOAD THREADS SECONDS WINDOWS DIRECTORY VARIANT`.

The variant is eager, fused (eager, with fused optimizers), channels_last (the same, with images stored as NHWC) or compiled (network
and loss compiled, fused optimizers).
"""

import json
import resource
import sys
import time

import numpy as np
import torch
from torch import nn

workload, threads, seconds, windows, directory, variant = sys.argv[1:]
seconds, windows = float(seconds), int(windows)
torch.set_num_threads(int(threads))
torch.manual_seed(1)


def load(name):
    images = np.fromfile(f"{directory}/{name}-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 784)
    labels = np.fromfile(f"{directory}/{name}-labels-idx1-ubyte", np.uint8)[8:]
    return torch.from_numpy(images.astype(np.float32) / np.float32(255)), torch.from_numpy(labels.astype(np.int64))


def mlp(*sizes):
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def normalized():
    hidden = [f for n in (784, 512) for f in (nn.Linear(n, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Dropout(0.5))]
    return nn.Sequential(*hidden, nn.Linear(512, 10))


def convolutional():
    blocks = [f for a, b in ((1, 32), (32, 64)) for f in (nn.Conv2d(a, b, 3), nn.ReLU(), nn.MaxPool2d(2))]
    return nn.Sequential(nn.Unflatten(1, (1, 28, 28)), *blocks, nn.Flatten(), *mlp(1600, 128, 10))


class Layer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList([nn.LayerNorm(width, bias=False) for _ in range(2)])
        sizes = (width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)
        self.qkv, self.output, self.up, self.down = (nn.Linear(a, b, bias=False) for a, b in sizes)

    def forward(self, x):
        n, t, c = x.shape
        heads = [y.view(n, t, self.heads, -1).transpose(1, 2) for y in self.qkv(self.norms[0](x)).split(c, 2)]
        y = nn.functional.scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2)
        x = x + self.output(y.reshape(n, t, c))
        return x + self.down(nn.functional.gelu(self.up(self.norms[1](x))))


class Gpt(nn.Module):
    def __init__(self, positions, layers, heads, width):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(65, width), nn.Embedding(positions, width)
        self.layers = nn.Sequential(*(Layer(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width, bias=False)
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.normal_(p, 0, 0.02)

    def forward(self, x):
        x = self.layers(self.tokens(x) + self.positions.weight)
        return self.norm(x) @ self.tokens.weight.t()


class MicroGpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(27, 16), nn.Embedding(16, 16)
        sizes = [(16, 16)] * 4 + [(16, 64), (64, 16), (16, 27)]
        self.layers = nn.ModuleList([nn.Linear(a, b, bias=False) for a, b in sizes])

    def forward(self, x):
        norm = lambda x: nn.functional.rms_norm(x, (16,), eps=1e-5)
        q, k, v, output, up, down, scores = self.layers
        x = norm(self.tokens(x) + self.positions.weight)
        h = norm(x)
        heads = [f(h).view(1, 16, 4, 4).transpose(1, 2) for f in (q, k, v)]
        y = nn.functional.scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2)
        x = x + output(y.reshape(1, 16, 16))
        return scores(x + down(torch.relu(up(norm(x)))))


def deep(width=32, depth=64):
    return nn.Sequential(*mlp(*[width] * (depth + 1)), nn.ReLU())


def normalized_convolution(inputs, outputs, kernel, stride):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        first = normalized_convolution(inputs, outputs, 3, stride)
        self.branch = nn.Sequential(first, nn.ReLU(), normalized_convolution(outputs, outputs, 3, 1))
        self.shortcut = normalized_convolution(inputs, outputs, 1, 2) if stride == 2 else nn.Identity()

    def forward(self, x):
        return nn.functional.relu(self.branch(x) + self.shortcut(x))


def resnet():
    layers, inputs = [nn.Unflatten(1, (3, 32, 32)), normalized_convolution(3, 16, 3, 1), nn.ReLU()], 16
    for outputs in 16, 32, 64:
        for stride in 1 if outputs == 16 else 2, 1, 1:
            layers.append(Residual(inputs, outputs, stride))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class ChannelsLast(nn.Module):
    def __init__(self, unflatten, *layers):
        super().__init__()
        self.unflatten = unflatten
        self.rest = nn.Sequential(*layers).to(memory_format=torch.channels_last)

    def forward(self, x):
        return self.rest(self.unflatten(x).contiguous(memory_format=torch.channels_last))


fused = {} if variant == "eager" else {"fused": True}
optim = torch.optim
adam = lambda p: optim.Adam(p, 1e-3, **fused)
adamw = lambda p: optim.AdamW(p, 1e-3, (0.9, 0.99), weight_decay=0.1, **fused)
WORKLOADS = {
    "w1": (100, lambda: mlp(784, 50, 10), lambda p: optim.SGD(p, 0.1, **fused)),
    "w2": (128, lambda: mlp(784, 256, 128, 10), adam),
    "w3": (128, normalized, lambda p: optim.AdamW(p, 1e-3, weight_decay=1e-4, **fused)),
    "w4": (256, lambda: mlp(784, 2048, 2048, 10), lambda p: optim.SGD(p, 0.01, momentum=0.9, **fused)),
    "w5": (64, convolutional, adam),
    "w7b1": (1, deep, lambda p: optim.SGD(p, 0.01, **fused)),
    "w7b32": (32, deep, lambda p: optim.SGD(p, 0.01, **fused)),
    "w8": (12, lambda: Gpt(64, 4, 4, 128), adamw),
    "w11": (4, lambda: Gpt(256, 6, 6, 384), adamw),
    "microgpt": (1, MicroGpt, lambda p: optim.Adam(p, 1e-2, (0.85, 0.99), **fused)),
    "w10": (64, resnet, lambda p: optim.SGD(p, 0.1, momentum=0.9, weight_decay=1e-4, **fused)),
    "epochs": (128, lambda: mlp(784, 256, 128, 10), adam),
}
# The lengths of the windows of text, and the numbers of tokens.
LANGUAGE = {"w8": (64, 65), "w11": (256, 65), "microgpt": (16, 27)}
if workload.startswith("mlp:"):
    width, batch, depth = map(int, workload.split(":")[1:])
    WORKLOADS[workload] = (batch, lambda: deep(width, depth), lambda p: optim.SGD(p, 0.01, **fused))


def report(**values):
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(values | {"resident": resident}))


def measure(step, loss):
    done = 0

    def window():
        nonlocal done
        start, first = time.perf_counter(), done
        while time.perf_counter() - start < seconds or done < first + 2:
            step(done)
            done += 1
        value = loss()
        return (done - first) / (time.perf_counter() - start), value

    # The first step of a compiled network compiles it.
    warm = [window() for _ in range(2 if variant == "compiled" else 1)]
    timed = [window() for _ in range(windows)]
    report(rates=[rate for rate, _ in timed], losses=[warm[0][1], timed[-1][1]])


def chain():
    x, a, b = (torch.tensor([value], requires_grad=True) for value in (1.0, 0.9999, 1e-4))

    def step(_):
        y = x
        for _ in range(5000):
            y = y * a
            y = y + b
        x.grad = a.grad = b.grad = None
        y.backward()

    measure(step, lambda: a.grad.item())


def characters(steps=50, size=50, classes=65):
    embedding, lstm, output = nn.Embedding(classes, 128), nn.LSTM(128, 128, 2), nn.Linear(128, classes)
    parameters = [p for module in (embedding, lstm, output) for p in module.parameters()]
    optimizer = optim.Adam(parameters, 2e-3, **fused)
    text = torch.tensor([(k * 7919 + k // 13) % classes for k in range(100_000)])
    criterion = lambda x, y: nn.functional.cross_entropy(output(lstm(embedding(x))[0]).flatten(0, 1), y)
    if variant == "compiled":
        criterion = torch.compile(criterion)
    last = None

    def step(k):
        nonlocal last
        window = text[k % 91 * 997 :][: steps * size + 1]
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(window[:-1].view(steps, size), window[1:])
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
        last = loss.detach()

    measure(step, lambda: last.item())


def train():
    size, network, optimizer = WORKLOADS[workload]
    model = network()
    if variant == "channels_last":
        model = ChannelsLast(*model)
    optimizer = optimizer(model.parameters())
    if workload.startswith("mlp:"):
        images, labels = torch.rand(64 * size, width), torch.arange(64 * size) * 7 % width
    elif workload in LANGUAGE:
        length, count = LANGUAGE[workload]
        text = torch.arange(100_000)
        text = (text * 7919 + text // 13) % count
        rows = len(text) // length - 1
        images, labels = (text[k : rows * length + k].view(rows, length) for k in range(2))
    elif workload == "w10":
        images, labels = torch.rand(64 * size, 3072), torch.arange(64 * size) * 7 % 10
    else:
        images, labels = load("train")
    if workload.startswith("w7"):
        images = images[:, 300:332].contiguous()
    criterion = lambda x, y: nn.functional.cross_entropy(model(x).flatten(0, -2), y.flatten())
    if variant == "compiled":
        criterion = torch.compile(criterion)
    last = None

    def step(x, y):
        nonlocal last
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(x, y)
        loss.backward()
        if workload in LANGUAGE:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        last = loss.detach()

    batches = len(images) // size
    if workload != "epochs":
        rows = lambda k: slice(k % batches * size, (k % batches + 1) * size)
        return measure(lambda k: step(images[rows(k)], labels[rows(k)]), lambda: last.item())
    for _ in range(5):
        order = torch.randperm(len(images))
        for k in range(batches):
            rows = order[k * size : (k + 1) * size]
            step(images[rows], labels[rows])
    images, labels = load("t10k")
    model.eval()
    with torch.no_grad():
        report(accuracy=(model(images).argmax(1) == labels).float().mean().item())


{"w6": chain, "w9": characters}.get(workload, train)()
