"""What a network costs is counted right: against a count by hand, and against torch's own."""

import json
from math import prod
from pathlib import Path

import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch.utils.flop_counter import FlopCounterMode

from engines import __main__ as command
from engines import roofline
from engines.count import Cost, counted
from engines.gpus import GPUS
from engines.roofline import costs, floors, table
from export import specs
from export.errors import Mismatch
from export.families import FAMILIES, Family
from export.networks import Parts, module, untrained
from export.tensors import Axis, Tensor

pytestmark = pytest.mark.released
MINI = FAMILIES["mini"]
ROUNDED = 1 - 1e-9


Ports = dict[str, list[int | str]]


def written(path: Path, nodes: list[onnx.NodeProto], given: Ports, made: Ports, weights: dict[str, tuple[int, ...]]) -> Path:
    """A graph of some nodes; ports and weights with their shapes."""
    ins, outs = ([helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ports.items()] for ports in (given, made))
    constants = [helper.make_tensor(name, TensorProto.FLOAT, shape, [0.0] * prod(shape)) for name, shape in weights.items()]
    onnx.save(helper.make_model(helper.make_graph(nodes, "some", ins, outs, constants)), str(path))
    return path


@pytest.fixture(scope="module")
def parts() -> Parts:
    return untrained(MINI)


def shape_of(tensor: Tensor, rows: int) -> list[int]:
    return [dim if isinstance(dim, int) else rows for dim in tensor.dims]


def test_a_convolution_with_groups_is_counted_as_by_hand(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"], group=2, pads=[1, 1, 1, 1], strides=[2, 2])
    graph = written(tmp_path / "g.onnx", [node], {"x": ["batch", 4, 8, 8]}, {"y": ["batch", 6, 4, 4]}, {"w": (6, 2, 3, 3), "b": (6,)})
    found = counted(graph, {"batch": 3})
    assert found.multiply_adds == 3 * 6 * 4 * 4 * (2 * 3 * 3)
    assert found.weights == 6 * 2 * 3 * 3 + 6
    assert found.ports == 3 * 4 * 8 * 8 + 3 * 6 * 4 * 4


def test_products_of_matrices_are_counted_as_by_hand(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("MatMul", ["h", "v"], ["y"])]
    graph = written(tmp_path / "g.onnx", nodes, {"x": ["batch", 5, 4]}, {"y": ["batch", 5, 7]}, {"w": (4, 6), "v": (6, 7)})
    assert counted(graph, {"batch": 2}).multiply_adds == 2 * 5 * 6 * 4 + 2 * 5 * 7 * 6


@pytest.mark.parametrize("name", ["unet", "controlnet_pose", "vae_decoder", "appearance_encoder", "context_face_makeup"])
def test_the_released_graphs_cost_what_torch_counts(parts: Parts, name: str) -> None:
    inputs = specs.network(MINI, name).inputs
    given = [torch.zeros(shape_of(tensor, 1), dtype=torch.int64 if tensor.dtype == "int64" else torch.float32) for tensor in inputs]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(parts, name)(*given)
    assert costs(MINI, 1)[name].multiply_adds == pytest.approx(counter.get_total_flops() / 2, rel=0.01)


def test_an_axis_that_nobody_knows_is_told(tmp_path: Path) -> None:
    graph = written(tmp_path / "g.onnx", [helper.make_node("Relu", ["x"], ["y"])], {"x": ["rows", 4]}, {"y": ["rows", 4]}, {})
    with pytest.raises(Mismatch, match="an axis 'rows' that the specs do not know"):
        counted(graph, {"batch": 1})


def test_an_axis_inside_that_follows_from_others_is_inferred(tmp_path: Path) -> None:
    nodes = [helper.make_node("Concat", ["x", "x"], ["h"], axis=0), helper.make_node("MatMul", ["h", "w"], ["y"])]
    graph = written(tmp_path / "g.onnx", nodes, {"x": ["batch", 4]}, {"y": [6, 5]}, {"w": (4, 5)})
    model = onnx.load(str(graph))
    model.graph.value_info.append(helper.make_tensor_value_info("h", TensorProto.FLOAT, ["2*batch", 4]))
    onnx.save(model, str(graph))
    assert counted(graph, {"batch": 3}).multiply_adds == 6 * 4 * 5


def test_no_floor_is_below_what_arithmetic_and_memory_allow() -> None:
    cost = costs(MINI, 2)
    adds = cost["unet"].multiply_adds + cost["controlnet_pose"].multiply_adds
    weights = cost["unet"].weights + cost["controlnet_pose"].weights
    for floor in floors(MINI, 20):
        gpu = next(gpu for gpu in GPUS if gpu.name == floor.gpu)
        if floor.batch == 1:
            assert floor.step >= ROUNDED * 1e3 * 2 * adds / (gpu.peak[floor.precision] * 1e12)
            assert floor.step >= ROUNDED * 1e3 * weights / (gpu.bandwidth * 1e9)
        assert floor.portrait * floor.batch >= ROUNDED * 20 * floor.step


def some_costs(monkeypatch: pytest.MonkeyPatch, adds: int) -> None:
    """Every row of every network costs as much, and nothing is moved."""
    monkeypatch.setattr(roofline, "costs", lambda family, rows: {
        name: Cost(adds * min(rows, max((dim.max for tensor in network.inputs for dim in tensor.dims if isinstance(dim, Axis)), default=1)), 0, 0, 0)
        for name, network in specs.networks(family).items()
    })  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_the_arithmetic_of_a_portrait_is_as_much_in_a_batch_as_alone_whatever_a_network_takes_at_once(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_costs(monkeypatch, 10**12)
    found: dict[tuple[str, str], set[float]] = {}
    for floor in floors(family, 20):
        found.setdefault((floor.gpu, floor.precision), set()).add(round(floor.portrait, 6))
    assert all(len(values) == 1 for values in found.values())


def test_what_is_published_stands_beside_the_floor_of_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    some_costs(monkeypatch, 10**12)
    found = {(one.gpu, one.precision): one for one in roofline.above(FAMILIES["sdxl"])}
    one = found["RTX 4090", "int8"]
    assert one.floor == pytest.approx(1e3 * (30 * 2 * 2 + 2) / 661)  # two rows, an addition with each multiplication, and the decoder
    assert one.published == 2058
    assert one.times == pytest.approx(one.published / one.floor)
    assert {precision for gpu, precision in found if gpu == "L40S"} == {"fp16", "fp8", "int8"}
    assert not list(roofline.above(MINI)), "nothing is published of our own family"


def test_the_command_prints_tables_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["roofline", "--json", "--steps", "8"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["networks"]["unet"]["multiply_adds"] > 5e8
    assert {floor["gpu"] for floor in found["floors"]} == {gpu.name for gpu in GPUS}
    assert "portrait, 8 steps" in table(found)


@pytest.mark.parametrize(("arguments", "says"), [(["roofline", "maxi"], "unknown family 'maxi'"), (["roofline", "--steps", "0"], "steps is 0")])
def test_what_cannot_be_counted_is_said(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments) == 2
    assert says in capsys.readouterr().err
