"""How the denoiser's networks are run: in its own process by ONNX Runtime, so that keys and values stay where they are; or by Triton's engine
models, as on a GPU."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from omokage import engine
from omokage.systems.base import Arrays
from omokage.transport import inside_triton

Network = Callable[[Arrays], Arrays]


ROWS_AT_ONCE = 8  # more take memory and win nothing: docs/architecture.md has the numbers


def here(repository: Path, name: str) -> Network:
    """The engine of a model of the same repository, a session of its own. Raises InvalidRequest for one that is not whole."""
    session = engine.opened(repository / name / "1" / "model.onnx", name)
    outputs = [port.name for port in session.get_outputs()]

    def run(arrays: Arrays) -> Arrays:
        rows = range(0, len(arrays["sample"]), ROWS_AT_ONCE)
        parts = [session.run(outputs, {key: value[row : row + ROWS_AT_ONCE] for key, value in arrays.items()}) for row in rows]
        return {key: np.concatenate([part[place] for part in parts]) for place, key in enumerate(outputs)}

    return run


def by_triton(name: str, outputs: list[str]) -> Network:
    """The engine model of that name."""
    return lambda arrays: inside_triton.infer(name, arrays, outputs)
