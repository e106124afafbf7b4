"""The target `cpu`: a graph with its weights, optimised once by ONNX Runtime and by rules of our own, in one file."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import onnxscript
from onnx import helper, numpy_helper

from engines.errors import BuildFailed
from engines.fusions import fused
from export.tensors import Network, Tensor

RUNTIME = f"onnxruntime {onnxruntime.__version__}"
TYPES = {"fp32": "tensor(float)", "fp16": "tensor(float16)", "int64": "tensor(int64)"}
OPTIONS: dict[str, Any] = {
    "optimization": "extended",  # not `all`: its layouts fit one kind of processor only
    "sums": "products",
    "fusions": f"onnxscript {onnxscript.__version__}, rules 2",  # count up what the rules of engines/fusions.py give
}


def build(graph: Path, out: Path, network: Network) -> None:
    """Write the optimised model, weights inside. Raises BuildFailed where it is not what the spec says."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(out)
    options.log_severity_level = 3
    model = onnx.load(str(graph))
    _sum_by_products(model.graph)
    whole = model.SerializeToString()  # from the file alone, what is left as it was would go on pointing at the weights beside it
    session = onnxruntime.InferenceSession(whole, options, providers=["CPUExecutionProvider"])
    for found, tensors in ((session.get_inputs(), network.inputs), (session.get_outputs(), network.outputs)):
        _compare(network.name, {port.name: (port.type, port.shape) for port in found}, tensors)
    onnx.save(fused(onnx.load(str(out))), str(out))
    onnx.checker.check_model(str(out))


def _sum_by_products(graph: onnx.GraphProto) -> None:
    """Sums over the tokens of an input [batch, tokens, width] as products with ones: ONNX Runtime adds in another order where a batch has one row
    than where it has more, and then a row depends on its neighbours by a last bit. Its products do not."""
    sides = {port.name: [side.dim_value for side in port.type.tensor_type.shape.dim] for port in graph.input}
    axes = {one.name: numpy_helper.to_array(one).tolist() for one in graph.initializer if one.data_type == onnx.TensorProto.INT64}
    nodes = []
    for node in graph.node:
        kept = any(one.name == "keepdims" and one.i for one in node.attribute)
        if node.op_type != "ReduceSum" or kept or len(sides.get(node.input[0], ())) != 3 or axes.get(node.input[1]) != [1]:
            nodes.append(node)
            continue
        ones, rows = f"{node.output[0]}_ones", f"{node.output[0]}_rows"
        graph.initializer.append(numpy_helper.from_array(np.ones((1, sides[node.input[0]][1]), np.float32), ones))
        nodes.append(helper.make_node("MatMul", [ones, node.input[0]], [rows]))
        nodes.append(helper.make_node("Squeeze", [rows, node.input[1]], [node.output[0]]))
    del graph.node[:]
    graph.node.extend(nodes)


def _compare(name: str, found: dict[str, tuple[str, list[int | str]]], tensors: tuple[Tensor, ...]) -> None:
    """Names, dtypes and fixed sides of a graph's ports against the spec's; what varies may have any name."""
    wanted = {tensor.name: (TYPES[tensor.dtype], [dim if isinstance(dim, int) else None for dim in tensor.dims]) for tensor in tensors}
    seen = {port: (dtype, [side if isinstance(side, int) else None for side in shape]) for port, (dtype, shape) in found.items()}
    if seen != wanted:
        other = sorted(port for port in seen.keys() | wanted.keys() if seen.get(port) != wanted.get(port))[0]
        raise BuildFailed(
            f"{name}: the graph has {seen.get(other, 'nothing')} as {other}, its spec says {wanted.get(other, 'nothing')}; export it anew"
        )
