"""Where the graph of a network comes from: our own release, or a pinned package."""

from collections.abc import Callable
from pathlib import Path

from engines.errors import MissingPiece
from export.__main__ import GRAPHS, WEIGHTS
from export.face_models import detector_graph, identity_graph
from export.families import FAMILIES
from export.specs import WEIGHTS_OF

PACKAGED: dict[str, Callable[[], Path]] = {"identity_encoder": identity_graph, "face_detector": detector_graph}
"""Networks of every family that nobody here trained, weights inside the graph; published families have an identity encoder of their own."""
CONVERTED = ("face_landmarks", "person_mask")
"""Networks that nobody here trained, converted once by scripts/convert_mediapipe.py and kept beside the trained ones."""
SHARED = ("face_detector", *CONVERTED)
"""Networks that are the same in every family, in single precision."""


def graph_of(family: str, network: str) -> tuple[Path, Path | None]:
    """(graph, its weights or None where they are inside). Raises MissingPiece."""
    published = FAMILIES[family].published
    if network in PACKAGED and not (published and network == "identity_encoder"):
        return PACKAGED[network](), None
    folder = WEIGHTS / "mini" if network in CONVERTED else (GRAPHS if published else WEIGHTS) / family
    graph = folder / f"{network}.onnx"
    if not graph.exists():
        where = "build/graphs" if published else "weights"
        again = f"export it with `python -m export {network} --family {family}`" + (
            f", or all by `make engines FAMILY={family}`" if published else ""
        )
        raise MissingPiece(f"{where}/{family} has no graph of {network}; {again}")
    weights = graph.with_stem(WEIGHTS_OF.get(network, network)).with_suffix(".safetensors")
    return graph, weights if weights.exists() else None


def tokenizer_of(family: str) -> Path:
    """The file that cuts words into tokens. Raises MissingPiece."""
    path = WEIGHTS / family / "tokenizer.json"
    if not path.exists():
        raise MissingPiece(f"weights/{family} has no tokenizer.json; export it with `python -m export text_encoder --family {family}`")
    return path
