"""A graph that computes in half precision: TensorRT takes precision from the graph alone."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

FULL = ("InstanceNormalization", "LayerNormalization", "ReduceMean")
"""Operations that stay in single precision: sums over many squares."""


def halved(graph: Path) -> onnx.ModelProto:
    """The graph with its weights inside, in half precision but for FULL; inputs and outputs stay as they are."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = onnx.load(str(graph))
    plain_weights(model)
    found: onnx.ModelProto = convert_float_to_float16(model, keep_io_types=True, op_block_list=list(FULL))
    _once_each(found)
    return found


def plain_weights(model: onnx.ModelProto) -> None:
    """Matrices lie in half precision in our files, each behind a cast: take the casts away, the converter wants single precision."""
    halves = {tensor.name: tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT16}
    casts = [node for node in model.graph.node if node.op_type == "Cast" and node.input[0] in halves]
    for node in casts:
        values = numpy_helper.to_array(halves[node.input[0]]).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
        model.graph.node.remove(node)
    used = {name for node in model.graph.node for name in node.input}
    for tensor in [tensor for tensor in model.graph.initializer if tensor.name not in used]:
        model.graph.initializer.remove(tensor)


def _once_each(model: onnx.ModelProto) -> None:
    """The converter casts a tensor anew for every operation that stays in single precision, under one name: keep the first."""
    made: set[str] = set()
    kept = []
    for node in model.graph.node:
        if not made.intersection(node.output):
            kept.append(node)
        made.update(node.output)
    del model.graph.node[:]
    model.graph.node.extend(kept)
