"""Where the graph of a network comes from: our own release, or a pinned package."""

from collections.abc import Callable
from pathlib import Path

from engines.errors import MissingPiece
from export.face_models import detector_graph, identity_graph

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
PACKAGED: dict[str, Callable[[], Path]] = {"identity_encoder": identity_graph, "face_detector": detector_graph}
"""Networks of every family that nobody here trained, weights inside the graph."""
CONVERTED = ("face_landmarks", "person_mask")
"""Networks that nobody here trained, converted once by scripts/convert_mediapipe.py and kept beside the trained ones."""


def graph_of(family: str, network: str) -> tuple[Path, Path | None]:
    """(graph, its weights or None where they are inside). Raises MissingPiece."""
    if network in PACKAGED:
        return PACKAGED[network](), None
    graph = WEIGHTS / family / f"{network}.onnx"
    if not graph.exists():
        raise MissingPiece(f"weights/{family} has no graph of {network}; export it with `python -m export {network} --family {family}`")
    weights = graph.with_suffix(".safetensors")
    return graph, weights if weights.exists() else None


def tokenizer_of(family: str) -> Path:
    """The file that cuts words into tokens. Raises MissingPiece."""
    path = WEIGHTS / family / "tokenizer.json"
    if not path.exists():
        raise MissingPiece(f"weights/{family} has no tokenizer.json; export it with `python -m export text_encoder --family {family}`")
    return path
