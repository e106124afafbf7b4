"""Shards: WebDataset tar files of some hundred pictures, each with a JSONL index that says where every picture lies.

A shard is whole when its index is there and names the size that the tar has: the tar is renamed into place first, the
index after it, so that whatever kills a writer leaves either a whole shard or none.
"""

import hashlib
import io
import json
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from training.people.errors import DamagedData

INDEX_KEYS = ("key", "group", "role", "split")


@dataclass(frozen=True)
class Row:
    """One picture of an index: its metadata, and where image and record lie in the tar."""

    shard: Path
    key: str
    group: str
    role: str
    split: str
    person: int
    image: tuple[int, int]  # offset, bytes
    record: tuple[int, int]


def index_of(tar: Path) -> Path:
    return tar.with_suffix(".jsonl")


class Writer:
    """Writes one shard, as a context: leaving it puts the shard in place, leaving it by an error leaves nothing."""

    def __init__(self, tar: Path) -> None:
        self.tar = tar
        self._partial = tar.with_name(tar.name + ".partial")
        self._stream = self._partial.open("wb")
        self._file = tarfile.open(fileobj=self._stream, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        self._rows: list[dict[str, Any]] = []

    def add(self, record: dict[str, Any], image: tuple[str, bytes], maps: dict[str, bytes]) -> None:
        """One picture: its record, (file ending, bytes) of the image, and the maps by name."""
        key = record["key"]
        row = {name: record[name] for name in INDEX_KEYS} | {"person": record["person"]["seed"]}
        row["record"] = self._member(f"{key}.json", json.dumps(record, separators=(",", ":")).encode())
        row["image"] = self._member(f"{key}.{image[0]}", image[1])
        for name, data in maps.items():
            self._member(f"{key}.{name}", data)
        self._rows.append(row)

    def _member(self, name: str, data: bytes) -> tuple[int, int]:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        self._file.addfile(info, io.BytesIO(data))
        end = self._stream.tell()
        padded = -(-len(data) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        return end - padded, len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Put the shard in place; after an error, leave nothing."""
        if kind is None:
            self._close()
        else:
            self._stream.close()
            self._partial.unlink()

    def _close(self) -> None:
        """Finish the tar, put it in place, then its index."""
        self._file.close()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        with self._partial.open("rb") as stream:
            header = {"tar_bytes": self._partial.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}
        self._partial.rename(self.tar)
        index = index_of(self.tar)
        partial = index.with_name(index.name + ".partial")
        lines = [json.dumps(header | {"samples": len(self._rows)}), *(json.dumps(row) for row in self._rows)]
        partial.write_text("\n".join(lines) + "\n")
        partial.rename(index)


def is_whole(tar: Path) -> bool:
    """Whether the shard and its index are there and fit each other."""
    try:
        read_index(tar)
    except DamagedData:
        return False
    return True


def read_index(tar: Path) -> list[Row]:
    """The rows of a shard. Raises DamagedData where shard and index do not fit."""
    index = index_of(tar)
    if not tar.exists() or not index.exists():
        raise DamagedData(f"{tar.name} has no index or no data; render again into the same folder, it makes what is missing")
    header, *rows = (json.loads(line) for line in index.read_text().splitlines())
    if header["tar_bytes"] != tar.stat().st_size or header["samples"] != len(rows):
        raise DamagedData(
            f"{tar.name} has {tar.stat().st_size} bytes and {len(rows)} rows, its index says {header['tar_bytes']} and {header['samples']}; "
            "render again into the same folder, it makes the shard anew"
        )
    return [Row(**(row | {"shard": tar, "image": tuple(row["image"]), "record": tuple(row["record"])})) for row in rows]


def verify(tar: Path) -> None:
    """Raises DamagedData if the shard's bytes are not those that were written."""
    read_index(tar)
    header = json.loads(index_of(tar).read_text().splitlines()[0])
    with tar.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != header["sha256"]:
        raise DamagedData(f"{tar.name} has sha256 {found}, its index says {header['sha256']}; remove the shard and render again into the same folder")
