"""Public weights all the way: from a file by the command to a graph that says what the module does, and into the side-car of its engine."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from engines import build as building
from engines import sidecar
from export import __main__ as command
from export import published, specs
from export.licences import licences_of
from export.loaders.formats import bring
from export.to_onnx import example
from tests.export.brought import SD15, adapter
from tests.export.narrow import NARROW

NAME = "context_faceid"


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The command knows the narrow families, and writes their graphs here."""
    monkeypatch.setattr(command, "FAMILIES", NARROW)
    for module in ("export.__main__", "engines.sources"):
        monkeypatch.setattr(f"{module}.GRAPHS", tmp_path / "graphs")
    torch.save(adapter(SD15, "faceid"), tmp_path / "faceid.bin")
    return tmp_path


@pytest.mark.filterwarnings("ignore")  # of torch's exporter
@pytest.mark.slow
def test_weights_and_their_licence_go_into_the_graph_and_its_side_car(narrow: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = narrow / "faceid.bin"
    given = [NAME, "--family", "sd15", "--weights", str(file)]
    assert command.main(given) == 2
    assert "give --accept-noncommercial" in capsys.readouterr().err
    assert not (narrow / "graphs").exists()
    killed, other = (narrow / "graphs" / "sd15" / f"partial-{name}-x" for name in (NAME, "unet"))
    killed.mkdir(parents=True)
    other.mkdir()
    assert command.main([*given, "--accept-noncommercial"]) == 0
    assert not killed.exists(), "what an export that was killed has left"
    assert other.exists(), "somebody else's, who may be at work"
    assert "faceid.kv: IP-Adapter-FaceID: non-commercial research only" in capsys.readouterr().out

    graph = narrow / "graphs" / "sd15" / f"{NAME}.onnx"
    network = published.module(SD15, NAME, bring(SD15, [file], noncommercial=True).weights)
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    spec = specs.network(SD15, NAME)
    for batch in (1, 3):
        inputs = example(spec, {"batch": batch}, seed=batch)
        (found,) = session.run(None, {tensor.name: value.numpy() for tensor, value in zip(spec.inputs, inputs, strict=True)})
        wanted = network(*inputs).numpy()
        assert np.abs(found.astype(np.float32) - wanted).max() < 0.01 * np.abs(wanted).max()
    assert found.dtype == np.float16
    assert ".py" not in str(onnx.load(str(graph), load_external_data=False))  # no folders of whoever exported it

    ((_, made, _),) = building.build(narrow / "engines", SD15, "cpu", [NAME])
    licence = "IP-Adapter-FaceID: non-commercial research only: works on vectors of InsightFace's models"
    assert licences_of(graph) == made.licences == {"faceid.tokens": licence, "faceid.kv": licence}
    engine = building.engine_path(narrow / "engines", "sd15", "cpu", NAME)
    assert sidecar.read(engine).licences == made.licences


@pytest.mark.filterwarnings("ignore")  # of torch's exporter
@pytest.mark.slow
def test_what_is_missing_is_exported_and_what_is_there_is_left_alone(narrow: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["missing", "--family", "sd15", "--weights", str(narrow / "faceid.bin"), "--accept-noncommercial"]
    assert command.main(given) == 0
    graph = narrow / "graphs" / "sd15" / f"{NAME}.onnx"
    made = graph.stat().st_mtime_ns
    assert {path.stem for path in graph.parent.glob("*.onnx")} == {NAME, "condition_pose"}, "as far as the weights go, and what needs none"
    assert command.main(given) == 0
    assert graph.stat().st_mtime_ns == made
    assert "random" not in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_random_weights_are_not_taken_in_silence(narrow: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["condition_pose", "--family", "sd15"]) == 0
    assert "no --weights were given: random ones are taken" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["unet", "--lora", "x.safetensors"], 2, "wanted FILE=STRENGTH"),
        (["unet", "--lora", "x.safetensors=1"], 2, "give those, too: --weights FILE"),
        (["harmonizer"], 2, "sd15 has no network 'harmonizer'"),
        (["unet", "--weights", "nothing.safetensors"], 1, "nothing.safetensors is not there"),
        (["unet", "--weights", "faceid.bin", "--accept-noncommercial"], 1, "unet of sd15 needs weights of its unet; got those of: faceid.tokens"),
    ],
)
def test_what_the_command_cannot_do_is_said(
    narrow: Path, arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(narrow)
    assert command.main([*arguments, "--family", "sd15"]) == code
    assert says in capsys.readouterr().err
