"""Quantized graphs: `python -m engines quantize` makes one, `python -m engines build --precision` plans of it."""

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx

from engines import modelopt, qdq
from engines.errors import BadEngine, InvalidRequest, MissingPiece
from engines.sources import graph_of
from export import specs, sums
from export.families import Family
from export.packages import digest

PRECISIONS = ("fp8", "int8")
OUT = Path("build/quantized")
KEPT = {
    "unet": ("conv_in", "conv_out", "time_embedding", "class_embedding", "up_blocks.1.resnets.1.conv_shortcut"),
    "controlnet_pose": ("conv_in", "controlnet_cond_embedding", "time_embedding", "controlnet_down_blocks", "controlnet_mid_block"),
}
"""What is quantized, and which of its layers stay in half precision, by how their names begin: the first and the last ones, and the one that the
mini family's UNet bears least of all others (docs/quantization.md)."""
FEW_ROWS = "time_emb_proj"
"""Layers that multiply one row of a portrait, not one of each cell: there is nothing to gain, so they stay, too; as products of attention do."""


@dataclass(frozen=True)
class Quantized:
    """What a quantized graph was made from, and how many of its layers are; written beside it."""

    family: str
    network: str
    precision: str
    by: str
    method: str
    graph_sha256: str
    weights_sha256: str
    calibration_sha256: str
    rows: int
    layers: int
    quantized: int
    sha256: str


def graph_at(out: Path, family: str, network: str, precision: str) -> Path:
    return out / family / f"{network}-{precision}.onnx"


def everything_at(out: Path, family: str, network: str, precision: str) -> Path:
    """The graph with every layer quantized, which the table of sensitivities takes apart."""
    return out / family / f"{network}-{precision}-everything.onnx"


def worth(network: str, layers: dict[str, str]) -> set[str]:
    """Nodes that are quantized, of those in `layers` (node -> layer)."""
    return {
        node
        for node, layer in layers.items()
        if layer != qdq.ATTENTION
        and not layer.endswith(FEW_ROWS)
        and not any(layer == kept or layer.startswith(f"{kept}.") for kept in KEPT[network])
    }


def quantize(family: Family, network: str, precision: str, calibration: Path, out: Path) -> Quantized:
    """Write the graph, the one with everything quantized, and the side-car. Raises InvalidRequest, MissingPiece, BuildFailed."""
    if network not in KEPT:
        raise InvalidRequest(f"{network} is not one that is quantized; choose one of: {', '.join(KEPT)}")
    if precision not in PRECISIONS:
        raise InvalidRequest(f"unknown precision {precision!r}; choose one of: {', '.join(PRECISIONS)}")
    rows = _rows(family, network, calibration)
    source, weights = graph_of(family.name, network)
    for file in (source, weights):
        if file is not None:
            sums.check(file)
    plain = qdq.plain(source)
    layers = qdq.layers(plain)
    path, everything = graph_at(out, family.name, network, precision), everything_at(out, family.name, network, precision)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        whole, made, chosen = Path(folder) / f"{network}.onnx", Path(folder) / "everything.onnx", Path(folder) / "chosen.onnx"
        onnx.save(plain, str(whole))
        modelopt.quantize(whole, calibration, made, precision, list(layers))
        found = qdq.only(onnx.load(str(made)), worth(network, layers))
        onnx.save(found, str(chosen))
        told = Quantized(
            family.name,
            network,
            precision,
            modelopt.VERSION,
            modelopt.METHOD,
            digest(source),
            "" if weights is None else digest(weights),
            digest(calibration),
            rows,
            len(layers),
            len(qdq.quantized_nodes(found)),
            digest(chosen),
        )
        path.with_suffix(".json").unlink(missing_ok=True)  # never an old side-car beside a new graph
        made.replace(everything)
        chosen.replace(path)
    path.with_suffix(".json").write_text(json.dumps(asdict(told), indent=2) + "\n")
    return told


def quantized_graph(out: Path, family: str, network: str, precision: str) -> Path:
    """A graph that is whole and was made of the weights that are released now. Raises MissingPiece, BadEngine."""
    path, again = graph_at(out, family, network, precision), f"run `python -m engines quantize --network {network} --precision {precision}`"
    if not path.exists():
        raise MissingPiece(f"{network} of {family} is not quantized to {precision}; {again}")
    try:
        told = Quantized(**json.loads(path.with_suffix(".json").read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise BadEngine(f"{path.name} has no readable side-car ({type(error).__name__}); {again}") from error
    source, weights = graph_of(family, network)
    if (told.graph_sha256, told.weights_sha256) != (digest(source), "" if weights is None else digest(weights)):
        raise BadEngine(f"{path.name} is stale: it was made of other weights than are released now; {again}")
    if told.sha256 != digest(path):
        raise BadEngine(f"{path.name} is damaged: its bytes are not those that were made; {again}")
    return path


def _rows(family: Family, network: str, calibration: Path) -> int:
    """How many rows a calibration file has. Raises MissingPiece without one, InvalidRequest where it is not of this network."""
    if not calibration.exists():
        raise MissingPiece(f"{calibration} is not there; `python -m measure.trajectories` makes it, from real portraits")
    try:
        with np.load(calibration) as data:
            found = {name: data[name].shape for name in data.files}
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{calibration} is no npz of arrays ({type(error).__name__}); `python -m measure.trajectories` makes one") from error
    wanted = {port.name: port.shape("opt")[1:] for port in specs.network(family, network).inputs}
    shapes = {name: shape[1:] for name, shape in found.items()}
    counts = {shape[0] for shape in found.values()}
    if shapes != wanted or len(counts) != 1 or 0 in counts:
        raise InvalidRequest(f"{calibration} has {found}; wanted for {network}, with one number of rows: {wanted}; record it anew")
    return int(counts.pop())
