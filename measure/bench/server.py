"""`make bench`: what serving costs over the same steps in one process, how soon the server is ready, how much memory it takes."""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import omokage
from omokage.portrait import Order, paint
from tqdm import tqdm

from measure.deaths import seconds_after_deaths
from measure.in_process import REPOSITORY, InProcess
from server_config.arguments import SERVED, Ports
from server_config.canary import sing
from server_config.processes import memory
from server_config.supervisor import Server

OUT = Path("out/bench.json")
SAMPLE = Path(__file__).resolve().parents[1] / "docs" / "img" / "sample.jpg"
WORDS, STEPS, TIMES = "a smiling person in warm window light", 20, 20


def timed(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def measured() -> dict[str, object]:
    """All numbers; the ways are asked in turns, so that whatever else the machine does falls on all alike."""
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
        pictures = {name: ask() for name, ask in ways.items()}
        if len(set(pictures.values())) != 1:
            raise SystemExit("error: the ways do not give the same file; a bench of different things says nothing")
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in tqdm(range(TIMES), "rounds", disable=not sys.stderr.isatty()):
            for name, ask in ways.items():
                seconds[name].append(timed(ask))
        resident, shared_out = memory(server.pid)
        deaths = seconds_after_deaths(server, lambda: client.portrait(WORDS, photo=SAMPLE, seed=7, knobs={"steps": 2}).png)
    found: dict[str, object] = {"ready_seconds": round(ready, 2), "resident_gib": round(resident, 3), "proportional_gib": round(shared_out, 3)}
    for name, values in seconds.items():
        low, middle, high = statistics.quantiles(values, n=4)
        found[f"{name}_seconds"] = {
            "median": round(middle, 3),
            "quartiles": [round(low, 3), round(high, 3)],
            "all": [round(value, 3) for value in values],
        }
    found["overhead"] = round(statistics.median(seconds["portrait"]) / statistics.median(seconds["in_process"]), 3)
    found["overhead_orchestrated"] = round(statistics.median(seconds["orchestrated"]) / statistics.median(seconds["in_process"]), 3)
    found["after_deaths_seconds"] = deaths
    found["longest_after_a_death_seconds"] = max(deaths.values())
    return found


def main() -> int:
    found = measured()
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=2) + "\n")
    for name, value in found.items():
        print(f"{name:30} {value.get('median', '') if isinstance(value, dict) else value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
