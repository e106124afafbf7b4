"""Processes die while portraits are asked for: every later request is answered soon, and none wrongly."""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import omokage
import pytest

from server_config.processes import stubs
from server_config.supervisor import Server
from tests.server.conftest import SAMPLE

pytestmark = pytest.mark.server
LONGEST = 30.0  # seconds of a hung request; how long it takes is measured elsewhere


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
            os.kill(next(pid for pid, model in stubs(whole_server.pid).items() if model == victim), signal.SIGKILL)
            until = time.monotonic() + LONGEST
            while len(whole_server.restarted) == before:
                assert time.monotonic() < until, f"nobody brought {victim} back"
                time.sleep(0.1)
            omokage_client.portrait("a person", seed=1, **asked)  # it serves again before the next one dies: some process is always dead otherwise
    finally:
        over.set()
        for asker in askers:
            asker.join()
    assert not wrong
    assert slowest[0] < LONGEST
    assert omokage_client.portrait("a person", seed=1, **asked).png == wanted[1]
