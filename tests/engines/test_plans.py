"""Plans are built without a GPU, alike each time, and a builder that crashes says for which network."""

import importlib.metadata
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from engines import build as building
from engines import plans, repeatable, sidecar, table, tensorrt
from engines.__main__ import main
from engines.errors import BuildFailed, InvalidRequest, MissingPiece
from engines.half import halved
from engines.sources import graph_of
from export import specs
from export.families import FAMILIES
from export.packages import digest

pytestmark = pytest.mark.released
MINI = FAMILIES["mini"]
SMALL = "context_face_makeup"
UNSTEADY = "unet"
"""Its plan is never the same to the byte where the builder is started as any other process is."""


def built(folder: Path, name: str = SMALL) -> tuple[Path, sidecar.Sidecar]:
    ((_, found, now),) = building.build(folder, MINI, tensorrt.RTX, [name])
    assert now
    return building.engine_path(folder, "mini", tensorrt.RTX, name), found


def test_a_plan_is_built_without_a_gpu_and_to_the_same_bytes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, found = built(tmp_path / "once", UNSTEADY)
    monkeypatch.setenv("ANOTHER", "environment" * 300)
    again, other = built(tmp_path / "again" / "in another folder", UNSTEADY)
    assert plan.read_bytes().startswith(tensorrt.MAGIC[tensorrt.RTX])
    assert found.key == other.key
    if not found.made.refused:  # else its line says that bytes may vary
        assert found.sha256 == other.sha256
    assert digest(again) == other.sha256
    assert found.recipe.options["capabilities"] == ["SM86", "SM89", "SM120"]
    assert found.made.peak_bytes is not None
    assert found.made.peak_bytes > plan.stat().st_size
    ((_, _, now),) = building.build(tmp_path / "once", MINI, tensorrt.RTX, [UNSTEADY])
    assert not now


def test_what_the_system_refuses_of_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(repeatable, "way", lambda: repeatable.Way((), ("chrt",)))
    assert main(["build", SMALL, "--target", tensorrt.RTX, "--out", str(tmp_path)]) == 0
    assert "another build may give other bytes: this system refuses chrt" in capsys.readouterr().out
    assert "chrt" in sidecar.read(building.engine_path(tmp_path, "mini", tensorrt.RTX, SMALL)).made.refused


@pytest.mark.parametrize("name", ["unet", SMALL, "vae_decoder"])
def test_a_graph_in_half_precision_says_nearly_what_the_whole_one_does(tmp_path: Path, name: str) -> None:
    graph, half = graph_of("mini", name)[0], tmp_path / "half.onnx"
    onnx.save(halved(graph), str(half))
    draw = np.random.default_rng(0)
    given = {
        tensor.name: np.asarray(draw.integers(0, 999, tensor.shape("opt")) if tensor.dtype == "int64" else draw.normal(size=tensor.shape("opt")))
        for tensor in specs.network(MINI, name).inputs
    }
    given = {key: value if value.dtype == np.int64 else value.astype(np.float32) for key, value in given.items()}
    whole, less = (onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, given) for path in (graph, half))
    for one, other in zip(whole, less, strict=True):
        assert np.abs(one - other).max() < 0.02 * np.abs(one).max()
    kinds = {port.name: port.type for port in onnxruntime.InferenceSession(str(half), providers=["CPUExecutionProvider"]).get_inputs()}
    assert set(kinds.values()) <= {"tensor(float)", "tensor(int64)"}


def pretended(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """A package `tensorrt_rtx` that does something else, for the builder's process."""
    folder.mkdir()
    (folder / "tensorrt_rtx.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))


CRASH = "import os, signal, sys\nsys.stderr.write('assertion in layer 7')\nsys.stderr.flush()\nos.kill(os.getpid(), signal.SIGSEGV)\n"


def test_a_builder_that_crashes_is_told_by_the_network_s_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretended(tmp_path / "pretended", monkeypatch, CRASH)
    with pytest.raises(BuildFailed, match=rf"{SMALL}: the builder of tensorrt-rtx crashed \(SIGSEGV\); it said: .*assertion in layer 7"):
        list(building.build(tmp_path, MINI, tensorrt.RTX, [SMALL]))
    assert not list(building.engine_path(tmp_path, "mini", tensorrt.RTX, SMALL).parent.iterdir())


def test_a_builder_that_gives_no_plan_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gives = 'return b"ftrt, and more"'
    code = (Path(__file__).parent / "recording.py").read_text()
    assert gives in code
    pretended(tmp_path / "pretended", monkeypatch, code.replace(gives, "return None"))
    with pytest.raises(BuildFailed, match=f"{SMALL}: tensorrt_rtx gave no plan"):
        plans.build(tensorrt.RTX, "fp16", "mini", graph_of("mini", SMALL)[0], tmp_path / "x.plan", specs.network(MINI, SMALL))


def test_a_runtime_that_is_not_installed_is_told_with_what_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", none)
    with pytest.raises(MissingPiece, match="tensorrt_rtx is not installed; run `make engines TARGET=tensorrt-rtx`"):
        list(building.build(tmp_path, MINI, tensorrt.RTX, [SMALL]))
    with pytest.raises(MissingPiece, match="tensorrt is not installed; install it from NVIDIA's package index"):
        list(building.build(tmp_path, MINI, tensorrt.DATA_CENTER, [SMALL]))


def test_targets_that_there_are_not_are_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="unknown target 'tpu'; choose one of: cpu, tensorrt-rtx, tensorrt"):
        list(building.build(tmp_path, MINI, "tpu", [SMALL]))


def test_a_table_of_engines_that_are_not_all_built_is_refused(tmp_path: Path) -> None:
    built(tmp_path)
    with pytest.raises(MissingPiece, match="text_encoder is not built for tensorrt-rtx; run `make engines FAMILY=mini TARGET=tensorrt-rtx`"):
        table.section(tmp_path, MINI, tensorrt.RTX)


def test_the_builder_is_not_loaded_into_this_process(tmp_path: Path) -> None:
    built(tmp_path)
    assert "tensorrt_rtx" not in sys.modules
