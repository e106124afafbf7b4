"""SFace (Zhong et al. 2021) as a torch module, read from its ONNX file, so that a loss can look through it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper
from torch import Tensor, nn

CROP = 112  # pixels, side of the aligned face
EARLY = ("conv_2_relu", "conv_4_relu")  # inner layers of 64 and 128 channels


class IdentityEncoder(nn.Module):
    """Aligned faces [B, 3, 112, 112], RGB 0..255, to identity vectors [B, 128] (not normalised). Frozen.

    The file must be the clean fp32 graph: a plain chain of convolutions, batch norms and PReLUs. Raises NotImplementedError for another operator.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        graph = onnx.load(str(path)).graph
        constants = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
        self._names: dict[str, str] = {}  # of an ONNX tensor -> of the buffer
        self._steps: list[tuple[str, list[str], str, dict[str, Any]]] = []
        for node in graph.node:
            attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
            if node.op_type == "Constant":
                constants[node.output[0]] = torch.from_numpy(numpy_helper.to_array(attributes["value"]).copy())
            elif node.op_type == "Reshape" and node.input[0] in constants:
                constants[node.output[0]] = constants[node.input[0]].reshape([int(size) for size in constants[node.input[1]]])
            else:
                self._steps.append((node.op_type, list(node.input), node.output[0], attributes))
        self._steps = _folded(self._steps, constants)
        for name, value in constants.items():
            self._names[name] = f"constant_{len(self._names)}"
            self.register_buffer(self._names[name], value)
        self._input = next(value.name for value in graph.input if value.name not in constants)
        self._output = graph.output[0].name

    def _run(self, faces: Tensor, stop: str) -> dict[str, Tensor]:
        values: dict[str, Tensor] = {self._input: faces}

        def get(name: str) -> Tensor:
            return values[name] if name in values else self.get_buffer(self._names[name])

        for operator, inputs, output, attributes in self._steps:
            values[output] = _apply(operator, [get(name) for name in inputs], attributes)
            if output == stop:
                break
        return values

    def forward(self, faces: Tensor) -> Tensor:
        """[B, 3, 112, 112] -> [B, 128]."""
        return self._run(faces, self._output)[self._output]

    def features(self, faces: Tensor, layers: Sequence[str] = EARLY) -> list[Tensor]:
        """Inner layers by name, in the order of the graph; pictures of any size will do for the early ones."""
        values = self._run(faces, layers[-1])
        return [values[layer] for layer in layers]


Step = tuple[str, list[str], str, dict[str, Any]]
"""Operator, inputs, output and attributes of a node."""


def _folded(steps: list[Step], constants: dict[str, Tensor]) -> list[Step]:
    """The same chain with the batch norms that follow a convolution inside its weights, which are changed."""
    kept: list[Step] = []
    for operator, inputs, output, attributes in steps:
        before = kept[-1] if kept else None
        if operator == "BatchNormalization" and before and before[0] == "Conv" and before[2] == inputs[0]:
            gain, shift, mean, variance = (constants[name] for name in inputs[1:])
            factor = gain / (variance + attributes["epsilon"]).sqrt()
            weight, *bias = before[1][1:]
            constants[f"{output}.weight"] = constants[weight] * factor[:, None, None, None]
            constants[f"{output}.bias"] = shift + ((constants[bias[0]] if bias else 0) - mean) * factor
            kept[-1] = ("Conv", [before[1][0], f"{output}.weight", f"{output}.bias"], output, before[3])
        else:
            kept.append((operator, inputs, output, attributes))
    return kept


class _SlopedBelow(torch.autograd.Function):
    """PReLU with fixed slopes: torch's own backward pass takes longer than the convolutions, as it also seeks the slopes' gradients."""

    @staticmethod
    def forward(context: Any, values: Tensor, slopes: Tensor) -> Tensor:
        context.save_for_backward(values, slopes)
        return F.prelu(values, slopes.to(values.dtype))

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        values, slopes = context.saved_tensors
        below = slopes.to(values.dtype).reshape(1, -1, *[1] * (values.dim() - 2))
        above: Tensor = torch.ops.aten.threshold_backward(gradient, values, 0)
        return torch.lerp(above, gradient, below), None


def _apply(operator: str, inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    first, *rest = inputs
    if operator == "Conv":
        top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
        assert (top, left) == (bottom, right)
        bias = rest[1] if len(rest) > 1 else None
        return F.conv2d(first, rest[0], bias, attributes.get("strides", [1, 1]), [top, left], 1, attributes.get("group", 1))
    if operator == "BatchNormalization":
        return F.batch_norm(first, rest[2], rest[3], rest[0], rest[1], False, 0, attributes["epsilon"])
    if operator == "PRelu":
        return _SlopedBelow.apply(first, rest[0].reshape(-1))  # type: ignore[no-any-return, no-untyped-call]
    if operator == "Sub":
        return first - rest[0]
    if operator == "Mul":
        return first * rest[0]
    if operator == "Dropout":
        return first
    if operator == "Flatten":
        return first.flatten(1)
    if operator == "Gemm":
        return F.linear(first, rest[0], rest[1])
    raise NotImplementedError(f"SFace's graph has the operator {operator}, which this module cannot run; use the clean fp32 file")
