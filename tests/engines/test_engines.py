"""Engines: built when anything that matters changed, left alone otherwise, refused when they are not what they should be."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from omokage import engine_file
from omokage.denoising import CONTROLNET_TAKES, UNET_TAKES
from omokage.models import OUTPUTS
from omokage.system import MOST_FOLDED
from onnx import TensorProto, helper, numpy_helper

from engines import build as building
from engines import configs, cpu, sidecar
from engines.__main__ import REPOSITORY, main
from engines.errors import BadEngine, BuildFailed, InvalidRequest, MissingPiece
from engines.served import ensembles
from engines.sources import graph_of
from engines.targets import TARGETS
from export import room, specs, sums
from export.__main__ import WEIGHTS
from export.errors import DamagedData
from export.errors import MissingPiece as NoRoom
from export.families import FAMILIES
from export.guided import MOST_GUIDANCE
from export.packages import digest

MINI = FAMILIES["mini"]
NETWORK = "condition_shading"


def write_graph(path: Path, factor: float) -> None:
    """A stand-in for a network of our own: its input times a factor."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3, 256, 256]) for name in ("picture", "condition")]
    weight = numpy_helper.from_array(np.array([factor], np.float32), "factor")
    graph = helper.make_graph([helper.make_node("Mul", ["picture", "factor"], ["condition"])], "g", values[:1], values[1:], [weight])
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(path))


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "weights"
    write_graph(folder / "mini" / f"{NETWORK}.onnx", 2.0)
    monkeypatch.setattr("engines.sources.WEIGHTS", folder)
    return folder


def built(tmp_path: Path) -> tuple[sidecar.Sidecar, bool]:
    ((_, found, now),) = building.build(tmp_path / "engines", MINI, "cpu", [NETWORK])
    return found, now


def engine(tmp_path: Path) -> Path:
    return building.engine_path(tmp_path / "engines", "mini", "cpu", NETWORK)


def test_an_engine_is_built_once_and_runs(tmp_path: Path, weights: Path) -> None:
    found, now = built(tmp_path)
    assert now
    again, now = built(tmp_path)
    assert not now
    assert again == found
    picture = np.random.default_rng(0).random((3, 3, 256, 256), np.float32)
    session = onnxruntime.InferenceSession(str(engine(tmp_path)), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"picture": picture})[0], 2 * picture)
    assert [port.name for port in found.inputs + found.outputs] == ["picture", "condition"]


