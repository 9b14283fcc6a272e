"""Reads event files with TensorBoard: python3 tests/python/tensorboard.py, from the root of the repository.

Runs the test that writes a run, reads it with TensorBoard's own reader and asks its server, and compares all values. Needs numpy, Pillow
and tensorboard; `cargo test` does not run it.
"""

import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

# The file has the name of the package that it imports.
sys.path.remove(str(pathlib.Path(__file__).parent))

import numpy as np
from PIL import Image
from tensorboard import program
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

with tempfile.TemporaryDirectory() as name:
    command = os.environ.get("CARGO_TEST", "cargo test -p wengert-tests --test it").split()
    environment = os.environ | {"TENSORBOARD_DIRECTORY": name}
    subprocess.run([*command, "a_run_for_tensorboard_is_written"], env=environment, check=True)
    place = pathlib.Path(name)
    expected = np.load(place / "expected.npz")
    run = EventAccumulator(str(place / "run"), size_guidance={"histograms": 0, "images": 0, "scalars": 0})
    run.Reload()

    assert sorted(run.Tags()["scalars"]) == ["learning_rate", "loss"], run.Tags()
    scalars = run.Scalars("loss")
    assert [event.step for event in scalars] == [1, 2, 3]
    for event in scalars:
        assert np.float32(event.value) == np.float32(expected[f"loss_{event.step}"])
    assert all(np.float32(event.value) == np.float32(0.1) for event in run.Scalars("learning_rate"))

    compared = 0
    for tag in run.Tags()["histograms"]:
        for event in run.Histograms(tag):
            histogram = event.histogram_value
            if tag in ("odd", "none"):
                assert histogram.num == (2 if tag == "odd" else 0) and list(histogram.bucket) == [2.0] * int(tag == "odd")
                continue
            values = expected[f"{tag}_{event.step}"].astype("f8").ravel()
            assert (histogram.min, histogram.max, histogram.num) == (values.min(), values.max(), values.size)
            assert np.isclose(histogram.sum, values.sum(), rtol=1e-12, atol=1e-12)
            assert np.isclose(histogram.sum_squares, np.square(values).sum(), rtol=1e-12)
            edges = [histogram.min, *histogram.bucket_limit]
            assert np.allclose(edges, np.linspace(values.min(), values.max(), 31), rtol=1e-12, atol=1e-15)
            assert np.array_equal(np.histogram(values, edges)[0], list(histogram.bucket)), tag
            compared += 1
    assert compared == 3 * 8, compared

    for tag in ("gray", "color"):
        (event,) = run.Images(tag)
        values = expected[tag] if tag == "color" else expected[tag][None]
        pixels = np.array(Image.open(io.BytesIO(event.encoded_image_string)))
        pixels = pixels.reshape(*pixels.shape[:2], -1)
        assert (event.height, event.width) == values.shape[1:] and event.step == 2
        assert np.array_equal(pixels, np.rint(values.astype("f8") * 255).transpose(1, 2, 0)), tag

    graph = run.Graph()
    nodes = {node.name: node for node in graph.node}
    assert all(source in nodes for node in graph.node for source in node.input)
    assert nodes["0/weight"].op == "Parameter" and any(name.startswith("1/") for name in nodes), list(nodes)
    shape = nodes["0/weight"].attr["_output_shapes"].list.shape[0]
    assert [axis.size for axis in shape.dim] == [8, 6]

    # What the pages of the program ask its server for, on this machine.
    board = program.TensorBoard()
    board.configure(argv=["", "--logdir", name, "--load_fast", "false", "--host", "127.0.0.1", "--port", "0"])
    address = board.launch()
    ask = lambda path: urllib.request.urlopen(f"{address}data/plugin/{path}").read()
    while "run" not in json.loads(urllib.request.urlopen(f"{address}data/runs").read()):
        time.sleep(0.1)
    points = json.loads(ask("scalars/scalars?run=run&tag=loss"))
    assert [point[1] for point in points] == [1, 2, 3], points
    assert [point[2] for point in points] == [event.value for event in scalars]
    (text,) = json.loads(ask("text/text?run=run&tag=settings"))
    assert "<strong>rate</strong> 0.1, größer" in text["text"], text
    assert b"0/weight" in ask("graphs/graph?run=run")
    assert len(json.loads(ask("histograms/histograms?run=run&tag=parameters/0.weight"))) == 3
    print(f"tensorboard: 6 scalars, {compared} histograms, 2 images, a text and a graph of {len(nodes)} nodes are equal")
