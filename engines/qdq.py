"""Graphs whose layers are quantized by pairs of QuantizeLinear and DequantizeLinear: which layers there are, and only some of them quantized."""

import tempfile
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import onnx
import onnxruntime

from engines.half import plain_weights

WEIGHED = ("Conv", "Gemm", "MatMul")
QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"
ATTENTION = "products of attention"
"""The layer of products that have no weights: queries by keys, shares by values."""


def plain(graph: Path) -> onnx.ModelProto:
    """The graph in single precision, weights inside and where the operations are that use them; nodes keep their names."""
    model = onnx.load(str(graph))
    plain_weights(model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC  # folds constants, fuses nothing
        options.optimized_model_filepath = str(path)
        options.log_severity_level = 3
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return onnx.load(str(path))


def layers(model: onnx.ModelProto) -> dict[str, str]:
    """Name of every node that multiplies -> its layer, as the module's parameters are named.

    A layer without a bias has lost its name on the way to ONNX: it is told by the normalisation before it, as `norm1` of a transformer block.
    """
    parameters = {tensor.name for tensor in model.graph.initializer if tensor.name.endswith((".weight", ".bias"))}
    constants = {tensor.name for tensor in model.graph.initializer}
    adds = {name: node for node in model.graph.node if node.op_type == "Add" for name in node.input}
    found: dict[str, str] = {}
    norm: dict[str, str] = {}  # tensor -> the normalisation it comes from
    for node in model.graph.node:
        named = [name for name in node.input if name in parameters]
        before = next((norm[name] for name in node.input if name in norm), None)
        if node.op_type == "LayerNormalization" and named:
            before = _layer(named[0])
        elif node.op_type in WEIGHED:
            after = [name for name in (adds[node.output[0]].input if node.output[0] in adds else ()) if name in parameters]
            names = named or after
            weights = [name for name in node.input[1:2] if name in constants]
            found[node.name] = ATTENTION if not weights else _layer(names[0]) if names else f"{before}, projections"
            before = None
        if before is not None and node.op_type in ("LayerNormalization", "Reshape", "Cast"):
            norm.update(dict.fromkeys(node.output, before))
    return found


def _layer(parameter: str) -> str:
    """`network.down_blocks.0.resnets.0.conv1.weight` -> `down_blocks.0.resnets.0.conv1`."""
    return parameter.removeprefix("network.").rpartition(".")[0]


def quantized_nodes(model: onnx.ModelProto) -> set[str]:
    """Names of the nodes that multiply dequantized numbers."""
    made = {node.output[0] for node in model.graph.node if node.op_type == DEQUANTIZE}
    return {node.name for node in model.graph.node if node.op_type in WEIGHED and made.intersection(node.input)}


def only(model: onnx.ModelProto, nodes: Collection[str]) -> onnx.ModelProto:
    """A copy in which no node but these is quantized: the others take what was there before quantizing."""
    found = onnx.ModelProto()
    found.CopyFrom(model)
    before = {node.output[0]: node.input[0] for node in found.graph.node if node.op_type == QUANTIZE}
    whole = {node.output[0]: before[node.input[0]] for node in found.graph.node if node.op_type == DEQUANTIZE and node.input[0] in before}
    for node in found.graph.node:
        if node.name not in nodes and node.op_type not in (QUANTIZE, DEQUANTIZE):
            node.input[:] = [whole.get(name, name) for name in node.input]
    for kind in (DEQUANTIZE, QUANTIZE):
        used = Counter(name for node in found.graph.node for name in node.input)
        used.update(port.name for port in found.graph.output)
        kept = [node for node in found.graph.node if node.op_type != kind or used[node.output[0]]]
        del found.graph.node[:]
        found.graph.node.extend(kept)
    used = Counter(name for node in found.graph.node for name in node.input)
    for tensor in [tensor for tensor in found.graph.initializer if not used[tensor.name]]:
        found.graph.initializer.remove(tensor)
    return found
