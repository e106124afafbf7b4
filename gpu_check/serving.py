"""What serving reaches: portraits asked for by several clients at once, and the same portraits by the same networks without a server."""

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import omokage
from omokage.portrait import Order, paint

from measure.in_process import REPOSITORY, InProcess, Open
from server_config.arguments import SERVED, Ports
from server_config.canary import sing
from server_config.supervisor import Server

SAMPLE = Path(__file__).resolve().parents[1] / "docs" / "img" / "sample.jpg"
WORDS = "a smiling person in warm window light"
CLIENTS = (1, 2, 4, 8)


def served(steps: int, portraits: int, clients: Sequence[int] = CLIENTS, way: str = "the server") -> list[dict[str, Any]]:
    """A row for every number of clients at once, each of which asks for so many portraits in one call each."""
    with Server(REPOSITORY, Ports.free(), models=SERVED, canary=sing) as server, omokage.Client(server.url, timeout=600) as client:
        person = client.enroll(SAMPLE)

        def ask(seed: int) -> object:
            with omokage.Client(server.url, timeout=600) as own:
                return own.portrait(WORDS, person=person, seed=seed, knobs={"steps": steps})

        ask(0)
        return [row(way, count, portraits, ask) for count in clients]


def alone(name: str, opening: Open, steps: int, portraits: int) -> dict[str, Any]:
    """The same recipe over networks that are run one call after another, one portrait at a time: no server, nothing of others in a batch."""
    runtime, photo = InProcess(opening=opening), SAMPLE.read_bytes()

    def ask(seed: int) -> object:
        return paint(runtime.infer, Order(words=WORDS, photo=photo, seed=seed, knobs={"steps": steps}))

    ask(0)
    return row(name, 1, portraits, ask)


def row(name: str, clients: int, portraits: int, ask: Callable[[int], object]) -> dict[str, Any]:
    """Seconds of a portrait, and portraits a second of all clients together."""
    taken: list[float] = []

    def several(client: int) -> None:
        for number in range(portraits):
            began = time.perf_counter()
            ask(1 + client * portraits + number)
            taken.append(time.perf_counter() - began)

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(several, range(clients)))
    whole = time.perf_counter() - began
    found = {"median_s": statistics.median(taken), "longest_s": max(taken), "portraits_per_s": len(taken) / whole}
    return {"way": name, "clients": clients, "portraits": len(taken)} | {key: round(value, 4) for key, value in found.items()}
