"""A repository's engines in a few digits: others for other engines, the generator's the same whatever it was built for."""

import json
from pathlib import Path

from omokage.installed import digests


def install(repository: Path, network: str, file: str, **changes: str) -> None:
    folder = repository / network / "1"
    folder.mkdir(parents=True, exist_ok=True)
    made = {"network": network, "graph_sha256": f"graph of {network}", "weights_sha256": f"weights of {network}"}
    sidecar = {"sha256": changes.pop("sha256", f"engine of {network}"), "recipe": made | changes}
    (folder / f"{file}.json").write_text(json.dumps(sidecar))


def test_other_engines_have_other_digits(tmp_path: Path) -> None:
    install(tmp_path, "unet", "model.onnx")
    install(tmp_path, "context_text", "model.onnx")
    before = digests(tmp_path)
    assert digests(tmp_path) == before
    install(tmp_path, "unet", "model.onnx", sha256="another")
    after = digests(tmp_path)
    assert after["engines"] != before["engines"]
    assert after["generator"] == before["generator"]


def test_a_generator_is_the_same_as_a_plan_and_another_with_other_weights(tmp_path: Path) -> None:
    for target, file in (("cpu", "model.onnx"), ("plans", "model.plan")):
        install(tmp_path / target, "context_text", file, sha256=target)
    cpu, plans = (digests(tmp_path / target) for target in ("cpu", "plans"))
    assert cpu["engines"] != plans["engines"]
    assert cpu["generator"] == plans["generator"] != ""
    install(tmp_path / "cpu", "context_text", "model.onnx", weights_sha256="another")
    assert digests(tmp_path / "cpu")["generator"] != plans["generator"]


def test_a_repository_without_engines_has_no_digits(tmp_path: Path) -> None:
    assert digests(tmp_path) == {"engines": "", "generator": ""}
