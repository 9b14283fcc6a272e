"""Compares exported models with onnxruntime: python3 tests/python/onnx_runtime.py, from the root of the repository.

Runs the tests that export models (`cargo test --test it onnx`) and the examples that export what they have trained (`--onnx`), checks
the files with onnx, and compares the outputs that onnxruntime computes with those of the models. Needs numpy, safetensors, onnx and
onnxruntime; `cargo test` does not run it.
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

# Short trainings.
EXAMPLES = {
    "mnist": "--epochs 2 --limit 8192 --batch-norm --report {directory}/report.html",
    "mnist_cnn": "--epochs 1 --limit 8192 --report {directory}/report.html",
    "18_char_rnn": "--quick --steps 200",
    "20_gpt": "--quick --steps 200 --checkpoint {directory}/checkpoint",
}


def session_of(path):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def compare(name, found, expected):
    assert found.shape == expected.shape, (name, found.shape, expected.shape)
    error = np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected)))
    print(f"{name:14} {error:.1e}")
    assert error < TOLERANCE, name


def compare_tests(directory):
    command = os.environ.get("CARGO_TEST", "cargo test -p wengert-tests --test it").split()
    subprocess.run([*command, "onnx"], env=os.environ | {"ONNX_DIRECTORY": directory}, check=True)
    paths = sorted(pathlib.Path(directory).glob("*.onnx"))
    assert paths, "no models were exported"
    for path in paths:
        session, expected = session_of(path), load_file(path.with_suffix(".safetensors"))
        (y,) = session.run(None, {x.name: expected[x.name] for x in session.get_inputs()})
        compare(path.stem, y, expected["y"])


def compare_examples(directory):
    command = os.environ.get("CARGO_RUN", "cargo run --release").split()
    for name, options in EXAMPLES.items():
        path = pathlib.Path(directory) / f"{name}.onnx"
        arguments = [*options.format(directory=directory).split(), "--onnx", path]
        subprocess.run([*command, "--example", name, "--", *arguments], check=True, stdout=subprocess.DEVNULL)
        session, expected = session_of(path), np.load(path.with_suffix(".npz"))
        inputs = {x.name: x.shape for x in session.get_inputs()}
        if "token" in inputs:
            scores = step_by_step(session, inputs, expected["tokens"])
        else:
            (scores,) = session.run(["scores"], {x: expected[x] for x in inputs})
        compare(name, scores, expected["scores"])


def step_by_step(session, inputs, tokens):
    """The scores of a model that reads one token at a time, with a state."""
    state, rows = [np.zeros(inputs[name], "f4") for name in ("h", "c")], []
    for token in tokens:
        feed = {"token": np.full((1, 1), token), "h": state[0], "c": state[1]}
        scores, *state = session.run(["scores", "h_after", "c_after"], feed)
        rows.append(scores)
    return np.concatenate(rows)


with tempfile.TemporaryDirectory() as directory:
    compare_tests(directory)
with tempfile.TemporaryDirectory() as directory:
    compare_examples(directory)
