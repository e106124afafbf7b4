"""Calls from process to process: answers as they come, and nobody waits for who has died or left."""

import multiprocessing.synchronize
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from omokage.errors import Busy, Cancelled, OmokageError, ServerFault, ServerUnreachable
from omokage.system import Arrays
from omokage.transport import beside
from omokage.transport.beside import Caller, Listening

SOON = 10.0  # seconds, on a busy machine


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a model that is nobody else's."""
    mine = os.getpid()
    monkeypatch.setattr(beside, "_address", lambda model: f"\0omokage-test-{mine}-{model}")
    return f"model-{time.monotonic_ns()}"


Listen = Callable[[Callable[[Arrays, Caller], None]], None]


@pytest.fixture
def listen(name: str) -> Iterator[Listen]:
    found: list[Listening] = []
    yield lambda take: found.append(Listening(name, take))
    for one in found:
        one.close()


def number(value: int) -> Arrays:
    return {"number": np.array([value])}


def test_answers_come_one_after_another_and_the_last_ends_them(name: str, listen: Listen) -> None:
    def take(inputs: Arrays, caller: Caller) -> None:
        for value in range(3):
            caller.send({"sum": inputs["number"] + value}, last=value == 2)

    listen(take)
    assert [int(found["sum"][0, 0]) for found in beside.stream(name, number(5))] == [5, 6, 7]


@pytest.mark.parametrize(("error", "told"), [(Busy("try again in about 3.5 s"), Busy), (ZeroDivisionError("secret"), ServerFault)])
def test_an_error_is_an_answer_and_an_unforeseen_one_is_told_by_its_kind(
    name: str, listen: Listen, error: Exception, told: type[OmokageError]
) -> None:
    def take(inputs: Arrays, caller: Caller) -> None:
        raise error

    listen(take)
    with pytest.raises(told) as found:
        list(beside.stream(name, number(5)))
    assert "secret" not in str(found.value)


def test_who_stops_reading_or_is_gone_is_noticed(name: str, listen: Listen) -> None:
    callers: list[Caller] = []

    def take(inputs: Arrays, caller: Caller) -> None:
        callers.append(caller)
        caller.send(inputs)

    listen(take)
    reading = beside.stream(name, number(1))
    next(reading)
    assert not callers[0].gone()
    reading.close()
    with pytest.raises(Cancelled):
        list(beside.stream(name, number(2), lambda: len(callers) == 2))
    for caller in callers:
        until = time.monotonic() + SOON
        while not caller.gone():
            assert time.monotonic() < until
        caller.send(number(3), last=True)  # nobody reads it, and nothing breaks


def test_who_reads_slowly_holds_up_nobody(name: str, listen: Listen) -> None:
    done = threading.Event()

    def take(inputs: Arrays, caller: Caller) -> None:
        for value in range(8):
            caller.send({"big": np.zeros(1_000_000)}, last=value == 7)
        done.set()

    listen(take)
    reading = beside.stream(name, number(1))
    next(reading)
    assert done.wait(SOON)
    assert len(list(reading)) == 7


def _die_with_a_request(name: str, ready: multiprocessing.synchronize.Event) -> None:
    Listening(name, lambda inputs, caller: os.kill(os.getpid(), signal.SIGKILL))
    ready.set()
    time.sleep(60)


def test_a_process_that_dies_with_a_request_is_told_at_once(name: str) -> None:
    with pytest.raises(ServerUnreachable, match="is being brought back"):
        list(beside.stream(name, number(1)))
    fork = multiprocessing.get_context("fork")
    ready = fork.Event()
    process = fork.Process(target=_die_with_a_request, args=(name, ready))
    process.start()
    assert ready.wait(SOON)
    began = time.monotonic()
    with pytest.raises(ServerUnreachable, match="is being brought back"):
        list(beside.stream(name, number(1)))
    assert time.monotonic() - began < SOON
    process.join(SOON)
    assert process.exitcode == -signal.SIGKILL
