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

STARTED = """
import ctypes, sys
from engines import repeatable
if sys.argv[1] == "last":
    repeatable.come_last()
libc, came = ctypes.CDLL(None), 0
for _ in range(5):
    thread, now = ctypes.c_void_p(), ctypes.c_long(0)
    libc.pthread_create(ctypes.byref(thread), None, libc.time, ctypes.byref(now))
    came += now.value > 0
print(came)
"""
"""How many of five threads, which write the time, have come to do so when the one that started them goes on."""


def ran(*words: str, **more: str) -> str:
    way = repeatable.way()
    if way.refused:
        pytest.skip(f"this system refuses {', '.join(way.refused)}")
    command = [*way.prefix, sys.executable, "-c", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=repeatable.environment() | more).stdout


def test_addresses_do_not_follow_from_the_environment_nor_from_what_was_done_before() -> None:
    once = ran(WHERE, "10")
    assert once.startswith("[")
    assert ran(WHERE, "7000", EXTRA="x" * 5000) == once


def test_a_thread_that_a_builder_starts_comes_before_it_goes_on() -> None:
    """Any may wait for the system, and then the other goes on."""
    came = {place: int(ran(STARTED, place)) for place in ("first", "last")}
    assert came["first"] < 3 < came["last"], came


def test_a_builder_finds_nothing_that_python_has_compiled_before_and_leaves_nothing() -> None:
    found = ran("import json, pathlib, sys; print(pathlib.Path(json.__cached__).exists(), sys.dont_write_bytecode)")
    assert found.split() == ["False", "True"]


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
