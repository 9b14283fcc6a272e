"""The workloads in JAX: `jax_peer.py WORKLOAD THREADS SECONDS WINDOWS DIRECTORY`.

A whole training step is compiled, with donated buffers; convolutions are NHWC. There is no w6: a chain of single numbers
would be compiled into something else. One thread means that the process is bound to one processor.
"""

import json
import os
import resource
import sys
import time

workload, threads, seconds, windows, directory = sys.argv[1:]
seconds, windows = float(seconds), int(windows)
os.environ["JAX_PLATFORMS"] = "cpu"
if threads == "1":
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

rng = np.random.default_rng(1)
tree_map = jax.tree_util.tree_map


def load(name):
    images = np.fromfile(f"{directory}/{name}-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 784)
    labels = np.fromfile(f"{directory}/{name}-labels-idx1-ubyte", np.uint8)[8:]
    return images.astype(np.float32) / np.float32(255), labels.astype(np.int32)


def weights(*shape):
    bound = 1 / np.prod(shape[:-1]) ** 0.5
    uniform = lambda shape: jnp.asarray(rng.uniform(-bound, bound, shape), jnp.float32)
    return {"weight": uniform(shape), "bias": uniform(shape[-1:])}


def mlp(*sizes):
    return {"layers": [weights(a, b) for a, b in zip(sizes, sizes[1:])]}


def dense(layer, x):
    return x @ layer["weight"] + layer["bias"]


def forward_mlp(parameters, x, key, activated=False):
    *hidden, output = parameters["layers"]
    for layer in hidden:
        x = jax.nn.relu(dense(layer, x))
    x = dense(output, x)
    return (jax.nn.relu(x) if activated else x), []


def forward_deep(parameters, x, key):
    return forward_mlp(parameters, x, key, activated=True)


def forward_normalized(parameters, x, key):
    *hidden, output = parameters["layers"]
    statistics = []
    for layer, norm in zip(hidden, parameters["norms"]):
        x = dense(layer, x)
        mean, variance = x.mean(0), x.var(0)
        statistics.append((mean, variance))
        x = jax.nn.relu((x - mean) * lax.rsqrt(variance + 1e-5) * norm["weight"] + norm["bias"])
        key, own = jax.random.split(key)
        x = jnp.where(jax.random.bernoulli(own, 0.5, x.shape), x * 2, 0)
    return dense(output, x), statistics


def forward_convolutional(parameters, x, key):
    x = x.reshape(-1, 28, 28, 1)
    for layer in parameters["convolutions"]:
        x = lax.conv_general_dilated(x, layer["weight"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jax.nn.relu(x + layer["bias"])
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return forward_mlp(parameters, x.reshape(x.shape[0], -1), key)


def normal(*shape, scale=0.02):
    return jnp.asarray(rng.normal(0, scale, shape), jnp.float32)


def gpt(positions, layers, width):
    layer = lambda: {
        "norms": [jnp.ones(width) for _ in range(2)],
        "qkv": normal(width, 3 * width),
        "output": normal(width, width),
        "up": normal(width, 4 * width),
        "down": normal(4 * width, width),
    }
    tokens = {"tokens": normal(65, width), "positions": normal(positions, width)}
    return tokens | {"layers": [layer() for _ in range(layers)], "norm": jnp.ones(width)}


def attention(q, k, v, heads):
    q, k, v = (x.reshape(*x.shape[:2], heads, -1) for x in (q, k, v))
    y = jax.nn.dot_product_attention(q, k, v, is_causal=True)
    return y.reshape(*y.shape[:2], -1)


def forward_gpt(heads):
    def norm(x, weight):
        x = x - x.mean(-1, keepdims=True)
        return x * lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weight

    def forward(parameters, x, key):
        x = parameters["tokens"][x] + parameters["positions"]
        for layer in parameters["layers"]:
            qkv = jnp.split(norm(x, layer["norms"][0]) @ layer["qkv"], 3, -1)
            x = x + attention(*qkv, heads) @ layer["output"]
            hidden = jax.nn.gelu(norm(x, layer["norms"][1]) @ layer["up"], approximate=False)
            x = x + hidden @ layer["down"]
        return norm(x, parameters["norm"]) @ parameters["tokens"].T, []

    return forward


def micro_gpt():
    shapes = [(16, 16)] * 4 + [(16, 64), (64, 16), (16, 27)]
    layers = [normal(*shape, scale=0.08) for shape in shapes]
    return {"tokens": normal(27, 16, scale=0.08), "positions": normal(16, 16, scale=0.08), "layers": layers}


def forward_micro_gpt(parameters, x, key):
    norm = lambda x: x * lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5)
    q, k, v, output, up, down, scores = parameters["layers"]
    x = norm(parameters["tokens"][x] + parameters["positions"])
    h = norm(x)
    x = x + attention(h @ q, h @ k, h @ v, 4) @ output
    return (x + jax.nn.relu(norm(x) @ up) @ down) @ scores, []


def convolve(x, weight, stride=1):
    padding = [(weight.shape[0] // 2,) * 2] * 2
    return lax.conv_general_dilated(x, weight, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def forward_resnet(parameters, x, key):
    statistics = []

    def normalized(layer, x, stride=1):
        x = convolve(x, layer["weight"], stride)
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        statistics.append((mean, variance))
        return (x - mean) * lax.rsqrt(variance + 1e-5) * layer["scale"] + layer["bias"]

    x = jax.nn.relu(normalized(parameters["stem"], x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)))
    for block in parameters["blocks"]:
        stride = 2 if "shortcut" in block else 1
        y = jax.nn.relu(normalized(block["first"], x, stride))
        y = normalized(block["second"], y)
        x = jax.nn.relu(y + (normalized(block["shortcut"], x, stride) if "shortcut" in block else x))
    return dense(parameters["output"], x.mean((1, 2))), statistics


def sgd(rate):
    return lambda p: (), lambda p, g, state: (tree_map(lambda p, g: p - rate * g, p, g), state)


def momentum(rate, decay=0.0):
    def update(p, g, state):
        state = tree_map(lambda p, m, g: 0.9 * m + g + decay * p, p, state, g)
        return tree_map(lambda p, m: p - rate * m, p, state), state

    return lambda p: tree_map(jnp.zeros_like, p), update


def adam(decay=0.0, rate=1e-3, betas=(0.9, 0.999), clip=None):
    c, d = betas

    def update(p, g, state):
        m, v, t = state
        t = t + 1
        if clip:
            norm = jnp.sqrt(sum((g * g).sum() for g in jax.tree_util.tree_leaves(g)))
            g = tree_map(lambda g: g * jnp.minimum(1, clip / (norm + 1e-6)), g)
        m = tree_map(lambda m, g: c * m + (1 - c) * g, m, g)
        v = tree_map(lambda v, g: d * v + (1 - d) * g * g, v, g)
        a, b = 1 - c ** t.astype(jnp.float32), 1 - d ** t.astype(jnp.float32)
        new = lambda p, m, v: p - rate * ((m / a) / (jnp.sqrt(v / b) + 1e-8) + decay * p)
        return tree_map(new, p, m, v), (m, v, t)

    return lambda p: (tree_map(jnp.zeros_like, p), tree_map(jnp.zeros_like, p), jnp.zeros((), jnp.int32)), update


def lstm():
    cells = [{"input": weights(128, 512), "hidden": weights(128, 512)} for _ in range(2)]
    return {"embedding": jnp.asarray(rng.normal(size=(65, 128)), jnp.float32), "cells": cells, "output": weights(128, 65)}


def forward_lstm(parameters, x, key):
    x = parameters["embedding"][x.reshape(50, 50)]
    for cell in parameters["cells"]:
        def advance(state, x, hidden=cell["hidden"]):
            h, c = state
            i, f, g, o = jnp.split(x + dense(hidden, h), 4, 1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zeros = jnp.zeros(x.shape[1:])
        _, x = lax.scan(advance, (zeros, zeros), dense(cell["input"], x))
    return dense(parameters["output"], x).reshape(-1, 65), []


def clipped(rate, bound=5.0):
    initial, update = adam(rate=rate)

    def clip(p, g, state):
        norm = jnp.sqrt(sum((g * g).sum() for g in jax.tree_util.tree_leaves(g)))
        return update(p, tree_map(lambda g: g * jnp.minimum(1, bound / (norm + 1e-6)), g), state)

    return initial, clip


def norms():
    return [{"weight": jnp.ones(512), "bias": jnp.zeros(512)} for _ in range(2)]


def convolutions():
    return [weights(3, 3, 1, 32), weights(3, 3, 32, 64)]


def normalized_convolution(inputs, outputs, kernel):
    weight = weights(kernel, kernel, inputs, outputs)["weight"]
    return {"weight": weight, "scale": jnp.ones(outputs), "bias": jnp.zeros(outputs)}


def resnet():
    blocks, inputs = [], 16
    for outputs in 16, 32, 64:
        for k in range(3):
            sizes = {"first": (inputs, outputs, 3), "second": (outputs, outputs, 3)}
            if inputs != outputs:
                sizes["shortcut"] = (inputs, outputs, 1)
            blocks.append({name: normalized_convolution(*shape) for name, shape in sizes.items()})
            inputs = outputs
    return {"stem": normalized_convolution(3, 16, 3), "blocks": blocks, "output": weights(64, 10)}


middle = (128, lambda: mlp(784, 256, 128, 10), forward_mlp, adam())
deep = (lambda: mlp(*[32] * 65), forward_deep, sgd(0.01))
adamw = adam(0.1, betas=(0.9, 0.99), clip=1)
WORKLOADS = {
    "w1": (100, lambda: mlp(784, 50, 10), forward_mlp, sgd(0.1)),
    "w2": middle,
    "w3": (128, lambda: mlp(784, 512, 512, 10) | {"norms": norms()}, forward_normalized, adam(1e-4)),
    "w4": (256, lambda: mlp(784, 2048, 2048, 10), forward_mlp, momentum(0.01)),
    "w5": (64, lambda: mlp(1600, 128, 10) | {"convolutions": convolutions()}, forward_convolutional, adam()),
    "w7b1": (1, *deep),
    "w7b32": (32, *deep),
    "w9": (2500, lstm, forward_lstm, clipped(2e-3)),
    "w8": (12, lambda: gpt(64, 4, 128), forward_gpt(4), adamw),
    "w11": (4, lambda: gpt(256, 6, 384), forward_gpt(6), adamw),
    "microgpt": (1, micro_gpt, forward_micro_gpt, adam(rate=1e-2, betas=(0.85, 0.99), clip=1)),
    "w10": (64, resnet, forward_resnet, momentum(0.1, 1e-4)),
    "epochs": middle,
}
size, network, forward, (initial, update) = WORKLOADS[workload]


def report(**values):
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(values | {"resident": resident}))


def step(state, x, y):
    parameters, optimizer, key, running = state
    key, own = jax.random.split(key)

    def criterion(parameters):
        scores, statistics = forward(parameters, x, own)
        return -jnp.take_along_axis(jax.nn.log_softmax(scores), y[..., None], -1).mean(), statistics

    (loss, statistics), gradients = jax.value_and_grad(criterion, has_aux=True)(parameters)
    parameters, optimizer = update(parameters, gradients, optimizer)
    running = tree_map(lambda old, new: 0.9 * old + 0.1 * new, running, statistics)
    return (parameters, optimizer, key, running), loss


# The lengths of the windows of text, and the numbers of tokens.
LANGUAGE = {"w8": (64, 65), "w11": (256, 65), "microgpt": (16, 27)}
if workload == "w9":
    text = np.array([(k * 7919 + k // 13) % 65 for k in range(100_000)])
    windows_of = lambda first: np.concatenate([text[s + first : s + first + size] for s in range(0, 90_000, 997)])
    images, labels = windows_of(0), windows_of(1)
elif workload in LANGUAGE:
    length, count = LANGUAGE[workload]
    text = (np.arange(100_000) * 7919 + np.arange(100_000) // 13) % count
    rows = len(text) // length - 1
    images, labels = (text[k : rows * length + k].reshape(rows, length) for k in range(2))
elif workload == "w10":
    images, labels = rng.random((64 * size, 3072), np.float32), np.arange(64 * size, dtype=np.int32) * 7 % 10
else:
    images, labels = load("train")
if workload.startswith("w7"):
    images = np.ascontiguousarray(images[:, 300:332])
images, labels = jnp.asarray(images), jnp.asarray(labels)
batches = len(images) // size
parameters = network()
_, statistics = jax.eval_shape(forward, parameters, images[:size], jax.random.PRNGKey(0))
running = [(jnp.zeros(mean.shape), jnp.ones(mean.shape)) for mean, _ in statistics]
state = (parameters, initial(parameters), jax.random.PRNGKey(0), running)

if workload == "epochs":
    train = jax.jit(lambda state, x, y, rows: step(state, x[rows], y[rows]), donate_argnums=0)
    for _ in range(5):
        order = np.random.permutation(len(images))
        for k in range(batches):
            state, loss = train(state, images, labels, order[k * size : (k + 1) * size])
    images, labels = load("t10k")
    scores, _ = jax.jit(forward)(state[0], jnp.asarray(images), None)
    report(accuracy=float((np.asarray(scores).argmax(1) == labels).mean()))
    sys.exit()


def sliced(state, images, labels, start):
    return step(state, *(lax.dynamic_slice_in_dim(array, start, size) for array in (images, labels)))


train = jax.jit(sliced, donate_argnums=0)
done, slow = 0, False


def window():
    """Steps a second, and the loss."""
    global state, done
    start, first = time.perf_counter(), done
    while time.perf_counter() - start < seconds or done < first + 2:
        state, loss = train(state, images, labels, done % batches * size)
        done += 1
        if slow:
            loss.block_until_ready()
    loss.block_until_ready()
    return (done - first) / (time.perf_counter() - start), float(loss)


# Compiles; then steps that take long are waited for one by one, or a window would measure how fast they are queued.
state, loss = train(state, images, labels, 0)
loss.block_until_ready()
start = time.perf_counter()
state, loss = train(state, images, labels, 0)
loss.block_until_ready()
slow = time.perf_counter() - start > 0.005
_, first_loss = window()
timed = [window() for _ in range(windows)]
report(rates=[rate for rate, _ in timed], losses=[first_loss, timed[-1][1]])
