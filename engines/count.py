"""What a network costs, counted from its graph: multiply-adds, weights, and the bytes that come and go."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import onnx
from onnx import TensorProto, shape_inference

from export.errors import Mismatch

Shape = tuple[int, ...]
WEIGHED = ("Conv", "ConvTranspose", "MatMul", "Gemm")
"""Operations whose multiply-adds are counted. The others are a few per number and bound by memory."""


@dataclass(frozen=True)
class Cost:
    """Of one call: multiply-adds; and how many numbers the weights have, come in and go out, and are read and written by all operations together."""

    multiply_adds: int
    weights: int
    ports: int
    touched: int


def counted(path: Path, axes: Mapping[str, int]) -> Cost:
    """The cost of a graph with its named axes at given sizes. Weights that lie in another file are not read.

    Raises Mismatch for an axis that is not given, or a shape that cannot be told.
    """
    model = onnx.load(str(path), load_external_data=False)
    _fix(model.graph.value_info, axes)
    if unknown := _fix((*model.graph.input, *model.graph.output), axes):
        raise Mismatch(f"{path} has an axis {unknown[0]!r} that the specs do not know; export it again")
    graph = shape_inference.infer_shapes(model, data_prop=True).graph
    shapes: dict[str, Shape] = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        shapes[value.name] = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
    constants = {tensor.name for tensor in graph.initializer}
    weights = sum(prod(tensor.dims) for tensor in graph.initializer if tensor.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16))
    multiply_adds = touched = 0
    for node in graph.node:
        given, made = [shapes.get(name) for name in node.input if name], [shapes.get(name) for name in node.output if name]
        if node.op_type in WEIGHED:
            if None in (*given, *made) or 0 in made[0]:  # type: ignore[operator]
                raise Mismatch(f"{path}: the shapes of {node.op_type} {node.name} cannot be told; export it again")
            multiply_adds += _multiply_adds(node, given, made[0])  # type: ignore[arg-type]
        touched += sum(prod(shape) for shape in (*given, *made) if shape is not None)
    ports = sum(prod(shapes[value.name]) for value in (*graph.input, *graph.output) if value.name not in constants)
    return Cost(multiply_adds, weights, ports, touched)


def _fix(values: Iterable[onnx.ValueInfoProto], axes: Mapping[str, int]) -> list[str]:
    """Give axes their sizes; those of other names, like 6*batch inside a graph, are left to be inferred, and returned."""
    unknown = []
    for dim in (dim for value in values for dim in value.type.tensor_type.shape.dim if dim.HasField("dim_param")):
        name = dim.dim_param
        dim.ClearField("dim_param")
        if name in axes:
            dim.dim_value = axes[name]
        else:
            unknown.append(name)
    return unknown


def _multiply_adds(node: onnx.NodeProto, given: list[Shape], made: Shape) -> int:
    """Numbers made, times the products in each."""
    attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    match node.op_type:
        case "Conv":
            return prod(made) * prod(given[1][1:])  # weight [out, in / groups, kernel]
        case "ConvTranspose":
            return prod(given[0]) * prod(given[1][1:])  # weight [in, out / groups, kernel]
        case "Gemm":
            return prod(made) * given[0][0 if attributes.get("transA") else 1]
        case _:
            return prod(made) * given[0][-1]
