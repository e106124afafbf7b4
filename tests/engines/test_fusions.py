"""The CPU's own rules say the same in fewer passes, and leave alone what only looks alike."""

from collections import Counter
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper, parser

from engines.fusions import fused

RANDOM = np.random.default_rng(0)
GELU = "half = Constant<value_float = {half}>() root = Constant<value_float = {root}>() one = Constant<value_float = 1.0>()"
BODIES = {
    "gelu": (GELU + "d = Div(x, root) e = Erf(d) f = Add(e, one) g = Mul(half, f) y = Mul(x, g)", {"half": 0.5, "root": 2**0.5}),
    "gated": (
        GELU + "m = MatMul(x, w) b = Add(m, c) l, r = Split<axis = -1, num_outputs = 2>(b)"
        "d = Div(r, root) e = Erf(d) f = Add(e, one) g = Mul(half, f) h = Mul(r, g) y = Mul(l, h)",
        {"half": 0.5, "root": 2**0.5},
    ),
    "normed and timed": (
        "one = Constant<value_float = 1.0>() m = Mul(p, scale) a = Add(m, shift) t = Add(timed, one) n = Mul(a, t) y = Add(n, timed)",
        {},
    ),
    "normed into product": (
        "m = Mul(p, scale) a = Add(m, shift) t = Transpose<perm = [0, 2, 3, 1]>(a) sides = Constant<value_ints = [-1, 16, 6]>()"
        "r = Reshape(t, sides) q = MatMul(r, v) y = Add(q, u)",
        {},
    ),
}
WEIGHTS = {"w": (8, 12), "c": (12,), "scale": (6, 1, 1), "shift": (6, 1, 1), "v": (6, 10), "u": (10,)}
GIVEN = {"x": (3, 5, 8), "p": (3, 6, 4, 4), "timed": (3, 6, 1, 1)}
PASSES = {  # nodes that pass over all cells: before, after
    "gelu": ({"Div": 1, "Erf": 1, "Add": 1, "Mul": 2}, {"Gelu": 1}),
    "gated": ({"MatMul": 1, "Add": 2, "Split": 1, "Div": 1, "Erf": 1, "Mul": 3}, {"Gemm": 2, "Gelu": 1, "Mul": 1}),
    "normed into product": ({"Mul": 1, "Add": 2, "MatMul": 1, "Transpose": 1}, {"Add": 1, "MatMul": 1, "Transpose": 1}),
}
FREE = {"Constant", "Reshape", "Identity", "Shape"}


def model(name: str, **numbers: float) -> onnx.ModelProto:
    """A graph of one pattern, weights inside."""
    body, usual = BODIES[name]
    inputs = ", ".join(f"float[n, {', '.join(map(str, shape[1:]))}] {port}" for port, shape in GIVEN.items())
    weights = ", ".join(f"float[{', '.join(map(str, shape))}] {port}" for port, shape in WEIGHTS.items())
    text = f'<ir_version: 10, opset_import: ["" : 18, "com.microsoft" : 1]> g ({inputs}) => (float[n, m, k] y) <{weights}> {{ {body} }}'
    if "timed" in name:
        text = text.replace("[n, m, k] y", "[n, m, k, l] y")
    for key, number in (usual | numbers).items():
        text = text.replace("{" + key + "}", str(number))
    found = parser.parse_model(text)
    del found.graph.initializer[:]
    found.graph.initializer.extend(
        numpy_helper.from_array(np.random.default_rng(1).normal(size=shape).astype(np.float32), port) for port, shape in WEIGHTS.items()
    )
    return found


def asked(graph: onnx.ModelProto, given: dict[str, Any]) -> Any:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    known = {port.name for port in session.get_inputs()}
    (found,) = session.run(["y"], {name: value for name, value in given.items() if name in known})
    return found


def kinds(graph: onnx.ModelProto) -> dict[str, int]:
    return dict(Counter(node.op_type for node in graph.graph.node if node.op_type not in FREE))


@pytest.mark.parametrize("name", BODIES)
def test_a_rule_changes_nothing_but_the_rounding(name: str) -> None:
    plain = model(name)
    given = {port: RANDOM.normal(size=shape).astype(np.float32) for port, shape in GIVEN.items()}
    after = fused(plain)
    assert kinds(after) != kinds(plain)
    np.testing.assert_allclose(asked(after, given), asked(plain, given), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", PASSES)
def test_a_rule_leaves_fewer_passes(name: str) -> None:
    plain = model(name)
    assert (kinds(plain), kinds(fused(plain))) == PASSES[name]


def test_a_norm_and_the_time_scale_and_move_all_cells_once() -> None:
    """The other nodes that are left have one number a channel."""
    over_cells = {"p"}
    for node in fused(model("normed and timed")).graph.node:
        if over_cells & set(node.input):
            over_cells.add(node.output[0])
    assert len(over_cells - {"p"}) == 2


@pytest.mark.parametrize(("name", "other"), [("gelu", {"half": 0.4}), ("gelu", {"root": 1.5})])
def test_what_only_looks_alike_is_left_alone(name: str, other: dict[str, float]) -> None:
    plain = model(name, **other)
    assert kinds(fused(plain)) == kinds(plain)
