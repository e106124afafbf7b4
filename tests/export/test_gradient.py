"""The gradient that a person is learned by: a graph of plain operators that says what torch's own way back says, and shares the UNet's weights."""

from dataclasses import replace
from pathlib import Path

import onnx
import pytest
import torch
from onnx import external_data_helper, numpy_helper
from torch import Tensor

from export import specs
from export.context import CROSS_TOKENS, TEXT_TOKENS
from export.errors import Mismatch
from export.families import FAMILIES
from export.gradient import UnetGradient, traced
from export.sharing import MOST_OWN, shared
from export.unet import Unet

pytestmark = pytest.mark.slow

SHAPE = replace(FAMILIES["mini"].unet, channels=(32, 64), heads=(1, 2))
RELEASE = Path(__file__).parents[2] / "weights" / "mini"


def given(unet: Unet, rows: int = 2) -> tuple[Tensor, ...]:
    draw = torch.Generator().manual_seed(3)

    def floats(*shape: int) -> Tensor:
        return torch.randn(rows, *shape, generator=draw)

    latent = SHAPE.latent_channels
    residuals = [floats(channels, 16 // coarser, 16 // coarser) for channels, coarser in SHAPE.residuals()]
    contexts = floats(TEXT_TOKENS, unet.kv_width), floats(CROSS_TOKENS, unet.kv_width)
    importance = torch.rand(rows, 1, 16, 16, generator=draw)
    return floats(latent, 16, 16), torch.tensor([20, 800]), *contexts, *residuals, floats(latent, 16, 16), importance


def test_it_is_the_slope_of_the_loss() -> None:
    torch.manual_seed(0)
    unet = Unet(SHAPE).eval().double()
    inputs = tuple(one if one.dtype == torch.int64 else one.double() for one in given(unet))
    loss, by_text, by_face, _ = UnetGradient(unet)(*inputs)
    for place, slope in ((2, by_text), (3, by_face)):
        way = torch.randn(inputs[place].shape, generator=torch.Generator().manual_seed(place), dtype=torch.float64)
        ends = []
        for sign in (1, -1):
            moved = [*inputs]
            moved[place] = inputs[place] + sign * 1e-4 * way
            ends.append(UnetGradient(unet)(*moved)[0])
        torch.testing.assert_close((ends[0] - ends[1]) / 2e-4, (slope * way).sum((1, 2)), rtol=1e-4, atol=1e-9)
    assert (loss > 0).all()


def test_attention_is_a_share_of_every_cell() -> None:
    torch.manual_seed(0)
    unet = Unet(SHAPE).eval()
    attention = UnetGradient(unet)(*given(unet))[3]
    assert attention.shape == (2, TEXT_TOKENS, (16 // SHAPE.patch) ** 2)
    torch.testing.assert_close(attention.sum(1), torch.ones(2, attention.shape[2]))
    assert UnetGradient(unet).unet is unet
    assert all(getattr(one, "watch", None) is None for one in unet.network.attn_processors.values()), "who only predicts pays for no watching"


def test_the_traced_graph_says_the_same_on_other_numbers() -> None:
    torch.manual_seed(0)
    module = UnetGradient(Unet(SHAPE).eval())
    first = given(module.unet)
    graph = traced(module, first)
    assert not [node.target for node in graph.graph.nodes if "backward" in str(node.target)], "ONNX has no operators for the way back"
    others = tuple(one.flip(0) if one.dtype == torch.int64 else one.flip(0) * 0.5 for one in first)
    for found, wanted in zip(graph(*others), module(*others), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


def test_the_release_holds_the_unets_matrices_once() -> None:
    graph = onnx.load(RELEASE / "unet_gradient.onnx", load_external_data=False)
    outside = [tensor for tensor in graph.graph.initializer if external_data_helper.uses_external_data(tensor)]
    assert {external_data_helper.ExternalDataInfo(tensor).location for tensor in outside} == {"unet.safetensors"}
    assert len(outside) > 100
    assert (RELEASE / "unet_gradient.onnx").stat().st_size < MOST_OWN
    assert not (RELEASE / "unet_gradient.safetensors").exists()
    assert specs.WEIGHTS_OF == {"unet_gradient": "unet"}
    assert [port.name for port in graph.graph.output] == [tensor.name for tensor in specs.network(FAMILIES["mini"], "unet_gradient").outputs]


def test_weights_that_lie_nowhere_else_are_not_shared_in_silence() -> None:
    graph = onnx.load(RELEASE / "unet_gradient.onnx")
    for tensor in graph.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.size > 10_000:
            tensor.CopyFrom(numpy_helper.from_array(value + value.dtype.type(1), tensor.name))
    with pytest.raises(Mismatch, match=r"MiB of the graph are not in the weights of unet\.onnx; export both from the same weights"):
        shared(graph, RELEASE / "unet.onnx")
