"""Several ways timed in turns, so that whatever else the machine does falls on all alike."""

import sys
import time
from collections.abc import Callable, Mapping

from tqdm import tqdm

THREADS = 2
CALM = 0.03  # seconds between two: threads that spin after a call would take time from the next way


def timed(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def in_turns(ways: Mapping[str, Callable[[], object]], rounds: int, says: str, calm: float = CALM) -> dict[str, list[float]]:
    """Seconds of every call, by way."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in tqdm(range(rounds), says, disable=not sys.stderr.isatty()):
        for name, ask in ways.items():
            seconds[name].append(timed(ask))
            time.sleep(calm)
    return seconds
