"""What the server costs over the same steps in one process, how soon it is ready, how much memory it takes."""

import time
from collections.abc import Callable
from typing import Any

import omokage
from omokage.portrait import Order, paint

from measure.bench.results import Found
from measure.bench.scale import Scale
from measure.bench.served import SAMPLE, WORDS
from measure.bench.spread import ratio, spreads
from measure.bench.turns import in_turns
from measure.deaths import seconds_after_deaths
from measure.in_process import REPOSITORY, InProcess
from server_config.arguments import SERVED, Ports
from server_config.canary import sing
from server_config.processes import memory
from server_config.supervisor import Server

STEPS = 20


class NotTheSame(Exception):
    """Ways that were to give the same do not: a bench of different things says nothing."""


def measured(scale: Scale) -> Found:
    began = time.perf_counter()
    with Server(REPOSITORY, Ports.free(), models=SERVED, canary=sing) as server, omokage.Client(server.url) as client:
        ready = time.perf_counter() - began
        person = client.enroll(SAMPLE)
        here = InProcess()
        order = Order(words=WORDS, passport=person, seed=7, knobs={"steps": STEPS})
        whole: dict[str, Any] = {"person": person, "seed": 7, "knobs": {"steps": STEPS}}

        def orchestrated() -> bytes:
            client.orchestrate = True
            png = client.portrait(WORDS, **whole).png
            client.orchestrate = False
            return png

        ways: dict[str, Callable[[], bytes]] = {
            "portrait": lambda: client.portrait(WORDS, **whole).png,
            "orchestrated": orchestrated,
            "in_process": lambda: paint(here.infer, order).image,
        }
        if len({ask() for ask in ways.values()}) != 1:
            raise NotTheSame("one call, step by step and one process do not give the same file")
        seconds = in_turns(ways, scale.rounds, "portraits")
        resident, shared_out = memory(server.pid)
        deaths: dict[str, float] = {}
        if scale.deaths:
            deaths = seconds_after_deaths(server, lambda: client.portrait(WORDS, photo=SAMPLE, seed=7, knobs={"steps": 2}).png)
    numbers = {
        "server_overhead": ratio(seconds["portrait"], seconds["in_process"]),
        "server_overhead_orchestrated": ratio(seconds["orchestrated"], seconds["in_process"]),
        "ready_seconds": round(ready, 2),
        "resident_gib": round(resident, 3),
        "proportional_gib": round(shared_out, 3),
        "longest_after_a_death_seconds": max(deaths.values(), default=None),
    }
    return Found(numbers, {"steps": STEPS, "seconds": spreads(seconds), "after_deaths_seconds": deaths})
