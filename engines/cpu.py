"""The target `cpu`: a graph with its weights, optimised once by ONNX Runtime, in one file."""

from pathlib import Path
from typing import Any

import onnx
import onnxruntime

from engines.errors import BuildFailed
from export.tensors import Network, Tensor

RUNTIME = f"onnxruntime {onnxruntime.__version__}"
TYPES = {"fp32": "tensor(float)", "fp16": "tensor(float16)", "int64": "tensor(int64)"}
OPTIONS: dict[str, Any] = {"optimization": "extended"}  # not `all`: its layouts fit one kind of processor only


def build(graph: Path, out: Path, network: Network) -> None:
    """Write the optimised model, weights inside. Raises BuildFailed where it is not what the spec says."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(out)
    options.log_severity_level = 3
    whole = onnx.load(str(graph)).SerializeToString()  # from the file alone, what is left as it was would go on pointing at the weights beside it
    session = onnxruntime.InferenceSession(whole, options, providers=["CPUExecutionProvider"])
    for found, tensors in ((session.get_inputs(), network.inputs), (session.get_outputs(), network.outputs)):
        _compare(network.name, {port.name: (port.type, port.shape) for port in found}, tensors)
    onnx.checker.check_model(str(out))


def _compare(name: str, found: dict[str, tuple[str, list[int | str]]], tensors: tuple[Tensor, ...]) -> None:
    """Names, dtypes and fixed sides of a graph's ports against the spec's; what varies may have any name."""
    wanted = {tensor.name: (TYPES[tensor.dtype], [dim if isinstance(dim, int) else None for dim in tensor.dims]) for tensor in tensors}
    seen = {port: (dtype, [side if isinstance(side, int) else None for side in shape]) for port, (dtype, shape) in found.items()}
    if seen != wanted:
        other = sorted(port for port in seen.keys() | wanted.keys() if seen.get(port) != wanted.get(port))[0]
        raise BuildFailed(
            f"{name}: the graph has {seen.get(other, 'nothing')} as {other}, its spec says {wanted.get(other, 'nothing')}; export it anew"
        )
