"""Graphs of the published families, narrow but whole: ONNX Runtime says what the modules say, at any batch, and TensorRT-RTX builds them."""

import importlib.util
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from engines import tensorrt
from export import __main__ as command
from export import published, specs
from export.tensors import Network
from export.to_onnx import example
from tests.export.narrow import NARROW

pytestmark = pytest.mark.slow

BUILD = """
import pickle, sys
from pathlib import Path
from engines import tensorrt

folder, spec = Path(sys.argv[1]), pickle.load(sys.stdin.buffer)
(folder / "model.plan").write_bytes(tensorrt.plan(tensorrt.RTX, folder / f"{spec.name}.onnx", spec))
"""


def built(folder: Path, spec: Network) -> bytes:
    """A plan of a graph in a folder, by a process of its own."""
    subprocess.run([sys.executable, "-c", BUILD, str(folder)], input=pickle.dumps(spec), cwd=REPOSITORY, check=True)
    return (folder / "model.plan").read_bytes()


REPOSITORY = Path(__file__).parents[2]
NETWORKS = [(family, name) for family in NARROW for name in published.names(NARROW[family])]
BUILT = ("unet", "text_encoder", "vae_decoder")
"""What differs between the families, and most from the mini family's."""


@pytest.mark.filterwarnings("ignore")  # of torch's exporter
@pytest.mark.parametrize(("family", "name"), NETWORKS, ids=[f"{family}-{name}" for family, name in NETWORKS])
def test_a_graph_says_what_its_module_says_and_is_built(family: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "FAMILIES", NARROW)
    assert command.main([name, "--family", family, "--out", str(tmp_path)]) == 0
    spec, module = specs.network(NARROW[family], name), published.module(NARROW[family], name)
    session = onnxruntime.InferenceSession(str(tmp_path / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    for batch in (1, 3):
        inputs = example(spec, {"batch": batch}, seed=batch)
        found = session.run(None, {tensor.name: value.numpy() for tensor, value in zip(spec.inputs, inputs, strict=True)})
        wanted = module(*inputs)
        for port, one, other in zip(spec.outputs, found, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
            right = other.float().numpy()
            assert np.abs(one.astype(np.float32) - right).max() <= 0.02 * max(np.abs(right).max(), 1e-3), port.name
    if name in BUILT and importlib.util.find_spec(tensorrt.MODULES[tensorrt.RTX]):
        assert built(tmp_path, spec).startswith(tensorrt.MAGIC[tensorrt.RTX])
