"""Graphs: what the module gives, at any batch; weights beside them in half precision; refused where they disagree with their spec."""

import dataclasses
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from export.context import TextContext
from export.errors import Mismatch
from export.tensors import Axis, Network, Tensor
from export.to_onnx import example, graph, write

BATCH = Axis("batch", 1, 2, 16)
STATES = Tensor("states", "fp32", (BATCH, 7, 32), "of a text encoder")
NETWORK = Network(
    "context", "words alone", (STATES, Tensor("mask", "fp32", (BATCH, 7), "0 or 1")), (Tensor("text_kv", "fp32", (BATCH, 7, 64), "k, v"),)
)


def context() -> TextContext:
    torch.manual_seed(0)
    module = TextContext(32, 64).eval()
    for parameter in module.parameters():
        parameter.data = parameter.data.half().float()  # so that halving the file loses nothing
    return module


@pytest.mark.filterwarnings("ignore")  # of torch's exporter
@pytest.mark.slow
def test_a_graph_with_its_weights_beside_it_gives_what_the_module_gives(tmp_path: Path) -> None:
    module, path = context(), tmp_path / "context.onnx"
    write(graph(module, NETWORK), path)
    assert path.with_suffix(".safetensors").stat().st_size < 0.6 * 4 * sum(p.numel() for p in module.parameters())
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for batch in (1, 3, 16):
        given = example(NETWORK, {"batch": batch}, seed=batch)
        with torch.no_grad():
            wanted = module(*given).numpy()
        (found,) = session.run(None, {"states": given[0].numpy(), "mask": given[1].numpy()})
        np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_a_graph_that_disagrees_with_its_spec_is_refused() -> None:
    other = dataclasses.replace(NETWORK, outputs=(Tensor("text_kv", "fp32", (BATCH, 7, 65), "k, v"),))
    with pytest.raises(Mismatch, match=r"context: text_kv has shape \['batch', 7, 64\] in the graph, its spec says \['batch', 7, 65\]"):
        graph(context(), other)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_a_module_that_may_take_more_is_exported_without_more() -> None:
    class Sum(torch.nn.Module):
        def forward(self, states: torch.Tensor, *more: torch.Tensor) -> torch.Tensor:
            return states + sum(more)

    network = Network("sum", "nothing more", (STATES,), (dataclasses.replace(STATES, name="all"),))
    assert [value.name for value in graph(Sum(), network).graph.input] == ["states"]
