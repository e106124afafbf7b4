"""A builder has the same addresses whatever was before it, and what a system refuses of that is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engines import repeatable

WHERE = """
import ctypes, mmap, sys
before = [bytes(k * 9) for k in range(int(sys.argv[1]))]
del before[::3]
from engines import repeatable
repeatable.settled("json")
malloc = ctypes.CDLL(None).malloc
malloc.restype = ctypes.c_void_p
mapped = mmap.mmap(-1, 1 << 23)
print([malloc(size) for size in (40, 5000, 2_000_000)], ctypes.addressof(ctypes.c_char.from_buffer(mapped)))
print([id(bytes(size)) for size in (40, 90, 400)])
"""


def addresses(pieces: int, extra: str) -> str:
    way = repeatable.way()
    if way.refused:
        pytest.skip(f"this system refuses {', '.join(way.refused)}")
    command = [*way.prefix, sys.executable, "-c", WHERE, str(pieces)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=repeatable.environment() | {"EXTRA": extra}).stdout


def test_addresses_do_not_follow_from_the_environment_nor_from_what_was_done_before() -> None:
    once = addresses(10, "")
    assert once.startswith("[")
    assert addresses(7000, "x" * 5000) == once


def test_a_command_that_the_system_refuses_is_left_out_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, code in (("setarch", 0), ("taskset", 0), ("chrt", 1)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    way = repeatable.way.__wrapped__()
    assert way == repeatable.Way(("setarch", "-R", "taskset", "-c", str(max(os.sched_getaffinity(0)))), ("chrt",))


def test_commands_that_are_not_there_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert repeatable.way.__wrapped__() == repeatable.Way((), ("setarch", "taskset", "chrt"))
