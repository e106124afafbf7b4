"""The time that a portrait takes at least on a GPU: as if it reached its data sheet, and nothing were read twice. Williams et al. 2009."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from engines import anchors
from engines.count import Cost, counted
from engines.gpus import BYTES, GPUS, Gpu
from engines.sources import graph_of
from export import specs
from export.families import Family
from export.tensors import Axis, Network

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


@dataclass(frozen=True)
class Above:
    """A published time and the floor of the same work, milliseconds; `times`: the one over the other."""

    gpu: str
    precision: str
    steps: int
    published: float
    floor: float
    times: float
    source: str


def costs(family: Family, rows: int) -> dict[str, Cost]:
    """Of one call of every network of a family that has so many rows, or as many as it takes. Raises MissingPiece, Mismatch."""
    found = {}
    for name, network in specs.networks(family).items():
        axes = {axis.name: min(rows, axis.max) for tensor in network.inputs for axis in tensor.dims if isinstance(axis, Axis)}
        found[name] = counted(graph_of(family.name, name)[0], axes)
    return found


def calls(network: Network, rows: int) -> int:
    """How often a network is called for so many rows: more than once where it does not take as many."""
    axes = {axis.max for tensor in network.inputs for axis in tensor.dims if isinstance(axis, Axis)}
    return ceil(rows / min(axes, default=1))


def seconds(cost: Cost, gpu: Gpu, precision: str) -> tuple[float, float]:
    """(of computing, of memory)."""
    moved = cost.weights * BYTES[precision] + cost.ports * PORT_BYTES
    return 2 * cost.multiply_adds / (gpu.peak[precision] * 1e12), moved / (gpu.bandwidth * 1e9)


def floors(family: Family, steps: int) -> Iterator[Floor]:
    """All GPUs, precisions and batches. What runs once for a portrait, the decoder apart, is too little to count: encoders and contexts."""
    networks = specs.networks(family)
    for batch in BATCHES:
        several, one = costs(family, batch * ROWS), costs(family, batch)
        for gpu in GPUS:
            for precision in gpu.peak:
                parts = [
                    tuple(calls(networks[name], batch * ROWS) * part for part in seconds(several[name], gpu, precision))
                    for name in (UNET, CONTROLNET)
                ]
                step = sum(max(part) for part in parts)
                bound = "arithmetic" if sum(part[0] for part in parts) >= sum(part[1] for part in parts) else "memory"
                whole = steps * step + calls(networks[DECODER], batch) * max(seconds(one[DECODER], gpu, precision))
                yield Floor(gpu.name, precision, batch, step * 1e3, bound, whole * 1e3 / batch)


def above(family: Family) -> Iterator[Above]:
    """What is published of a family, beside the floor of the same work: one portrait with guidance, no ControlNet."""
    several, one = costs(family, ROWS), costs(family, 1)
    for anchor, gpu in anchors.of(family.name, GPUS):
        step, end = (max(seconds(cost, gpu, anchor.precision)) for cost in (several[UNET], one[DECODER]))
        floor = 1e3 * (anchor.steps * step + end)
        yield Above(gpu.name, anchor.precision, anchor.steps, anchor.milliseconds, floor, anchor.milliseconds / floor, anchor.source)


def report(family: Family, steps: int) -> dict[str, Any]:
    """Everything as plain data."""
    return {
        "family": family.name,
        "steps": steps,
        "networks": {name: asdict(cost) for name, cost in costs(family, 1).items()},
        "floors": [asdict(floor) for floor in floors(family, steps)],
        "published": [asdict(one) for one in above(family)],
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
    if found["published"]:
        lines += ["", f"{'one, no ControlNet':20}{'precision':>10}{'steps':>6}{'published, ms':>16}{'at least, ms':>16}{'times':>8}"]
    for one in found["published"]:
        first = f"{one['gpu']:20}{one['precision']:>10}{one['steps']:>6}"
        lines.append(f"{first}{one['published']:>16.0f}{one['floor']:>16.0f}{one['times']:>8.2f}")
    lines += [f"Published by {source}." for source in dict.fromkeys(one["source"] for one in found["published"])]
    return "\n".join(lines)
