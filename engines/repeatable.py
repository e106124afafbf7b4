"""How the builder of TensorRT-RTX is started so that a network gets the same bytes each time.

Into its plans go names that its compiler numbers, in an order that follows from addresses and from which of its threads comes first.
So a builder gets the same addresses (none drawn anew, one heap) and the same turns (one core; a thread that
is started or woken comes first, and is not interrupted until it waits for another). What each does: docs/engines.md.
"""

import ctypes
import gc
import importlib
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

KEPT = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH")
TUNABLES = "glibc.malloc.arena_max=1:glibc.malloc.mmap_max=0"  # one heap, and all of it in one piece
LARGEST = 1 << 26  # bytes; no free piece of a heap is larger before building begins
ROUND = 1 << 30  # bytes; what the heap takes before is far less
PAGE = LARGEST >> 14
NOTHING = (0, 0x4022, -1, 0)  # <sys/mman.h>: PROT_NONE; MAP_PRIVATE, MAP_ANONYMOUS and MAP_NORESERVE; no file
FIRST, LAST = 2, 1
"""Priorities under SCHED_FIFO: of threads that a builder starts, and of the one that starts them."""
EXPLICIT = 1  # <pthread.h>: PTHREAD_EXPLICIT_SCHED
ATTRIBUTES = 64  # bytes, at least those of glibc's pthread_attr_t on any processor

SIZES: tuple[Callable[[], object], ...] = (object, partial(int, "1" * 10), *(partial(bytes, size) for size in range(15, 480, 16)))
"""What makes an object of 16, 32, ... 512 bytes."""
_TAKEN: list[object] = []


@dataclass(frozen=True)
class Way:
    """`prefix`: what comes before a command; `refused`: commands that would be in it, but this system refuses them."""

    prefix: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@cache
def way() -> Way:
    """Each of util-linux's commands that works here, as tried on `true`; which one does not depends on a container's rules and on who asks."""
    core = str(max(os.sched_getaffinity(0)))
    tried = [(command, _works(command)) for command in (("setarch", "-R"), ("taskset", "-c", core), ("chrt", "-f", str(FIRST)))]
    return Way(tuple(word for command, works in tried if works for word in command), tuple(command[0] for command, works in tried if not works))


def _works(command: tuple[str, ...]) -> bool:
    try:
        return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def environment() -> dict[str, str]:
    """A builder's: what is needed to find files of this process's, and nothing else of it."""
    fixed = {name: "1" for name in ("PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    fixed |= {"PYTHONHASHSEED": "0", "PYTHONPYCACHEPREFIX": os.devnull}  # all Python is compiled each time: what that leaves on the heap counts
    fixed |= {"GLIBC_TUNABLES": TUNABLES, "LC_ALL": "C.UTF-8"}
    return {name: os.environ[name] for name in KEPT if name in os.environ} | fixed


def settled(module: str) -> None:
    """Load a module, and go on with addresses that do not follow from what was done until now."""
    importlib.import_module(module)
    libc = ctypes.CDLL(None)
    gc.collect()
    gc.disable()  # else what is freed, and when, follows from how much was made before
    _level_objects(_level_maps(libc.mmap))
    _level_heap(libc.malloc)


def come_last() -> None:
    """Let each thread that this one starts or wakes run at once, until it waits for this one. Else one that is ready would come when this one
    waits for the system (for a page that is read, or moved), which is at no fixed place. Nothing where `chrt` was refused. Raises OSError."""
    if (os.sched_getscheduler(0), os.sched_getparam(0).sched_priority) != (os.SCHED_FIFO, FIRST):
        return
    libc, attributes = ctypes.CDLL(None), ctypes.create_string_buffer(ATTRIBUTES)
    for call, *more in (
        (libc.pthread_attr_init,),
        (libc.pthread_attr_setinheritsched, EXPLICIT),
        (libc.pthread_attr_setschedpolicy, os.SCHED_FIFO),
        (libc.pthread_attr_setschedparam, ctypes.byref(ctypes.c_int(FIRST))),
        (libc.pthread_setattr_default_np,),
    ):
        if error := call(attributes, *more):
            raise OSError(error, os.strerror(error))
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(LAST))


def _level_objects(bottom: int) -> None:
    """Take what is free of Python's own pools, which lie above an address, size by size: new ones are mapped below."""
    for make in SIZES:
        while id(piece := make()) > bottom:
            _TAKEN.append(piece)


def _level_heap(malloc: Any) -> None:
    """Take every free piece of the heap, and of what follows as much as leads to a round address. None of it is given back."""
    malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    top = malloc(LARGEST)
    for size in (*range(24, 1048, 16), *(LARGEST >> bit for bit in range(1, 22))):  # pieces that are kept by their sizes, then any
        while malloc(size) < top:
            pass
    here = malloc(24)
    malloc(-here % ROUND)


def _level_maps(mmap: Any) -> int:
    """The same for what is mapped: from above downwards, and nothing in it can be read or written. Returns the lowest address then."""
    mmap.restype, mmap.argtypes = ctypes.c_size_t, [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    bottom = mmap(None, LARGEST, *NOTHING)
    for size in (LARGEST >> bit for bit in range(15)):
        while mmap(None, size, *NOTHING) > bottom:
            pass
    found: int = mmap(None, mmap(None, PAGE, *NOTHING) % ROUND, *NOTHING)
    return found
