"""Where the time of a step goes, how far that is from the least it could be, and how it grows."""

import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from omokage.portrait import Order, paint
from omokage.system import Arrays
from onnx import TensorProto, helper

from engines.roofline import costs
from export import specs
from export.families import MINI
from export.to_onnx import example
from measure.bench.results import Found
from measure.bench.scale import Scale
from measure.bench.served import SAMPLE, WORDS
from measure.bench.spread import spreads
from measure.bench.turns import THREADS, in_turns
from measure.in_process import REPOSITORY, InProcess, session

NETWORKS = ("unet", "controlnet_pose")
"""What runs in every step."""
ROWS = (1, 2, 4, 8, 16)
FIXED_ROWS = (1, 2, 8)  # for which an engine is also opened alone, to see whether shapes that are known beforehand pay
STEP_ROWS = 2  # of a portrait, with guidance
SQUARE = 1024  # side of the matrices by which the rate is told


def by_kind(events: Iterable[Mapping[str, Any]], calls: int) -> dict[str, float]:
    """Milliseconds of one call by operators' kind, the longest first, from ONNX Runtime's profile of so many."""
    found: dict[str, float] = defaultdict(float)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            found[event["args"]["op_name"]] += event["dur"] / 1e3 / calls
    return {kind: round(ms, 3) for kind, ms in sorted(found.items(), key=lambda one: -one[1])}


def floor(multiply_adds: int, rate: float) -> float:
    """Milliseconds, were all of it one large product of matrices; `rate`: multiply-adds a second."""
    return multiply_adds / rate * 1e3


def example_of(network: str, rows: int) -> Arrays:
    spec = specs.network(MINI, network)
    return {port.name: value.numpy() for port, value in zip(spec.inputs, example(spec, {"batch": rows}), strict=True)}


def profiled(network: str, calls: int) -> dict[str, float]:
    """Of the served engine at the rows of one portrait, by kind."""
    options, arrays = onnxruntime.SessionOptions(), example_of(network, STEP_ROWS)
    options.intra_op_num_threads = THREADS
    engine = str(REPOSITORY / network / "1" / "model.onnx")
    with tempfile.TemporaryDirectory() as folder:
        options.enable_profiling, options.profile_file_prefix = True, os.path.join(folder, network)
        opened = onnxruntime.InferenceSession(engine, options, providers=["CPUExecutionProvider"])
        for _ in range(calls):
            opened.run(None, arrays)
        events = json.loads(Path(opened.end_profiling()).read_text())
    return by_kind(events, calls)


def fixed(network: str, rows: int) -> onnxruntime.InferenceSession:
    """The served engine, opened for that many rows and no others."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.add_session_config_entry("session.force_spinning_stop", "1")  # as the engines are run
    options.add_free_dimension_override_by_name("batch", rows)
    return onnxruntime.InferenceSession(str(REPOSITORY / network / "1" / "model.onnx"), options, providers=["CPUExecutionProvider"])


def gemm() -> onnxruntime.InferenceSession:
    """One product of square matrices, as the engines are run."""
    side = [SQUARE, SQUARE]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, side) for name in "abc"]
    graph = helper.make_graph([helper.make_node("MatMul", ["a", "b"], ["c"])], "product", ports[:2], ports[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def measured(scale: Scale) -> Found:
    product, square = gemm(), np.random.default_rng(0).normal(size=(2, SQUARE, SQUARE)).astype(np.float32)
    runs = {network: session(REPOSITORY / network / "1" / "model.onnx", THREADS) for network in NETWORKS}
    arrays = {(network, rows): example_of(network, rows) for network in NETWORKS for rows in ROWS}
    ways: dict[str, Callable[[], object]] = {f"{name} {rows}": partial(runs[name], given) for (name, rows), given in arrays.items()}
    ways["product"] = partial(product.run, None, {"a": square[0], "b": square[1]})
    ways |= {f"fixed {network} {rows}": partial(fixed(network, rows).run, None, arrays[network, rows]) for network in NETWORKS for rows in FIXED_ROWS}
    for ask in ways.values():
        ask()
    seconds = in_turns(ways, scale.calls, "calls")
    here, photo = InProcess(), SAMPLE.read_bytes()
    orders = {str(steps): Order(words=WORDS, photo=photo, seed=7, knobs={"steps": steps}) for steps in scale.growth}
    portraits = {steps: partial(paint, here.infer, order) for steps, order in orders.items()}
    next(iter(portraits.values()))()
    by_steps = in_turns(portraits, max(scale.calls // 5, 2), "portraits")
    rate = SQUARE**3 / min(seconds["product"])  # the best, since it is for a floor
    counts = costs(MINI, STEP_ROWS)
    floors = {network: floor(counts[network].multiply_adds, rate) for network in NETWORKS}
    took = {network: float(np.median(seconds[f"{network} {STEP_ROWS}"])) * 1e3 for network in NETWORKS}
    raw = {
        "rows": STEP_ROWS,
        "kinds_ms": {network: profiled(network, scale.calls) for network in NETWORKS},
        "multiply_adds": {network: counts[network].multiply_adds for network in NETWORKS},
        "multiply_adds_per_second": rate,
        "floor_ms": {network: round(ms, 2) for network, ms in floors.items()},
        "took_ms": {network: round(ms, 2) for network, ms in took.items()},
        "seconds_by_rows": spreads(seconds),
        "seconds_by_steps": spreads(by_steps),
    }
    return Found({"step_vs_floor": round(sum(took.values()) / sum(floors.values()), 3)}, raw)
