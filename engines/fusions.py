"""What ONNX Runtime's own optimiser leaves undone on the CPU: rules that make fewer passes over memory, of the same result but for rounding.

After each pass the threads meet, and what a pass reads and writes is more than fits a cache. Rows of a batch stay apart, by every rule.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx_ir as ir
from onnxscript.rewriter import rewrite
from onnxscript.rewriter.pattern import RewriteRule, RewriteRuleSet

CONTRIB = "com.microsoft"
Op = Any  # onnxscript's builder: what is called on it becomes a node
Floats = npt.NDArray[np.float32]


def fused(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph after all rules, in their order. It must be one whose weights are plain initializers."""
    graph = ir.from_proto(onnx.shape_inference.infer_shapes(model))
    graph.opset_imports.setdefault(CONTRIB, 1)
    for rule in RULES:
        graph = rewrite(graph, RewriteRuleSet([rule]))
    return ir.to_proto(graph)


def _known(*values: ir.Value) -> bool:
    return all(value.const_value is not None for value in values)


def _numbers(value: ir.Value) -> Floats:
    assert value.const_value is not None
    return value.const_value.numpy()


def _weights(op: Op, numbers: Floats, name: str) -> ir.Value:
    found: ir.Value = op.initializer(ir.tensor(np.ascontiguousarray(numbers, np.float32)), name=name)
    return found


def _gelu(op: Op, x: ir.Value, root: ir.Value, one: ir.Value, half: ir.Value) -> Any:
    """x · (½ · (1 + erf(x / √2))), the only order of factors that ONNX Runtime does not know (Hendrycks and Gimpel 2016)."""
    return op.Mul(x, op.Mul(half, op.Add(op.Erf(op.Div(x, root)), one)))


def _is_gelu(_: Any, root: ir.Value, one: ir.Value, half: ir.Value, **__: ir.Value) -> bool:
    wanted = zip((root, one, half), (2**0.5, 1.0, 0.5), strict=True)
    return _known(root, one, half) and all(np.allclose(_numbers(value), number) for value, number in wanted)


def _to_gelu(op: Op, x: ir.Value, **_: ir.Value) -> Any:
    return op.Gelu(x, _domain=CONTRIB)


def _gated(op: Op, x: ir.Value, weight: ir.Value, bias: ir.Value) -> Any:
    """One product for both halves of a gated layer (Shazeer 2020, GEGLU), cut in two after it."""
    left, right = op.Split(op.Add(op.MatMul(x, weight), bias), _allow_other_attributes=True, _outputs=["left", "right"])
    return op.Mul(left, op.Gelu(right, _domain=CONTRIB))


def _is_gated(_: Any, x: ir.Value, weight: ir.Value, bias: ir.Value, **__: ir.Value) -> bool:
    return _known(weight, bias) and x.shape is not None and len(x.shape) == 3 and isinstance(x.shape[1], int)


def _to_two_products(op: Op, x: ir.Value, weight: ir.Value, bias: ir.Value, **_: ir.Value) -> Any:
    assert x.shape is not None
    tokens, flat = x.shape[1], op.Reshape(x, op.Constant(value_ints=[-1, len(_numbers(weight))]))
    halves = zip(np.split(_numbers(weight), 2, 1), np.split(_numbers(bias), 2), ("left", "right"), strict=True)
    left, right = (
        op.Gemm(flat, _weights(op, product, f"{weight.name}.{side}"), _weights(op, added, f"{bias.name}.{side}")) for product, added, side in halves
    )
    return op.Reshape(op.Mul(left, op.Gelu(right, _domain=CONTRIB)), op.Constant(value_ints=[-1, tokens, len(_numbers(bias)) // 2]))


def _normed_and_timed(op: Op, x: ir.Value, scale: ir.Value, shift: ir.Value, timed: ir.Value, one: ir.Value, moved: ir.Value) -> Any:
    """A norm's scale and shift of channels, then those of the time (Perez et al. 2018): two passes over all cells each."""
    return op.Add(op.Mul(op.Add(op.Mul(x, scale), shift), op.Add(timed, one)), moved)


def _is_by_channel(_: Any, scale: ir.Value, shift: ir.Value, **__: ir.Value) -> bool:
    return _known(scale, shift) and _numbers(scale).shape[1:] == (1, 1)


def _to_one_scale(op: Op, x: ir.Value, scale: ir.Value, shift: ir.Value, timed: ir.Value, one: ir.Value, moved: ir.Value) -> Any:
    times = op.Add(timed, one)
    return op.Add(op.Mul(x, op.Mul(scale, times)), op.Add(op.Mul(shift, times), moved))


def _normed_into_product(op: Op, x: ir.Value, scale: ir.Value, shift: ir.Value, shape: ir.Value, weight: ir.Value, bias: ir.Value) -> Any:
    """A norm's scale and shift of channels before a product over the same channels."""
    tokens = op.Reshape(op.Transpose(op.Add(op.Mul(x, scale), shift), perm=[0, 2, 3, 1]), shape)
    return op.Add(op.MatMul(tokens, weight), bias)


def _is_product(context: Any, scale: ir.Value, shift: ir.Value, weight: ir.Value, bias: ir.Value, **_: ir.Value) -> bool:
    if not (_is_by_channel(context, scale, shift) and _known(weight, bias)):
        return False
    return _numbers(weight).shape == (_numbers(scale).size, _numbers(bias).size) and _numbers(bias).ndim == 1


def _to_product(op: Op, x: ir.Value, scale: ir.Value, shift: ir.Value, shape: ir.Value, weight: ir.Value, bias: ir.Value) -> Any:
    product = _numbers(scale).reshape(-1, 1) * _numbers(weight)
    added = _numbers(bias) + _numbers(shift).reshape(-1).astype(np.float64) @ _numbers(weight)
    tokens = op.Reshape(op.Transpose(x, perm=[0, 2, 3, 1]), shape)
    return op.Add(op.MatMul(tokens, _weights(op, product, f"{weight.name}.scaled")), _weights(op, added, f"{bias.name}.shifted"))


RULES = (
    RewriteRule(_gelu, _to_gelu, _is_gelu),
    RewriteRule(_gated, _to_two_products, _is_gated),
    RewriteRule(_normed_and_timed, _to_one_scale, _is_by_channel),
    RewriteRule(_normed_into_product, _to_product, _is_product),
)
