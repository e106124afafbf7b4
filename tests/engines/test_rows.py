"""What a row of a batch comes to does not depend, by a single bit, on the other rows, their number, its place, or the threads."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from engines import build as building
from export import specs
from export.families import FAMILIES

pytestmark = pytest.mark.released
MINI = FAMILIES["mini"]
ROWS = 16


def given(network: str) -> dict[str, Any]:
    """Numbers for all rows; every third is without a face, every second without a ControlNet."""
    random, found = np.random.default_rng(0), {}
    for tensor in specs.network(MINI, network).inputs:
        shape = (ROWS, *tensor.shape("min")[1:])
        found[tensor.name] = random.integers(0, 1000, shape) if tensor.dtype == "int64" else (random.normal(size=shape) / 2).astype(np.float32)
        if tensor.name in ("id_kv", "pose_kv"):
            found[tensor.name][1::3] = 0
        if tensor.name.startswith("control"):
            found[tensor.name][::2] = 0
    return found


@pytest.mark.parametrize("network", ["unet", "controlnet_pose"])
def test_a_row_is_the_same_alone_and_in_any_batch_by_one_thread_or_two(tmp_path: Path, network: str) -> None:
    list(building.build(tmp_path, MINI, "cpu", [network]))
    whole, random = given(network), np.random.default_rng(1)
    alone: list[list[Any]] = []
    for threads in (1, 2):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        engine = building.engine_path(tmp_path, "mini", "cpu", network)
        session = onnxruntime.InferenceSession(str(engine), options, providers=["CPUExecutionProvider"])
        alone = alone or [session.run(None, {name: value[[row]] for name, value in whole.items()}) for row in range(ROWS)]
        for count in (1, 2, 3, 5, ROWS):
            rows = random.permutation(ROWS)[:count]
            together = session.run(None, {name: np.ascontiguousarray(value[rows]) for name, value in whole.items()})
            for place, row in enumerate(rows):
                for one, many in zip(alone[row], together, strict=True):
                    np.testing.assert_array_equal(many[place], one[0])
