"""An engine of the CPU, as `make engines` builds it: looked at before it is used. Needs onnxruntime."""

import contextlib
import ctypes
import functools
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omokage.errors import InvalidRequest
from omokage.system import Arrays

Session = Any  # onnxruntime.InferenceSession
MAKE = "give the folder that `make engines` fills, like build/engines/mini/cpu"
THREADS = "OMOKAGE_CPU_THREADS"
MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
TRIM_THRESHOLD = -1  # M_TRIM_THRESHOLD
KEPT = 2**25, 2**28  # bytes: the largest arrays that mallopt(3) lets a heap hold, and how much of it may lie idle


def recipe_of(engine: Path, name: str) -> dict[str, Any]:
    """What an engine was built from: family, target and more, of one that is what its side-car says. Raises InvalidRequest."""
    try:
        sidecar = json.loads(engine.with_name(engine.name + ".json").read_text())
        digest = hashlib.sha256(engine.read_bytes()).hexdigest()
        if (sidecar["recipe"]["network"], sidecar["sha256"]) != (name, digest):
            raise InvalidRequest(f"{engine} is damaged, or not the engine of {name}; {MAKE}")
        return dict(sidecar["recipe"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidRequest(f"{engine.parent.parent} has no whole engine of {name} ({type(error).__name__}); {MAKE}") from None


def runner(engine: Path, name: str) -> Callable[[Arrays], Arrays]:
    """What runs an engine: inputs by name to outputs by name. Raises InvalidRequest."""
    session = opened(engine, name)
    outputs = [port.name for port in session.get_outputs()]
    return lambda inputs: dict(zip(outputs, session.run(outputs, inputs), strict=True))


def opened(engine: Path, name: str) -> Session:
    """A session of an engine that is whole, on all cores or as many as the server's engines get. Raises InvalidRequest."""
    try:
        import onnxruntime
    except ImportError:
        raise InvalidRequest("onnxruntime is not installed; run `pip install omokage[edge]`") from None
    recipe_of(engine, name)
    _share_memory()
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.intra_op_num_threads = int(os.environ.get(THREADS) or os.cpu_count() or 1)
    options.add_session_config_entry("session.force_spinning_stop", "1")  # after each run, or the sessions of other processes starve
    session = onnxruntime.InferenceSession(str(engine), options, providers=["CPUExecutionProvider"])
    give_back()
    return session


@functools.cache
def _share_memory() -> None:
    """One arena for what all engines of this process compute, not one for each."""
    import onnxruntime

    memory = onnxruntime.OrtMemoryInfo("Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT)
    onnxruntime.create_and_register_allocator(memory, None)


def keep_pages() -> None:
    """From now on, memory of arrays up to 32 MiB is used again by this process, not given back and asked for anew with every array. mallopt(3);
    elsewhere than with glibc there is none. For processes that are all ours, of a server or a training: a program that enrols decides for itself."""
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        for setting, most in zip((MMAP_THRESHOLD, TRIM_THRESHOLD), KEPT, strict=True):
            mallopt(setting, most)


def give_back() -> None:
    """To the system the memory that loading an engine left behind: tens of MB. malloc_trim(3); elsewhere than with glibc there is none."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
