"""Portraits are kept by what they were made by."""

from pathlib import Path

from measure.studio import engines_digest, recipes_digest


def test_other_weights_beside_the_same_graph_are_another_network(tmp_path: Path) -> None:
    graph, weights = tmp_path / "context.onnx", tmp_path / "context.safetensors"
    graph.write_bytes(b"graph")
    weights.write_bytes(b"one")
    before = engines_digest({"context": graph})
    assert engines_digest({"context": graph}) == before != engines_digest({})
    weights.write_bytes(b"another")
    assert engines_digest({"context": graph}) != before
    weights.unlink()
    assert engines_digest({"context": graph}) != before


def test_another_recipe_makes_other_portraits(tmp_path: Path) -> None:
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "face0.py").write_text("hold = 0.8")
    before = recipes_digest(tmp_path)
    assert recipes_digest(tmp_path) == before
    (tmp_path / "systems" / "face0.py").write_text("hold = 1.0")
    assert recipes_digest(tmp_path) != before
