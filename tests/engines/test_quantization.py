"""Quantized graphs: only what is chosen is quantized, the first and last layers never are, and what is not right is refused with the reason."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engines import build as building
from engines import modelopt, qdq, quantize, sensitivity
from engines.__main__ import main
from engines.errors import BadEngine, BuildFailed, MissingPiece
from engines.sources import graph_of
from engines.targets import TARGETS
from export import specs
from export.families import FAMILIES

Floats = npt.NDArray[Any]
MINI = FAMILIES["mini"]
SCALE = 0.25


def written(path: Path, nodes: list[onnx.NodeProto], weights: dict[str, Floats], inputs: list[int], outputs: list[int]) -> onnx.ModelProto:
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape]) for name, shape in (("x", inputs), ("y", outputs))]
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "g", ports[:1], ports[1:], constants), opset_imports=[helper.make_opsetid("", 19)], ir_version=9
    )
    onnx.save(model, str(path))
    return model


def pair(name: str) -> list[onnx.NodeProto]:
    """A tensor quantized and back, as `name`_dq."""
    return [
        helper.make_node("QuantizeLinear", [name, "scale", "zero"], [f"{name}_q"]),
        helper.make_node("DequantizeLinear", [f"{name}_q", "scale", "zero"], [f"{name}_dq"]),
    ]


@pytest.fixture
def twice(tmp_path: Path) -> onnx.ModelProto:
    """Two products, each of quantized numbers by quantized weights."""
    draw = np.random.default_rng(0)
    weights = {f"network.{name}.weight": draw.normal(size=(4, 4)).astype(np.float32) for name in ("conv_in", "middle")}
    weights |= {"scale": np.array(SCALE, np.float32), "zero": np.array(0, np.int8)}
    first, second = (f"network.{name}.weight" for name in ("conv_in", "middle"))
    nodes = [
        *(node for name in ("x", first, second) for node in pair(name)),
        helper.make_node("MatMul", ["x_dq", f"{first}_dq"], ["h"], name="one"),
        *pair("h"),
        helper.make_node("MatMul", ["h_dq", f"{second}_dq"], ["y"], name="two"),
    ]
    return written(tmp_path / "twice.onnx", nodes, weights, [4], [4])


def by_hand(model: onnx.ModelProto, x: Floats, quantized: set[str]) -> Floats:
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}

    def seen(value: Floats, node: str) -> Floats:
        return np.clip(np.rint(value / SCALE), -128, 127) * SCALE if node in quantized else value

    h = seen(x, "one") @ seen(weights["network.conv_in.weight"], "one")
    return np.asarray(seen(h, "two") @ seen(weights["network.middle.weight"], "two"))


@pytest.mark.parametrize("quantized", [set(), {"one"}, {"two"}, {"one", "two"}])
def test_only_the_chosen_products_are_quantized(twice: onnx.ModelProto, quantized: set[str]) -> None:
    x = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    some = qdq.only(twice, quantized)
    onnx.checker.check_model(some, full_check=True)
    assert qdq.quantized_nodes(some) == quantized
    (found,) = sensitivity.outputs(some, {"x": x})
    np.testing.assert_allclose(found, by_hand(twice, x, quantized), rtol=1e-5, atol=1e-6)


def test_taking_quantization_away_leaves_nothing_of_it(twice: onnx.ModelProto) -> None:
    some = qdq.only(twice, ())
    assert {node.op_type for node in some.graph.node} == {"MatMul"}
    assert {tensor.name for tensor in some.graph.initializer} == {"network.conv_in.weight", "network.middle.weight"}


def test_layers_have_the_names_of_the_module_s_parameters(tmp_path: Path) -> None:
    square = np.eye(4, dtype=np.float32)
    weights = {"a.norm1.weight": square[0], "val_1": square, "val_2": square, "a.to_out.0.bias": square[0]}
    nodes = [
        helper.make_node("LayerNormalization", ["x", "a.norm1.weight"], ["n"]),
        helper.make_node("MatMul", ["n", "val_1"], ["q"], name="to_q"),
        helper.make_node("MatMul", ["q", "q"], ["products"], name="attention"),
        helper.make_node("MatMul", ["products", "val_2"], ["o"], name="to_out"),
        helper.make_node("Add", ["o", "a.to_out.0.bias"], ["y"]),
    ]
    model = written(tmp_path / "g.onnx", nodes, weights, [4], [4])
    assert qdq.layers(model) == {"to_q": "a.norm1, projections", "attention": qdq.ATTENTION, "to_out": "a.to_out.0"}


@pytest.mark.released
@pytest.mark.parametrize("network", quantize.KEPT)
def test_the_first_and_last_layers_of_the_released_networks_are_kept(network: str) -> None:
    layers = qdq.layers(qdq.plain(graph_of("mini", network)[0]))
    kept = {layer for node, layer in layers.items() if node not in quantize.worth(network, layers)}
    for name in quantize.KEPT[network]:
        assert any(layer == name or layer.startswith(f"{name}.") for layer in kept), f"{name} is no layer of {network}"
    assert qdq.ATTENTION in kept
    assert len(quantize.worth(network, layers)) > len(layers) / 2


def rows(network: str, count: int = 2) -> dict[str, Floats]:
    ports = specs.network(MINI, network).inputs
    return {port.name: np.zeros((count, *port.shape("opt")[1:]), np.int64 if port.dtype == "int64" else np.float32) for port in ports}


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, twice: onnx.ModelProto) -> Path:
    """A released UNet that is a small graph, its calibration, and a Model Optimizer that quantizes it; the folder of quantized graphs."""
    monkeypatch.setattr("engines.sources.WEIGHTS", tmp_path / "weights")
    (tmp_path / "weights" / "mini").mkdir(parents=True)
    onnx.save(qdq.only(twice, ()), str(tmp_path / "weights" / "mini" / "unet.onnx"))
    np.savez(tmp_path / "calibration.npz", **rows("unet"))
    monkeypatch.setattr(modelopt, "quantize", lambda graph, calibration, out, precision, nodes: onnx.save(twice, str(out)))
    return tmp_path / "quantized"


def made(folder: Path) -> quantize.Quantized:
    return quantize.quantize(MINI, "unet", "fp8", folder.parent / "calibration.npz", folder)


def test_a_quantized_graph_keeps_its_first_layer_and_says_what_it_was_made_from(small: Path) -> None:
    told = made(small)
    assert (told.precision, told.rows, told.layers, told.quantized) == ("fp8", 2, 2, 1)
    path = quantize.quantized_graph(small, "mini", "unet", "fp8")
    assert qdq.quantized_nodes(onnx.load(str(path))) == {"two"}
    assert quantize.everything_at(small, "mini", "unet", "fp8").exists()
    assert len(list(path.parent.iterdir())) == 3


@pytest.mark.parametrize("harm", ["missing", "damaged", "stale", "no side-car", "torn side-car"])
def test_a_quantized_graph_that_is_not_right_is_not_built_from(small: Path, harm: str) -> None:
    made(small)
    path = quantize.graph_at(small, "mini", "unet", "fp8")
    beside = path.with_suffix(".json")
    match harm:
        case "missing":
            path.unlink()
        case "damaged":
            path.write_bytes(path.read_bytes() + b"\0")
        case "stale":
            beside.write_text(json.dumps({**json.loads(beside.read_text()), "graph_sha256": "other"}))
        case "no side-car":
            beside.unlink()
        case _:
            beside.write_text(beside.read_text()[:50])
    says = {"missing": "is not quantized to fp8", "damaged": "is damaged", "stale": "is stale"}.get(harm, "has no readable side-car")
    with pytest.raises((MissingPiece, BadEngine), match=f"{says}.*run `python -m engines quantize --network unet --precision fp8`"):
        quantize.quantized_graph(small, "mini", "unet", "fp8")


def test_a_plan_of_a_quantized_network_is_refused_without_its_graph(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantize, "OUT", small)
    with pytest.raises(MissingPiece, match="unet of mini is not quantized to int8"):
        list(building.build(small.parent / "engines", MINI, "tensorrt-rtx-int8"))


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--network", "vae_decoder"], 2, "vae_decoder is not one that is quantized; choose one of: unet, controlnet_pose"),
        (["--precision", "int3"], 2, "unknown precision 'int3'; choose one of: fp8, int8"),
        (["--calibration", "none.npz"], 1, "none.npz is not there; `python -m measure.trajectories` makes it"),
    ],
)
def test_bad_requests_are_said(arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quantize", *arguments]) == code
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("harm", ["no npz", "an input is missing", "another shape", "no rows", "rows that differ"])
def test_a_calibration_of_something_else_is_refused(small: Path, harm: str, capsys: pytest.CaptureFixture[str]) -> None:
    found, path = rows("unet"), small.parent / "calibration.npz"
    match harm:
        case "no npz":
            path.write_bytes(b"PK, but no archive")
        case "an input is missing":
            del found["id_kv"]
        case "another shape":
            found["sample"] = found["sample"][:, :4]
        case "no rows":
            found = rows("unet", 0)
        case _:
            found["sample"] = found["sample"][:1]
    if harm != "no npz":
        np.savez(path, **found)
    assert main(["quantize", "--calibration", str(path), "--out", str(small)]) == 2
    assert "no npz of arrays" in (said := capsys.readouterr().err) or "wanted for unet, with one number of rows" in said
    assert not small.exists()


def test_the_table_of_sensitivities_has_the_worst_layer_first_and_counts_right(small: Path) -> None:
    made(small)
    draw = np.random.default_rng(3)
    np.savez(small.parent / "held-out.npz", x=draw.normal(size=(8, 4)).astype(np.float32))
    found = list(sensitivity.sensitivities(small, MINI, "unet", "fp8", small.parent / "held-out.npz", rows=5))
    assert [row.layer for row in found] == [sensitivity.EVERYTHING, sensitivity.CHOSEN, "conv_in", "middle"]
    assert [row.quantized for row in found] == [False, True, False, True]
    assert found[1].error == found[3].error > 0
    lines = sensitivity.table(found).splitlines()
    assert lines[4].split(" | ")[0].strip("| ") == max(found[2:], key=lambda row: row.error).layer


def test_how_far_outputs_are_apart_is_as_by_hand() -> None:
    wanted = [np.array([3.0, 0.0], np.float32), np.array([4.0], np.float32)]
    found = [np.array([3.0, 0.5], np.float32), np.array([4.0], np.float32)]
    assert sensitivity.apart(found, wanted) == (0.1, 0.125)


def test_without_its_environment_it_says_what_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modelopt, "PYTHON", tmp_path / "none")
    with pytest.raises(MissingPiece, match=r"no \.venv-quantize, the environment of Model Optimizer; run `make quantize`"):
        modelopt.quantize(tmp_path / "g.onnx", tmp_path / "c.npz", tmp_path / "q.onnx", "fp8", [])


@pytest.mark.modelopt
@pytest.mark.skipif(not modelopt.PYTHON.exists(), reason="no .venv-quantize: `make quantize` makes it")
@pytest.mark.parametrize("precision", quantize.PRECISIONS)
def test_model_optimizer_quantizes_what_it_is_told_to(tmp_path: Path, twice: onnx.ModelProto, precision: str) -> None:
    plain, calibration = tmp_path / "plain.onnx", tmp_path / "calibration.npz"
    onnx.save(qdq.only(twice, ()), str(plain))
    x = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    np.savez(calibration, x=x)
    modelopt.quantize(plain, calibration, tmp_path / "q.onnx", precision, ["two"])
    found = onnx.load(str(tmp_path / "q.onnx"))
    assert qdq.quantized_nodes(found) == {"two"}
    error, _ = sensitivity.apart(sensitivity.outputs(found, {"x": x}), sensitivity.outputs(onnx.load(str(plain)), {"x": x}))
    assert 1e-4 < error < 0.1


@pytest.mark.modelopt
@pytest.mark.skipif(not modelopt.PYTHON.exists(), reason="no .venv-quantize: `make quantize` makes it")
def test_what_model_optimizer_cannot_do_is_told(tmp_path: Path) -> None:
    (tmp_path / "g.onnx").write_bytes(b"no graph")
    np.savez(tmp_path / "c.npz", x=np.zeros(1))
    with pytest.raises(BuildFailed, match="g in fp8: Model Optimizer ended with code 1"):
        modelopt.quantize(tmp_path / "g.onnx", tmp_path / "c.npz", tmp_path / "q.onnx", "fp8", [])


def test_a_side_car_of_another_form_is_refused(small: Path) -> None:
    told = replace(made(small), rows=3)
    path = quantize.graph_at(small, "mini", "unet", "fp8").with_suffix(".json")
    path.write_text(json.dumps({**vars(told), "more": 1}))
    with pytest.raises(BadEngine, match=r"no readable side-car \(TypeError\)"):
        quantize.quantized_graph(small, "mini", "unet", "fp8")


def test_plans_in_fp8_are_for_the_generations_that_have_it() -> None:
    capabilities = {name: target.options.get("capabilities") for name, target in TARGETS.items()}
    assert capabilities["tensorrt-rtx-fp8"] == ["SM89", "SM120"]
    assert capabilities["tensorrt-rtx-int8"] == capabilities["tensorrt-rtx"] == ["SM86", "SM89", "SM120"]
    assert {name: target.quantized for name, target in TARGETS.items() if target.quantized} == {
        f"{runtime}-{precision}": precision for runtime in ("tensorrt-rtx", "tensorrt") for precision in quantize.PRECISIONS
    }
