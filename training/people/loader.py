"""Reading a rendered folder: all rows at once, images decoded by a few threads straight from the mapped shards."""

import itertools
import json
import mmap
import tarfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.people import shards, truth
from training.people.errors import MissingPiece
from training.people.shards import Row

AHEAD = 64  # images that are decoded ahead of the reader


class Dataset:
    """The pictures of one or more rendered folders, in the order of their shards.

    Raises MissingPiece for a folder without shards, DamagedData for a torn one.
    """

    def __init__(self, *folders: Path | str) -> None:
        tars = [tar for folder in folders for tar in sorted(Path(folder).glob("people-*.tar"))]
        if not tars:
            raise MissingPiece(f"no shards in {', '.join(map(str, folders))}; make some with `python -m training.people render --out DIR`")
        self.rows: list[Row] = [row for tar in tars for row in shards.read_index(tar)]
        self._maps: dict[Path, mmap.mmap] = {}
        for tar in tars:
            with tar.open("rb") as stream:
                self._maps[tar] = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)

    def __len__(self) -> int:
        return len(self.rows)

    def _bytes(self, row: Row, at: tuple[int, int]) -> bytes:
        return self._maps[row.shard][at[0] : at[0] + at[1]]

    def image(self, row: Row) -> npt.NDArray[np.uint8]:
        """[H, W, 3] RGB."""
        data = np.frombuffer(self._bytes(row, row.image), np.uint8)
        return np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)

    def record(self, row: Row) -> dict[str, Any]:
        """The picture's truth but for the maps; `docs/people.md` lists the fields."""
        return dict(json.loads(self._bytes(row, row.record)))

    def maps(self, row: Row) -> dict[str, npt.NDArray[Any]]:
        """The truth maps of `truth.read_maps`, and `mask` where the picture has a broken border."""
        files: dict[str, bytes] = {}
        with tarfile.open(row.shard) as tar:
            for member in tar:
                if member.name.startswith(row.key + ".") and member.name.endswith(".png"):
                    stream = tar.extractfile(member)
                    assert stream is not None
                    files[member.name.removeprefix(row.key + ".")] = stream.read()
        found = truth.read_maps(files)
        if "mask.png" in files:
            found["mask"] = np.asarray(cv2.imdecode(np.frombuffer(files["mask.png"], np.uint8), cv2.IMREAD_UNCHANGED)) > 0
        return found

    def part_maps(self) -> Iterator[npt.NDArray[np.uint8]]:
        """What the pixels [H, W] of every picture show, in order: values of `parts.Part`."""
        for shard, rows in itertools.groupby(self.rows, lambda row: row.shard):
            with tarfile.open(shard) as tar:
                found = {name.removesuffix(".parts.png"): tar.getmember(name) for name in tar.getnames() if name.endswith(".parts.png")}
                for row in rows:
                    stream = tar.extractfile(found[row.key])
                    assert stream is not None
                    yield np.asarray(cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)

    def images(self, rows: Sequence[Row] | None = None, threads: int = 2) -> Iterator[npt.NDArray[np.uint8]]:
        """The images of `rows` (default: all), in order, decoded ahead by `threads`."""
        todo = self.rows if rows is None else rows
        with ThreadPoolExecutor(threads) as pool:
            for start in range(0, len(todo), AHEAD):
                yield from pool.map(self.image, todo[start : start + AHEAD])
