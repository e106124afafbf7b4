"""Rows of a batch that are written once and stay where they are while others come and go. Needs no Triton."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from omokage.system import Arrays, Floats

Sides = tuple[int, ...]


class Slots:
    """Float32 arrays [rows, ...], allocated once; what is in use is always the front, so that a batch is a slice and no copy.

    `where`: numpy, or CuPy for arrays that lie on the GPU and stay there.
    """

    def __init__(self, sides: Mapping[str, Sides], rows: int, where: Any = np) -> None:
        self._rows, self._where, self._arrays = rows, where, Arrays()
        self.more(sides)
        self._owners: list[tuple[Hashable, int]] = []  # of every row in use, and which of the owner's it is

    def more(self, sides: Mapping[str, Sides]) -> None:
        """Arrays beside those that there are, zeros in all rows."""
        self._arrays |= {name: self._where.zeros((self._rows, *side), np.float32) for name, side in sides.items()}

    def __len__(self) -> int:
        return len(self._owners)

    def write(self, owner: Hashable, values: Arrays) -> None:
        """Take as many rows as the values [R, ...] have. One row of values for all is allowed; what is left out is zeros."""
        count = max(len(value) for value in values.values())
        places = slice(len(self), len(self) + count)
        for name, array in self._arrays.items():
            array[places] = self._where.asarray(values.get(name, 0), np.float32)
        self._owners += [(owner, number) for number in range(count)]

    def places(self, owner: Hashable) -> list[int]:
        """Its rows, in the order in which they were written."""
        return [place for _, place in sorted((number, place) for place, (other, number) in enumerate(self._owners) if other == owner)]

    def put(self, name: str, places: Sequence[int], values: Floats) -> None:
        """Values [n, ...] into an array at n places."""
        self._arrays[name][places] = self._where.asarray(values, np.float32)

    def free(self, owner: Hashable, keep: int = 0) -> None:
        """Give its rows back, but the first to be kept; the last rows of others move into the holes."""
        for hole in sorted(self.places(owner)[keep:], reverse=True):
            last = len(self) - 1
            if hole < last:
                for array in self._arrays.values():
                    array[hole] = array[last]
                self._owners[hole] = self._owners[last]
            self._owners.pop()

    def front(self, count: int | None = None) -> Arrays:
        """The first rows, those in use if not told how many."""
        return {name: array[: len(self) if count is None else count] for name, array in self._arrays.items()}
