"""How much a network's output changes when one layer alone is quantized, on what it was given in portraits that were not calibrated on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from engines import qdq
from engines.errors import MissingPiece
from engines.quantize import everything_at, worth
from export.families import Family

Arrays = dict[str, npt.NDArray[np.float32]]
EVERYTHING, CHOSEN = "everything", "all that are chosen"
LEVEL = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
"""Beyond it ONNX Runtime moves quantization over other operations: FP8 graphs do not load then, and INT8 ones may give other numbers."""


@dataclass(frozen=True)
class Row:
    """`error`: root of the summed squares of the change over that of the output; `largest`: largest change over the largest number."""

    layer: str
    products: int
    error: float
    largest: float
    quantized: bool  # in the graph that is built


def sensitivities(out: Path, family: Family, network: str, precision: str, held_out: Path, rows: int) -> Iterator[Row]:
    """Everything, all that are chosen, then one layer after another; `rows`: so many of the file, evenly. Raises MissingPiece."""
    path = everything_at(out, family.name, network, precision)
    for file, command in ((path, f"engines quantize --network {network} --precision {precision}"), (held_out, "measure.trajectories")):
        if not file.exists():
            raise MissingPiece(f"{file} is not there; `python -m {command}` makes it")
    model = onnx.load(str(path))
    given = picked(held_out, rows)
    layers = {node: layer for node, layer in qdq.layers(qdq.only(model, ())).items() if node in qdq.quantized_nodes(model)}
    chosen = worth(network, layers)
    wanted = outputs(qdq.only(model, ()), given)
    groups: dict[str, list[str]] = {EVERYTHING: list(layers), CHOSEN: sorted(chosen)}
    for node, layer in layers.items():
        groups.setdefault(layer, []).append(node)
    for layer, nodes in groups.items():
        error, largest = apart(outputs(qdq.only(model, nodes), given), wanted)
        yield Row(layer, len(nodes), error, largest, set(nodes) <= chosen)


def picked(path: Path, rows: int) -> Arrays:
    """So many rows of every input, evenly over the file."""
    with np.load(path) as data:
        found = {name: data[name] for name in data.files}
    count = len(next(iter(found.values())))
    places = np.linspace(0, count - 1, min(rows, count)).astype(int)
    return {name: values[places] for name, values in found.items()}


def outputs(model: onnx.ModelProto, given: Arrays) -> list[npt.NDArray[np.float32]]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level, options.log_severity_level = LEVEL, 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found: list[npt.NDArray[np.float32]] = session.run(None, given)
    return found


def apart(found: list[npt.NDArray[np.float32]], wanted: list[npt.NDArray[np.float32]]) -> tuple[float, float]:
    """(relative root of squares, largest over largest) of all outputs together."""
    one, other = (np.concatenate([value.ravel() for value in values]).astype(np.float64) for values in (found, wanted))
    return float(np.linalg.norm(one - other) / np.linalg.norm(other)), float(np.abs(one - other).max() / np.abs(other).max())


def table(rows: list[Row]) -> str:
    """For people, the most sensitive first."""
    lines = ["| layer | products | error | largest | quantized |", "|---|---|---|---|---|"]
    ordered = rows[:2] + sorted(rows[2:], key=lambda row: -row.error)
    lines += [f"| {row.layer} | {row.products} | {row.error:.4f} | {row.largest:.4f} | {'yes' if row.quantized else 'no'} |" for row in ordered]
    return "\n".join(lines)
