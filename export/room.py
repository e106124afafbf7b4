"""Whether long work has room: asked before it begins, not found out after an hour."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from export.errors import MissingPiece


@dataclass(frozen=True)
class Needs:
    """What a kind of work takes: `disk` and `memory` times the bytes of what it is about, and `base` bytes of memory beside."""

    work: str
    disk: float
    memory: float
    base: int = 256 * 2**20


BUILD = Needs("building", disk=2, memory=4.5, base=512 * 2**20)
"""About graph and weights: on the disk lie the graph in the builder's precision and the engine. UNets took 4.2 (sd15) and 4.4 (sdxl)."""
EXPORT = Needs("exporting", disk=1, memory=2)
"""About weights in the precision of the graph. The large ones of docs/families.md took 1.4 to 1.9."""


def memory_free() -> int:
    """Bytes that the kernel can give without swapping, by /proc/meminfo."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise MissingPiece("/proc/meminfo does not tell MemAvailable; engines are built on Linux 3.14 or later")


def disk_free(folder: Path) -> int:
    """Bytes of the disk that a folder lies on."""
    return shutil.disk_usage(folder).free


def check(name: str, needs: Needs, size: int, folder: Path, disk: Callable[[Path], int] = disk_free, memory: Callable[[], int] = memory_free) -> None:
    """For so many bytes, and what is made in a folder that there is. Raises MissingPiece with what there is, what is wanted and what to do."""
    wanted = round(needs.disk * size)
    if (free := disk(folder)) < wanted:
        raise MissingPiece(f"{name}: {needs.work} takes {_mib(wanted)} of disk, {_mib(free)} are free; free some, or choose another --out")
    wanted = round(needs.memory * size) + needs.base
    if (free := memory()) < wanted:
        raise MissingPiece(f"{name}: {needs.work} takes {_mib(wanted)} of memory, {_mib(free)} can be had; end what holds it")


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"
