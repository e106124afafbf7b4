"""Plans by TensorRT 10, 11 and RTX, whose Python modules differ in a few names. `plan` is run in a process of its own: it may crash.

Not run on a GPU: for TensorRT 10 and 11, which build nothing without one, tests go through all of it with a stand-in for their module.
"""

import importlib
import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np

from engines.device import Device, device
from engines.errors import BadEngine, BuildFailed, MissingPiece
from engines.sidecar import Sidecar
from export.tensors import Network

RTX, DATA_CENTER = "tensorrt-rtx", "tensorrt"
MODULES = {RTX: "tensorrt_rtx", DATA_CENTER: "tensorrt"}
BRINGS = {
    RTX: "run `make engines TARGET=tensorrt-rtx`, which installs it",
    DATA_CENTER: "install it from NVIDIA's package index on the machine whose GPU will serve, as `make gpu-check TENSORRT=VERSION` does",
}
CAPABILITIES = {"fp16": ("SM86", "SM89", "SM120"), "int8": ("SM86", "SM89", "SM120"), "fp8": ("SM89", "SM120")}
"""What one RTX plan is for, by precision: GeForce 30, 40 and 50. The 30s have no FP8, and the builder refuses a plan for them."""
DTYPES: dict[str, np.dtype[Any]] = {"fp32": np.dtype(np.float32), "fp16": np.dtype(np.float16), "int64": np.dtype(np.int64)}
MAGIC = {RTX: b"vtrt", DATA_CENTER: b"ftrt"}
"""How a plan begins: read from plans of RTX 1.7; of TensorRT 10 and 11 as public readers of their plans have it."""


def runtime(target: str) -> str:
    """Module and version; of TensorRT 10 and 11 also the GPU here, for which alone they build. Raises MissingPiece."""
    try:
        found = f"{MODULES[target]} {importlib.metadata.version(MODULES[target])}"
    except importlib.metadata.PackageNotFoundError:
        raise MissingPiece(f"the Python package {MODULES[target]} is not installed; {BRINGS[target]}") from None
    return found if target == RTX else f"{found} on {device().name}"


def fits(sidecar: Sidecar, here: Device) -> None:
    """Raises BadEngine where an engine is for other generations of GPUs, or was built by another runtime than is here; MissingPiece without one."""
    recipe = sidecar.recipe
    again = f"run `make engines FAMILY={recipe.family} TARGET={recipe.target}` here"
    generations = recipe.options.get("capabilities")
    if generations is not None and here.capability not in generations:
        raise BadEngine(
            f"{recipe.network} is for {', '.join(generations)}; this GPU ({here.name}) is {here.capability}, which is not among its targets"
        )
    found = runtime(RTX if recipe.target.startswith(RTX) else DATA_CENTER)
    if found != recipe.runtime:
        raise BadEngine(f"{recipe.network} was built by {recipe.runtime}, here is {found}; {again}")


def timing_file(folder: Path, target: str) -> Path | None:
    """Where the builder of a target keeps what it timed on this GPU, for all networks of a folder; None for one that times nothing.

    Raises MissingPiece.
    """
    return None if target == RTX else folder / f"timing-{runtime(target).replace(' ', '-')}.cache"


def plan(target: str, graph: Path, network: Network, precision: str = "fp16", timing: Path | None = None) -> memoryview:
    """A serialized engine for all shapes of the spec. `timing`: see `timing_file`; written anew, if there is one. Raises BuildFailed with what
    TensorRT says, or how the graph is not what the spec says."""
    trt = importlib.import_module(MODULES[target])
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    definition = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))  # accepted and ignored by 11
    reader = trt.OnnxParser(definition, logger)
    if not reader.parse_from_file(str(graph)):
        raise BuildFailed(f"{network.name}: {'; '.join(str(reader.get_error(k)) for k in range(reader.num_errors))}")
    _check(trt, definition, network)
    settings = _settings(trt, builder, target, network, precision)
    if timing is not None:
        _remember(settings, timing)
    made = builder.build_serialized_network(definition, settings)
    if made is None:
        raise BuildFailed(f"{network.name}: {MODULES[target]} gave no plan; its own lines above say why")
    if timing is not None:
        partial = timing.with_suffix(".partial")
        partial.write_bytes(bytes(settings.get_timing_cache().serialize()))
        partial.replace(timing)
    return memoryview(made)


def _check(trt: Any, definition: Any, network: Network) -> None:
    """Names, dtypes and fixed sides of the ports that TensorRT sees, against the spec's, from which side-cars and the server's configs come."""
    ports = [definition.get_input(k) for k in range(definition.num_inputs)], [definition.get_output(k) for k in range(definition.num_outputs)]
    for found, tensors in zip(ports, (network.inputs, network.outputs), strict=True):
        seen = {port.name: (np.dtype(trt.nptype(port.dtype)), tuple(port.shape)) for port in found}
        wanted = {tensor.name: (DTYPES[tensor.dtype], tuple(side if isinstance(side, int) else -1 for side in tensor.dims)) for tensor in tensors}
        if seen != wanted:
            other = sorted(name for name in seen.keys() | wanted.keys() if seen.get(name) != wanted.get(name))[0]
            raise BuildFailed(
                f"{network.name}: the graph has {_said(seen.get(other))} as {other}, its spec says {_said(wanted.get(other))}; export it anew"
            )


def _said(port: tuple[np.dtype[Any], tuple[int, ...]] | None) -> str:
    return "nothing" if port is None else f"{port[0]} {list(port[1])}"


def _remember(settings: Any, timing: Path) -> None:
    """Let the builder begin with what it timed before. What another version or GPU timed it does not take, and it times anew."""
    known = timing.read_bytes() if timing.exists() else b""
    for blob in (known, b""):
        cache = settings.create_timing_cache(blob)
        if settings.set_timing_cache(cache, ignore_mismatch=False):
            return
    raise BuildFailed("the builder takes no timing cache, not even an empty one; remove those in the folder of the engines, and build again")


def _settings(trt: Any, builder: Any, target: str, network: Network, precision: str) -> Any:
    settings = builder.create_builder_config()
    if target == RTX:  # built without a GPU, for several generations; no timing cache: it would ask for one
        settings.num_compute_capabilities = len(CAPABILITIES[precision])
        for place, name in enumerate(CAPABILITIES[precision]):
            settings.set_compute_capability(getattr(trt.ComputeCapability, name), place)
    profile = builder.create_optimization_profile()
    for tensor in network.inputs:
        shapes = [trt.Dims(tensor.shape(which)) for which in ("min", "opt", "max")]  # made of tuples by the call, they end in any order
        profile.set_shape(tensor.name, *shapes)
    settings.add_optimization_profile(profile)
    return settings
