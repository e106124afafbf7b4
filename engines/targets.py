"""What engines can be built for, as data."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from engines import cpu, half, plans, tensorrt
from engines.errors import InvalidRequest
from engines.quantize import PRECISIONS
from engines.sidecar import Made
from export.tensors import Network

Build = Callable[[str, Path, Path, Network], Made]
"""(family, graph, out, network) -> what it took. Raises BuildFailed."""


@dataclass(frozen=True)
class Target:
    """`options`: all that changes an engine beside its graph and the runtime; `runtime` raises MissingPiece; `served`: by this server's Triton.

    `quantized`: to which precision its graphs are, or None for those that are released.
    """

    name: str
    engine_file: str
    options: dict[str, Any]
    runtime: Callable[[], str]
    build: Build
    served: bool
    quantized: str | None = None


def _cpu(family: str, graph: Path, out: Path, network: Network) -> Made:
    cpu.build(graph, out, network)
    return Made()


HALF = "fp16"


def _plans(target: str, precision: str) -> Target:
    options: dict[str, Any] = {"precision": precision, "fp32": list(half.FULL)}
    if target == tensorrt.RTX:
        options["capabilities"] = list(tensorrt.CAPABILITIES[precision])
    return Target(
        target if precision == HALF else f"{target}-{precision}",
        "model.plan",
        options,
        partial(tensorrt.runtime, target),
        partial(plans.build, target, precision),
        served=target == tensorrt.DATA_CENTER and precision == HALF,
        quantized=None if precision == HALF else precision,
    )


TARGETS = {
    target.name: target
    for target in (
        Target("cpu", "model.onnx", cpu.OPTIONS, lambda: cpu.RUNTIME, _cpu, served=True),
        *(_plans(target, precision) for precision in (HALF, *PRECISIONS) for target in (tensorrt.RTX, tensorrt.DATA_CENTER)),
    )
}


def target_named(name: str) -> Target:
    """Raises InvalidRequest with the names there are."""
    if name not in TARGETS:
        raise InvalidRequest(f"unknown target {name!r}; choose one of: {', '.join(TARGETS)}")
    return TARGETS[name]
