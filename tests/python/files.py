"""Reads files of this crate in Python: python3 tests/python/files.py, from the root of the repository.

Runs the tests that write them, compares arrays with what numpy and PyTorch make of the same numbers, and outputs of layers with those
of the layers of PyTorch that load their parameters. Needs numpy, ml_dtypes,
safetensors and PyTorch; `cargo test` does not run it.
"""

import os
import pathlib
import subprocess
import tempfile

import ml_dtypes
import numpy as np
import safetensors.torch
import torch
from torch import nn

CAUSAL = nn.Transformer.generate_square_subsequent_mask(5)

with tempfile.TemporaryDirectory() as name:
    command = os.environ.get("CARGO_TEST", "cargo test -p wengert-tests --test it").split()
    environment = os.environ | {"FILES_DIRECTORY": name}
    subprocess.run([*command, "for_python_are_written"], env=environment, check=True)
    place = pathlib.Path(name)
    tensors = safetensors.torch.load_file(place / "arrays.safetensors")
    single = tensors["f32"]
    assert single.shape == (3, 23) and tensors["i64"].tolist() == [-(2**63), 7]
    for kind, dtype in [("f16", torch.float16), ("bf16", torch.bfloat16)]:
        expected = single.to(dtype)
        assert tensors[kind].dtype == dtype
        assert torch.equal(tensors[kind].view(torch.int16), expected.view(torch.int16)), kind
        for array in [np.load(place / f"{kind}.npy"), np.load(place / "arrays.npz")[kind]]:
            array = array if kind == "f16" else array.view(ml_dtypes.bfloat16)
            assert np.array_equal(array.view("i2"), expected.view(torch.int16).numpy()), kind
    assert np.array_equal(np.load(place / "f32.npy"), single.numpy())
    assert np.load(place / "arrays.npz")["i64"].tolist() == [-(2**63), 7]
    print("files: all equal")

    options = {"num_layers": 2, "bidirectional": True, "batch_first": True}
    layers = {
        "lstm": (nn.LSTM(16, 12, **options), lambda layer, x, memory: layer(x)[0]),
        "gru": (nn.GRU(16, 12, **options), lambda layer, x, memory: layer(x)[0]),
        "attention": (
            nn.MultiheadAttention(16, 4, batch_first=True),
            lambda layer, x, memory: layer(x, x, x, attn_mask=CAUSAL)[0],
        ),
        "encoder": (
            nn.TransformerEncoderLayer(16, 4, 32, 0.0, "gelu", batch_first=True, norm_first=True),
            lambda layer, x, memory: layer(x),
        ),
        "decoder": (
            nn.TransformerDecoderLayer(16, 4, 32, 0.0, batch_first=True),
            lambda layer, x, memory: layer(x, memory, tgt_mask=CAUSAL),
        ),
    }
    for kind, (layer, forward) in layers.items():
        layer.load_state_dict(safetensors.torch.load_file(place / f"{kind}.safetensors"), strict=True)
        arrays = np.load(place / f"{kind}.npz")
        x, memory, y = (torch.from_numpy(arrays[name]) for name in ["x", "memory", "y"])
        with torch.no_grad():
            error = (forward(layer.eval(), x, memory) - y).abs().max().item()
        assert error < 1e-5, (kind, error)
        print(f"{kind}: loaded, and equal to {error:.1e}")
