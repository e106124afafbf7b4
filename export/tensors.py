"""What a tensor and a network are, to the world outside: names, dtypes, axes with their ranges. Standard library only."""

from dataclasses import dataclass
from typing import Literal

DType = Literal["fp32", "fp16", "int64", "string"]


@dataclass(frozen=True)
class Axis:
    """One dimension that may vary, and the range an engine must accept."""

    name: str
    min: int
    opt: int
    max: int


Dim = int | Axis
End = Literal["min", "opt", "max"]


@dataclass(frozen=True)
class Tensor:
    """A named input or output; `says` gives its unit, range or meaning."""

    name: str
    dtype: DType
    dims: tuple[Dim, ...]
    says: str
    optional: bool = False  # only of the server's own models: a network needs all its inputs

    def shape(self, end: End) -> tuple[int, ...]:
        """Smallest, typical or largest shape."""
        return tuple(dim if isinstance(dim, int) else getattr(dim, end) for dim in self.dims)


@dataclass(frozen=True)
class Network:
    """A network by what goes in and what comes out. The first axis of every tensor is the batch; the face detector's is always 1."""

    name: str
    says: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
