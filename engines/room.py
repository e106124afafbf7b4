"""Whether a build has room: asked before it begins, not found out after an hour."""

import shutil
from collections.abc import Callable
from pathlib import Path

from engines.errors import MissingPiece

MEMORY, BASE = 3, 256 * 2**20
"""A build takes so many times the size of graph and weights at least, and so many bytes beside: the least that those of docs/engines.md took."""
DISK = 2  # times that size: the graph in the builder's precision, and the engine


def memory_free() -> int:
    """Bytes that the kernel can give without swapping, by /proc/meminfo."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise MissingPiece("/proc/meminfo does not tell MemAvailable; engines are built on Linux 3.14 or later")


def disk_free(folder: Path) -> int:
    """Bytes of the disk that a folder lies on."""
    return shutil.disk_usage(folder).free


def check(name: str, sources: list[Path], folder: Path, disk: Callable[[Path], int] = disk_free, memory: Callable[[], int] = memory_free) -> None:
    """For an engine made from these files, in a folder that there is. Raises MissingPiece with what there is, what is wanted and what to do."""
    size = sum(source.stat().st_size for source in sources)
    if (free := disk(folder)) < DISK * size:
        raise MissingPiece(f"{name}: building takes {_mib(DISK * size)} of disk at least, {_mib(free)} are free; free some, or choose another --out")
    if (free := memory()) < MEMORY * size + BASE:
        raise MissingPiece(f"{name}: building takes {_mib(MEMORY * size + BASE)} of memory at least, {_mib(free)} can be had; end what holds it")


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"
