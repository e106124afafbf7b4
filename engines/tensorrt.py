"""Plans by TensorRT 10, 11 and RTX, whose Python modules differ in a few names. `plan` is run in a process of its own: it may crash."""

import importlib
import importlib.metadata
from pathlib import Path
from typing import Any

from engines.device import Device, device
from engines.errors import BadEngine, BuildFailed, MissingPiece
from engines.sidecar import Sidecar
from export.tensors import Network

RTX, DATA_CENTER = "tensorrt-rtx", "tensorrt"
MODULES = {RTX: "tensorrt_rtx", DATA_CENTER: "tensorrt"}
BRINGS = {
    RTX: "run `make engines TARGET=tensorrt-rtx`, which installs it",
    DATA_CENTER: "install it from NVIDIA's package index on the machine whose GPU will serve",
}
CAPABILITIES = {"fp16": ("SM86", "SM89", "SM120"), "int8": ("SM86", "SM89", "SM120"), "fp8": ("SM89", "SM120")}
"""What one RTX plan is for, by precision: GeForce 30, 40 and 50. The 30s have no FP8, and the builder refuses a plan for them."""
MAGIC = b"vtrt"  # how a plan begins, read from plans of 1.7


def runtime(target: str) -> str:
    """Module and version; of TensorRT 10 and 11 also the generation of the GPU here, for which alone they build. Raises MissingPiece."""
    try:
        found = f"{MODULES[target]} {importlib.metadata.version(MODULES[target])}"
    except importlib.metadata.PackageNotFoundError:
        raise MissingPiece(f"the Python package {MODULES[target]} is not installed; {BRINGS[target]}") from None
    return found if target == RTX else f"{found} on {device().capability}"


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


def plan(target: str, graph: Path, network: Network, precision: str = "fp16") -> memoryview:
    """A serialized engine for all shapes of the spec. Raises BuildFailed with what TensorRT says."""
    trt = importlib.import_module(MODULES[target])
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    definition = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))  # accepted and ignored by 11
    reader = trt.OnnxParser(definition, logger)
    if not reader.parse_from_file(str(graph)):
        raise BuildFailed(f"{network.name}: {'; '.join(str(reader.get_error(k)) for k in range(reader.num_errors))}")
    made = builder.build_serialized_network(definition, _settings(trt, builder, target, network, precision))
    if made is None:
        raise BuildFailed(f"{network.name}: {MODULES[target]} gave no plan; its own lines above say why")
    return memoryview(made)


def _settings(trt: Any, builder: Any, target: str, network: Network, precision: str) -> Any:
    settings = builder.create_builder_config()
    if target == RTX:  # built without a GPU, for several generations; no timing cache: it would ask for one
        settings.num_compute_capabilities = len(CAPABILITIES[precision])
        for place, name in enumerate(CAPABILITIES[precision]):
            settings.set_compute_capability(getattr(trt.ComputeCapability, name), place)
    profile = builder.create_optimization_profile()
    for tensor in network.inputs:
        profile.set_shape(tensor.name, tensor.shape("min"), tensor.shape("opt"), tensor.shape("max"))
    settings.add_optimization_profile(profile)
    return settings
