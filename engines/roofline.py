"""The time that a portrait takes at least on a GPU: as if it reached its data sheet, and nothing were read twice. Williams et al. 2009."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from engines.count import Cost, counted
from engines.gpus import BYTES, GPUS, Gpu
from engines.sources import graph_of
from export import specs
from export.families import Family
from export.tensors import Axis

UNET, CONTROLNET, DECODER = "unet", "controlnet_pose", "vae_decoder"
ROWS = 2  # of the UNet for one portrait: with guidance
PORT_BYTES = 2  # what comes and goes is in half precision whatever the weights are
BATCHES = (1, 2, 8)


@dataclass(frozen=True)
class Floor:
    """Milliseconds of one step (with ControlNet) and of one portrait, for `batch` portraits at once; `bound`: what the step waits for."""

    gpu: str
    precision: str
    batch: int
    step: float
    bound: str
    portrait: float  # of one of the batch


def costs(family: Family, rows: int) -> dict[str, Cost]:
    """Of every network of a family that has so many rows (or one, where it takes no more). Raises MissingPiece, Mismatch."""
    found = {}
    for name, network in specs.networks(family).items():
        axes = {axis.name: min(rows, axis.max) for tensor in network.inputs for axis in tensor.dims if isinstance(axis, Axis)}
        found[name] = counted(graph_of(family.name, name)[0], axes)
    return found


def seconds(cost: Cost, gpu: Gpu, precision: str) -> tuple[float, float]:
    """(of computing, of memory)."""
    moved = cost.weights * BYTES[precision] + cost.ports * PORT_BYTES
    return 2 * cost.multiply_adds / (gpu.peak[precision] * 1e12), moved / (gpu.bandwidth * 1e9)


def floors(family: Family, steps: int) -> Iterator[Floor]:
    """All GPUs, precisions and batches. What runs once for a portrait, the decoder apart, is too little to count: encoders and contexts."""
    for batch in BATCHES:
        several, one = costs(family, batch * ROWS), costs(family, batch)
        for gpu in GPUS:
            for precision in gpu.peak:
                parts = [seconds(several[name], gpu, precision) for name in (UNET, CONTROLNET)]
                step = sum(max(part) for part in parts)
                bound = "arithmetic" if sum(part[0] for part in parts) >= sum(part[1] for part in parts) else "memory"
                whole = steps * step + max(seconds(one[DECODER], gpu, precision))
                yield Floor(gpu.name, precision, batch, step * 1e3, bound, whole * 1e3 / batch)


def report(family: Family, steps: int) -> dict[str, Any]:
    """Everything as plain data."""
    return {
        "family": family.name,
        "steps": steps,
        "networks": {name: asdict(cost) for name, cost in costs(family, 1).items()},
        "floors": [asdict(floor) for floor in floors(family, steps)],
    }


def table(found: dict[str, Any]) -> str:
    """The report for people."""
    lines = [f"{'network, one row':22}{'multiply-adds':>16}{'weights':>12}{'in and out':>12}{'all numbers':>14}"]
    for name, cost in found["networks"].items():
        adds, weights, ports, touched = (cost[key] for key in ("multiply_adds", "weights", "ports", "touched"))
        lines.append(f"{name:22}{adds / 1e9:>14.3f} G{weights / 1e6:>10.2f} M{ports / 1e6:>10.3f} M{touched / 1e6:>12.2f} M")
    whole = f"portrait, {found['steps']} steps"
    lines += ["", f"{'at least, ms':12}{'precision':>10}{'batch':>6}{'step':>10}{'bound by':>12}{whole:>22}"]
    for one in found["floors"]:
        first = f"{one['gpu']:12}{one['precision']:>10}{one['batch']:>6}"
        lines.append(f"{first}{one['step']:>10.4f}{one['bound']:>12}{one['portrait']:>22.3f}")
    return "\n".join(lines)
