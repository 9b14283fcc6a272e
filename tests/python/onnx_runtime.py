"""Compares exported models with onnxruntime: python3 tests/python/onnx_runtime.py, from the root of the repository.

Runs the tests that export models (`cargo test --test it onnx`), checks the files with onnx, and compares the outputs that onnxruntime
computes with those of the models. Needs numpy, safetensors, onnx and onnxruntime; `cargo test` does not run it.
"""

import os
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

TOLERANCE = 1e-5

with tempfile.TemporaryDirectory() as name:
    command = os.environ.get("CARGO_TEST", "cargo test -p wengert-tests --test it").split()
    subprocess.run([*command, "onnx"], env=os.environ | {"ONNX_DIRECTORY": name}, check=True)
    paths = sorted(pathlib.Path(name).glob("*.onnx"))
    assert paths, "no models were exported"
    for path in paths:
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        expected = load_file(path.with_suffix(".safetensors"))
        (y,) = session.run(None, {x.name: expected[x.name] for x in session.get_inputs()})
        assert y.shape == expected["y"].shape, (path.stem, y.shape, expected["y"].shape)
        error = np.max(np.abs(y - expected["y"]) / np.maximum(1, np.abs(expected["y"])))
        print(f"{path.stem:12} {error:.1e}")
        assert error < TOLERANCE, path.stem