@pytest.mark.parametrize("change", ["graph", "weights", "runtime", "options"])
def test_whatever_can_change_the_result_makes_it_build_anew(tmp_path: Path, weights: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = built(tmp_path)
    if change == "graph":
        write_graph(weights / "mini" / f"{NETWORK}.onnx", 3.0)
    elif change == "weights":
        (weights / "mini" / f"{NETWORK}.safetensors").write_bytes(b"other")
    elif change == "runtime":
        monkeypatch.setattr(cpu, "RUNTIME", "onnxruntime 0.0.1")
    else:
        monkeypatch.setitem(TARGETS, "cpu", dataclasses.replace(TARGETS["cpu"], options={"optimization": "none"}))
    second, now = built(tmp_path)
    assert now
    assert second.key != first.key


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("harm", ["damaged", "no side-car", "torn side-car", "missing"])
def test_an_engine_that_is_not_right_is_refused_and_then_built_anew(tmp_path: Path, weights: Path, harm: str) -> None:
    found, _ = built(tmp_path)
    path = engine(tmp_path)
    beside = sidecar.path_of(path)
    if harm == "damaged":
        damage(path)
    elif harm == "missing":
        path.unlink()
    elif harm == "no side-car":
        beside.unlink()
    else:
        beside.write_text(beside.read_text()[:50])
    says = {"damaged": "is damaged", "missing": "is not there", "no side-car": "no readable side-car", "torn side-car": "no readable side-car"}
    with pytest.raises(BadEngine, match=says[harm]):
        sidecar.verify(path, found.recipe)
    again, now = built(tmp_path)
    assert now
    assert again.sha256 == found.sha256


@pytest.mark.parametrize("harm", ["damaged", "unknown"])
def test_a_file_that_is_not_the_release_s_is_refused_before_anything_is_built(tmp_path: Path, weights: Path, harm: str) -> None:
    graph = weights / "mini" / f"{NETWORK}.onnx"
    assert sums.main([str(graph)]) == 0
    built(tmp_path)
    if harm == "damaged":
        damage(graph)
    else:
        graph.with_suffix(".safetensors").write_bytes(b"of something else")
    before = engine(tmp_path).read_bytes()
    with pytest.raises(DamagedData, match=rf"mini/{NETWORK}\.\w+ has sha256 .*, SHA256SUMS beside it says .*; fetch the file again"):
        built(tmp_path)
    assert engine(tmp_path).read_bytes() == before
    if harm == "unknown":
        sums.put([graph.with_suffix(".safetensors")])
        assert built(tmp_path)[1], "one's own has its sum, too"


def test_a_sum_that_is_put_blesses_no_other_file_and_torn_sums_are_refused(tmp_path: Path, weights: Path) -> None:
    folder = weights / "mini"
    graph, other = folder / f"{NETWORK}.onnx", folder / "other.onnx"
    other.write_bytes(b"whole")
    sums.put([graph, other])
    damage(other)
    sums.put([graph])
    with pytest.raises(DamagedData, match=r"mini/other\.onnx has sha256"):
        sums.check(other)
    for torn in ("", (folder / sums.SUMS).read_text()[:50]):
        (folder / sums.SUMS).write_text(torn)
        with pytest.raises(DamagedData, match="lines that are not"):
            built(tmp_path)


def test_the_release_is_what_its_sums_say_and_they_name_all_of_it() -> None:
    files = {file.name: digest(file) for file in (WEIGHTS / "mini").iterdir() if file.name != sums.SUMS}
    assert sums.known(WEIGHTS / "mini") == files


@pytest.mark.parametrize(("field", "says"), [("family", "is foreign: its family is mini, wanted sd15"), ("runtime", "is stale: runtime is not")])
def test_a_foreign_or_stale_engine_is_refused_with_the_reason(tmp_path: Path, weights: Path, field: str, says: str) -> None:
    found, _ = built(tmp_path)
    changes: dict[str, Any] = {field: "sd15"}
    with pytest.raises(BadEngine, match=says):
        sidecar.verify(engine(tmp_path), dataclasses.replace(found.recipe, **changes))


def test_a_build_that_fails_names_the_network_and_leaves_nothing(tmp_path: Path, weights: Path) -> None:
    (weights / "mini" / f"{NETWORK}.onnx").write_bytes(b"no graph")
    with pytest.raises(BuildFailed, match=f"{NETWORK} of mini for cpu"):
        built(tmp_path)
    assert not list((tmp_path / "engines").rglob("*.onnx*"))


def test_a_build_that_is_interrupted_leaves_nothing(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(graph: Path, out: Path, network: object) -> None:
        out.write_bytes(b"half of an engine")
        raise KeyboardInterrupt

    monkeypatch.setattr(cpu, "build", interrupted)
    with pytest.raises(KeyboardInterrupt):
        built(tmp_path)
    assert not list(engine(tmp_path).parent.iterdir())


def test_what_a_killed_build_left_is_removed_by_the_next(tmp_path: Path, weights: Path) -> None:
    folder = engine(tmp_path).parent
    (folder / "partial-1").mkdir(parents=True)
    (folder / "partial-1" / "half.onnx").write_bytes(b"half of a graph")
    (folder / "partial-model.onnx").write_bytes(b"half of an engine")
    built(tmp_path)
    assert sorted(file.name for file in folder.iterdir()) == ["model.onnx", "model.onnx.json"]


def test_a_build_asks_for_room(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BUILD", room.Needs("building", 2, 2**60))
    with pytest.raises(NoRoom, match=f"{NETWORK}: building takes .* MiB of memory"):
        built(tmp_path)
    assert not list(engine(tmp_path).parent.iterdir())


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["build", "--family", "maxi"], 2, "unknown family 'maxi'; choose one of: mini"),
        (["build", "--target", "abacus"], 2, "unknown target 'abacus'; choose one of: cpu"),
        (["build", "unett"], 2, "mini has no network 'unett'"),
        (["configs", "--family", "maxi"], 2, "unknown family 'maxi'"),
    ],
)
def test_bad_requests_are_said(arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == code
    assert says in capsys.readouterr().err


def test_without_a_graph_it_says_which_command_makes_it(tmp_path: Path, weights: Path) -> None:
    shutil.rmtree(weights / "mini")
    with pytest.raises(MissingPiece, match=f"python -m export {NETWORK} --family mini"):
        built(tmp_path)
    with pytest.raises(InvalidRequest):
        list(building.build(tmp_path, MINI, "moon"))


def test_a_published_family_s_graphs_are_sought_where_they_are_exported_to(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.sources.GRAPHS", tmp_path / "graphs")
    with pytest.raises(MissingPiece, match="build/graphs/sd15 has no graph of identity_encoder; export it with `python -m export identity_encoder"):
        graph_of("sd15", "identity_encoder")
    write_graph(tmp_path / "graphs" / "sd15" / "unet.onnx", 1.0)
    assert graph_of("sd15", "unet") == (tmp_path / "graphs" / "sd15" / "unet.onnx", None)
    write_graph(weights / "mini" / "person_mask.onnx", 1.0)
    assert graph_of("sd15", "person_mask")[0].parent == weights / "mini"


def test_the_committed_configs_are_what_the_specs_say() -> None:
    for name, text in configs.files(MINI).items():
        assert (REPOSITORY / name).read_text() == text, f"{name}: run `python -m engines configs`"


def test_what_is_lent_on_the_cpu_is_lent_by_one_that_is_always_loaded() -> None:
    networks = specs.networks(MINI)
    lent = [name for names in configs.LENT.values() for name in names]
    assert len(lent) == len(set(lent))
    assert set(lent) <= networks.keys()
    assert not set(lent) & configs.LENT.keys()
    steps = {step for ensemble in ensembles(MINI) if ensemble.name in OUTPUTS for step in ensemble.steps}
    assert configs.LENT.keys() <= OUTPUTS.keys() | steps


def test_recipes_ask_networks_for_what_they_give_and_guidance_for_what_it_was_taught() -> None:
    for name, network in specs.networks(MINI).items():
        assert set(OUTPUTS.get(name, ())) <= {tensor.name for tensor in network.outputs}, name
    unet, controlnet = specs.network(MINI, "unet"), specs.network(MINI, "controlnet_pose")
    residuals = {tensor.name for tensor in controlnet.outputs}
    assert set(OUTPUTS["controlnet_pose"]) == residuals
    assert set(UNET_TAKES) == {tensor.name for tensor in unet.inputs} - residuals
    assert set(CONTROLNET_TAKES) == {tensor.name for tensor in controlnet.inputs}
    assert MOST_FOLDED == MOST_GUIDANCE


def test_a_graph_that_is_not_what_the_spec_says_is_not_built(tmp_path: Path, weights: Path) -> None:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 1, 7, 7]) for name in ("photo", "condition")]
    graph = helper.make_graph([helper.make_node("Identity", ["photo"], ["condition"])], "g", values[:1], values[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(weights / "mini" / f"{NETWORK}.onnx"))
    with pytest.raises(BuildFailed, match=r"condition_shading: the graph has .*photo, its spec says nothing"):
        built(tmp_path)
    assert not list((tmp_path / "engines").rglob("*.onnx"))


def served(tmp_path: Path) -> tuple[Path, dict[str, object]]:
    """An engine, and the config Triton would hand to its model, as JSON."""
    built(tmp_path)
    dims = [3, 256, 256]
    config: dict[str, object] = {"max_batch_size": 16}
    config |= {kind: [{"name": name, "data_type": "TYPE_FP32", "dims": dims}] for kind, name in (("input", "picture"), ("output", "condition"))}
    return engine(tmp_path), config


def test_the_backend_takes_an_engine_that_agrees_with_its_config(tmp_path: Path, weights: Path) -> None:
    path, config = served(tmp_path)
    assert engine_file.checked(path, NETWORK, config)["recipe"]["network"] == NETWORK


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "photo", "input photo is"),
        ("data_type", "TYPE_FP16", "input picture is ('TYPE_FP16', [3, 256, 256]) in the config, ('TYPE_FP32', [3, 256, 256]) in the engine"),
        ("dims", [3, 256, 255], "[3, 256, 255]) in the config"),
    ],
)
def test_the_backend_refuses_a_config_that_disagrees(tmp_path: Path, weights: Path, field: str, value: object, says: str) -> None:
    path, config = served(tmp_path)
    config["input"][0][field] = value  # type: ignore[index]
    with pytest.raises(engine_file.BadEngine) as refused:
        engine_file.checked(path, NETWORK, config)
    assert says in str(refused.value)


@pytest.mark.parametrize("harm", ["damaged", "foreign", "no engine", "no side-car"])
def test_the_backend_refuses_an_engine_that_is_not_right(tmp_path: Path, weights: Path, harm: str) -> None:
    path, config = served(tmp_path)
    beside = sidecar.path_of(path)
    if harm == "damaged":
        damage(path)
    elif harm == "no engine":
        path.unlink()
    elif harm == "no side-car":
        beside.unlink()
    else:
        found = json.loads(beside.read_text())
        found["recipe"]["network"] = "unet"
        beside.write_text(json.dumps(found))
    with pytest.raises(engine_file.BadEngine, match="run `make engines") as refused:
        engine_file.checked(path, NETWORK, config)
    assert str(tmp_path) not in str(refused.value)


def test_every_network_has_a_module_or_a_package() -> None:
    from engines.sources import CONVERTED, PACKAGED
    from export.networks import MODULES

    assert set(specs.networks(MINI)) == set(MODULES) | set(PACKAGED) | set(CONVERTED)
