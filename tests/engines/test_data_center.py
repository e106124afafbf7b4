"""What the builder of TensorRT 10 and 11 is told, seen by a stand-in for its module: without a GPU it builds nothing."""

import json
import sys
from pathlib import Path

import pytest

from engines import build as building
from engines import device, sidecar, tensorrt
from engines.errors import BuildFailed
from engines.sources import graph_of
from export import specs
from export.families import FAMILIES
from export.tensors import Network, Tensor

MINI = FAMILIES["mini"]
SMALL = "context_text"
GPU = device.Device("NVIDIA L40S", "SM89", "580.0", 46068)
pytestmark = pytest.mark.released


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in in the builder's place, on a machine with a GPU; returns where its calls are written down."""
    folder = tmp_path / "pretended"
    (folder / "tensorrt-11.4.0.dist-info").mkdir(parents=True)
    (folder / "tensorrt-11.4.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: tensorrt\nVersion: 11.4.0\n")
    (folder / "tensorrt.py").write_text((Path(__file__).parent / "recording.py").read_text())
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "tensorrt", raising=False)  # an earlier test's, in a folder that is gone
    monkeypatch.setattr(tensorrt, "device", lambda: GPU)
    return folder / "calls"


def calls(recording: Path, what: str) -> list[list[object]]:
    return [found[1:] for found in map(json.loads, recording.read_text().splitlines()) if found[0] == what]


def built(folder: Path) -> sidecar.Sidecar:
    ((_, found, now),) = building.build(folder, MINI, tensorrt.DATA_CENTER, [SMALL])
    assert now
    return found


def test_a_network_is_strongly_typed_has_the_shapes_of_its_spec_and_can_not_be_refitted(tmp_path: Path, recording: Path) -> None:
    found = built(tmp_path)
    ((flags,),) = calls(recording, "network")
    assert flags == 1 << 5
    wanted = [[tensor.name, *(list(tensor.shape(which)) for which in ("min", "opt", "max"))] for tensor in specs.network(MINI, SMALL).inputs]
    assert calls(recording, "shape") == wanted
    assert len(calls(recording, "profile")) == 1
    assert not calls(recording, "flag"), "REFIT would be one"
    assert found.recipe.runtime == "tensorrt 11.4.0 on NVIDIA L40S"


def test_what_a_builder_timed_is_known_to_the_next(tmp_path: Path, recording: Path) -> None:
    built(tmp_path / "once")
    (cache,) = (tmp_path / "once").rglob("timing-*")
    assert "L40S" in cache.name
    assert cache.read_bytes() == b"t"
    building.engine_path(tmp_path / "once", "mini", tensorrt.DATA_CENTER, SMALL).unlink()
    built(tmp_path / "once")
    assert calls(recording, "timing") == [["", False], ["t", False]]
    assert cache.read_bytes() == b"tt"


def test_what_another_gpu_timed_is_not_taken(tmp_path: Path, recording: Path) -> None:
    built(tmp_path)
    (cache,) = tmp_path.rglob("timing-*")
    cache.write_bytes(b"other")
    building.engine_path(tmp_path, "mini", tensorrt.DATA_CENTER, SMALL).unlink()
    built(tmp_path)
    assert calls(recording, "timing")[1:] == [["other", False], ["", False]]
    assert cache.read_bytes() == b"t"


def test_a_plan_for_another_gpu_of_the_generation_is_built_anew(tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built(tmp_path)
    monkeypatch.setattr(tensorrt, "device", lambda: device.Device("NVIDIA L4", "SM89", "580.0", 23034))
    built(tmp_path)


@pytest.mark.parametrize("harm", ["name", "dtype", "side"])
def test_a_graph_that_is_not_what_the_spec_says_gives_no_plan(tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch, harm: str) -> None:
    graph, spec = graph_of("mini", SMALL)[0], specs.network(MINI, SMALL)
    first, *others = spec.outputs
    changed = {
        "name": Tensor(f"{first.name}_more", first.dtype, first.dims, first.says),
        "dtype": Tensor(first.name, "fp16", first.dims, first.says),
        "side": Tensor(first.name, first.dtype, (*first.dims[:-1], 7), first.says),
    }[harm]
    with pytest.raises(BuildFailed, match=rf"{SMALL}: the graph has .* as {first.name}.*, its spec says .*; export it anew"):
        tensorrt.plan(tensorrt.DATA_CENTER, graph, Network(spec.name, spec.says, spec.inputs, (changed, *others)))
