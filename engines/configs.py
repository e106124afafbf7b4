"""Triton's configs of the engine models, from the specs: `config.pbtxt` for TensorRT, `configs/cpu.pbtxt` for the CPU, in one repository."""

from pathlib import Path

from export import specs
from export.families import Family
from export.tensors import Axis, Network, Tensor

HEADER = "# Written by `python -m engines configs`; change the specs instead.\n"
DTYPES = {"fp32": "TYPE_FP32", "fp16": "TYPE_FP16", "int64": "TYPE_INT64"}
BACKEND = "onnx_cpu"  # server_config/backends/onnx_cpu
GPU, CPU = 'platform: "tensorrt_plan"\n', f'backend: "{BACKEND}"\n'


def batch_of(network: Network) -> int:
    """Triton's `max_batch_size`; 0 for a network whose batch is always 1, which Triton then does not count as one."""
    first = network.inputs[0].dims[0]
    return first.max if isinstance(first, Axis) else 0


def ports(kind: str, tensors: tuple[Tensor, ...], *, batched: bool) -> str:
    """The block of all inputs or outputs. With a batch size, Triton's dims leave the batch out."""
    lines = []
    for tensor in tensors:
        dims = tensor.dims[1:] if batched else tensor.dims
        shape = ", ".join(str(dim) if isinstance(dim, int) else "-1" for dim in dims)
        reshape = "" if dims else " reshape { shape: [ ] }"
        lines.append(f'  {{ name: "{tensor.name}" data_type: {DTYPES[tensor.dtype]} dims: [ {shape or 1} ]{reshape} }}')
    return f"{kind} [\n" + ",\n".join(lines) + "\n]\n"


def config(network: Network, runs: str, where: str) -> str:
    """A whole config; `runs` names the platform or backend, `where` the kind of instance."""
    batch = batch_of(network)
    text = HEADER + f"# {network.says}\n" + runs + f"max_batch_size: {batch}\n"
    text += ports("input", network.inputs, batched=batch > 0) + ports("output", network.outputs, batched=batch > 0)
    if batch:
        text += "dynamic_batching { }  # what waits together runs together; nothing waits for more\n"
    return text + f"instance_group [ {{ kind: {where} count: 1 }} ]\n"


def files(family: Family) -> dict[str, str]:
    """Path inside the model repository -> content, for all engine models."""
    found = {}
    for name, network in specs.networks(family).items():
        found[f"{name}/config.pbtxt"] = config(network, GPU, "KIND_GPU")
        found[f"{name}/configs/cpu.pbtxt"] = config(network, CPU, "KIND_CPU")
    return found


def write(family: Family, repository: Path) -> list[Path]:
    """Write all configs; returns their paths."""
    paths = []
    for name, text in files(family).items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        paths.append(path)
    return paths
