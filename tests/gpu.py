"""Stand-ins for the GPU: arrays that lie there, and CuPy's functions on them."""

from typing import Any

import numpy as np


class OnGpu(np.ndarray):  # type: ignore[type-arg]
    """An array of which only the stand-in for the GPU may read."""

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {"data": (self.ctypes.data, False)}


class CuPy:
    """CuPy's functions, and how many numbers came to the GPU."""

    def __init__(self) -> None:
        self.brought = 0

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Any:
        found = np.ndarray.__new__(OnGpu, shape, dtype)  # not a view of another array
        found[...] = 0
        return found

    def asarray(self, value: Any, dtype: Any) -> Any:
        self.brought += 0 if isinstance(value, OnGpu) else int(np.size(value))
        return np.asarray(value, dtype)

    def asnumpy(self, value: Any) -> Any:
        return np.array(value, copy=True, subok=False)
