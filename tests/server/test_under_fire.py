"""Processes die while portraits are asked for: every later request is answered soon, and none wrongly."""

import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import omokage
import pytest
import tritonclient.grpc as triton_grpc
from omokage.portrait import Order

from server_config.processes import stubs
from server_config.supervisor import READY_SECONDS, Server
from tests.server.conftest import SAMPLE
from tests.server.test_denoiser import given

pytestmark = pytest.mark.server
LONGEST = 30.0  # seconds of a hung request; how long it takes is measured elsewhere
SOON = 10.0  # seconds until whoever waits for a process that died is told


def killed(server: Server, victim: str, most: int | None = None) -> None:
    """The processes of a model, at most so many."""
    for pid in [pid for pid, model in stubs(server.pid).items() if model == victim][:most]:
        os.kill(pid, signal.SIGKILL)


def wait_for(what: Callable[[], bool], says: str, longest: float = LONGEST) -> None:
    until = time.monotonic() + longest
    while not what():
        assert time.monotonic() < until, says
        time.sleep(0.1)


def test_every_request_is_answered_and_none_wrongly_while_processes_die(whole_server: Server, omokage_client: omokage.Client) -> None:
    passport = omokage_client.enroll(SAMPLE)
    asked: dict[str, Any] = {"person": passport, "knobs": {"steps": 2}}
    wanted = {seed: omokage_client.portrait("a person", seed=seed, **asked).png for seed in (1, 2)}
    over, slowest = threading.Event(), [0.0]
    wrong: list[int] = []

    def timed(seed: int, right: Callable[[], bool]) -> None:
        began = time.monotonic()
        if not right():
            wrong.append(seed)
        slowest[0] = max(slowest[0], time.monotonic() - began)

    def ask(seed: int) -> None:
        with omokage.Client(whole_server.url, timeout=60) as client:
            while not over.is_set():
                timed(seed, lambda: client.portrait("a person", seed=seed, **asked).png == wanted[seed])
                timed(seed, lambda: np.array_equal(client.enroll(SAMPLE).face.identity, passport.face.identity))

    askers = [threading.Thread(target=ask, args=(seed,)) for seed in wanted]
    for asker in askers:
        asker.start()
    try:
        for victim in sorted(set(stubs(whole_server.pid).values())):
            before = len(whole_server.restarted)
            killed(whole_server, victim, 1)
            wait_for(lambda before=before: len(whole_server.restarted) > before, f"nobody brought {victim} back")  # type: ignore[misc]
            omokage_client.portrait("a person", seed=1, **asked)  # it serves again before the next one dies: some process is always dead otherwise
    finally:
        over.set()
        for asker in askers:
            asker.join()
    assert not wrong
    assert slowest[0] < LONGEST
    assert omokage_client.portrait("a person", seed=1, **asked).png == wanted[1]


@pytest.mark.parametrize("victim", ["denoiser", "portrait", "portrait_stream"])
def test_whoever_waits_for_a_process_that_dies_is_told_soon(
    whole_server: Server, omokage_client: omokage.Client, passport: omokage.Passport, victim: str
) -> None:
    """By Triton's client alone, which tries nothing again: a call and a stream that both wait for the denoiser."""
    wanted = omokage_client.portrait("a person", person=passport, seed=1, knobs={"steps": 1}).png
    inputs = given(Order(words="a person", passport=passport, seed=1, knobs={"steps": 30}))
    called: queue.Queue[Any] = queue.Queue()
    streamed: queue.Queue[Any] = queue.Queue()
    before = len(whole_server.restarted)
    with triton_grpc.InferenceServerClient(whole_server.url) as calling, triton_grpc.InferenceServerClient(whole_server.url) as streaming:
        calling.async_infer("portrait", inputs, callback=lambda result, error: called.put(error))
        streaming.start_stream(lambda result, error: streamed.put(error))
        streaming.async_stream_infer("portrait_stream", inputs)
        assert streamed.get(timeout=LONGEST) is None  # a step
        killed(whole_server, victim)
        ends = time.monotonic() + SOON
        if victim != "portrait_stream":
            assert called.get(timeout=SOON) is not None
        while victim != "portrait" and streamed.get(timeout=max(ends - time.monotonic(), 0.01)) is None:
            pass
        wait_for(lambda: len(whole_server.restarted) > before, f"nobody brought {victim} back", READY_SECONDS)  # the whole server for some
    assert omokage_client.portrait("a person", person=passport, seed=1, knobs={"steps": 1}).png == wanted
