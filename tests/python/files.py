"""Reads files of this crate in Python: python3 tests/python/files.py, from the root of the repository.

Runs the test that writes them, and compares them with what numpy and PyTorch make of the same numbers. Needs numpy, ml_dtypes,
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

with tempfile.TemporaryDirectory() as name:
    command = os.environ.get("CARGO_TEST", "cargo test -p wengert-tests --test it").split()
    environment = os.environ | {"FILES_DIRECTORY": name}
    subprocess.run([*command, "files_for_python_are_written"], env=environment, check=True)
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
