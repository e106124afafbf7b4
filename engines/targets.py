"""What engines can be built for, as data."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from engines import cpu, half, plans, tensorrt
from engines.errors import InvalidRequest
from export.tensors import Network

Build = Callable[[str, Path, Path, Network], int | None]
"""(family, graph, out, network) -> the most memory that it took, bytes, where that was measured. Raises BuildFailed."""


@dataclass(frozen=True)
class Target:
    """`options`: all that changes an engine beside its graph and the runtime; `runtime` raises MissingPiece; `served`: by this server's Triton."""

    name: str
    engine_file: str
    options: dict[str, Any]
    runtime: Callable[[], str]
    build: Build
    served: bool


def _cpu(family: str, graph: Path, out: Path, network: Network) -> None:
    cpu.build(graph, out, network)


_HALF = {"precision": "fp16", "fp32": list(half.FULL)}
TARGETS = {
    target.name: target
    for target in (
        Target("cpu", "model.onnx", cpu.OPTIONS, lambda: cpu.RUNTIME, _cpu, served=True),
        Target(
            tensorrt.RTX,
            "model.plan",
            {**_HALF, "capabilities": list(tensorrt.CAPABILITIES)},
            partial(tensorrt.runtime, tensorrt.RTX),
            partial(plans.build, tensorrt.RTX),
            served=False,
        ),
        Target(
            tensorrt.DATA_CENTER,
            "model.plan",
            _HALF,
            partial(tensorrt.runtime, tensorrt.DATA_CENTER),
            partial(plans.build, tensorrt.DATA_CENTER),
            served=True,
        ),
    )
}


def target_named(name: str) -> Target:
    """Raises InvalidRequest with the names there are."""
    if name not in TARGETS:
        raise InvalidRequest(f"unknown target {name!r}; choose one of: {', '.join(TARGETS)}")
    return TARGETS[name]
