"""Every network by its engine and by ONNX Runtime from its graph, on the same numbers: are they alike, and how long does the engine take?"""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from omokage.system import Arrays

from engines.tensorrt import DTYPES
from export import specs
from export.families import Family
from export.tensors import Axis, Network
from measure.in_process import Open, session

BATCHES = (1, 2, 5)
SIDES = 255.0
WARM, TIMES = 3, 20


def drawn(network: Network, batch: int, seed: int = 0) -> Arrays:
    """Inputs of a network in its dtypes: masks of ones, pixels in 0..255 or 0..1, whole numbers below 999, and numbers around 0 for the rest."""
    draw, found = np.random.default_rng(seed), Arrays()
    for tensor in network.inputs:
        shape = [dim if isinstance(dim, int) else batch for dim in tensor.dims]
        if tensor.name.endswith("mask"):
            found[tensor.name] = np.ones(shape)
        elif tensor.dtype == "int64":
            found[tensor.name] = draw.integers(1, 999, shape)
        elif "0..255" in tensor.says:
            found[tensor.name] = draw.uniform(0, SIDES, shape)
        elif "0..1" in tensor.says:
            found[tensor.name] = draw.random(shape, np.float32)
        else:
            found[tensor.name] = draw.standard_normal(shape, np.float32)
        found[tensor.name] = np.asarray(found[tensor.name], DTYPES[tensor.dtype])
    return found


def batches(network: Network, wanted: tuple[int, ...]) -> tuple[int, ...]:
    """Those that a network takes; 1 alone where its first axis is fixed."""
    first = network.inputs[0].dims[0]
    return tuple(batch for batch in wanted if batch <= first.max) if isinstance(first, Axis) else (1,)


def parity(family: Family, engines: Open, graphs: dict[str, Path], most: float) -> Iterator[dict[str, Any]]:
    """A row for every network and batch: largest difference over the largest number, of the worst output, and whether it is at most `most`."""
    for name, network in specs.networks(family).items():
        engine, reference = engines(name), session(graphs[name])
        for seed, batch in enumerate(batches(network, BATCHES)):
            given = drawn(network, batch, seed)
            found, wanted = engine(given), reference(given)
            errors = {port.name: _apart(found[port.name], wanted[port.name]) for port in network.outputs}
            worst = max(errors, key=lambda port: np.nan_to_num(errors[port], nan=np.inf))
            yield {"network": name, "batch": batch, "output": worst, "error": errors[worst], "alike": bool(errors[worst] <= most)}


def _apart(found: Any, wanted: Any) -> float:
    if found.shape != wanted.shape:
        return float("inf")
    return float(np.abs(found.astype(np.float64) - wanted).max() / max(float(np.abs(wanted).max()), 1e-6))


def speed(family: Family, engines: Open, times: int = TIMES) -> Iterator[dict[str, Any]]:
    """A row for every network at its typical batch, and of the UNet at more: median and quartiles of a call, milliseconds, copies included."""
    for name, network in specs.networks(family).items():
        engine = engines(name)
        for batch in batches(network, (1, 2, 4, 8, 16) if name == "unet" else (family.batch.opt,)):
            given = drawn(network, batch)
            for _ in range(WARM):
                engine(given)
            taken = []
            for _ in range(times):
                began = time.perf_counter()
                engine(given)
                taken.append(1e3 * (time.perf_counter() - began))
            low, middle, high = statistics.quantiles(taken, n=4)
            row = {"network": name, "batch": batch, "median_ms": middle, "lower_ms": low, "upper_ms": high}
            yield {key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()}
