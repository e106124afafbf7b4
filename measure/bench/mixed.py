"""Short and long jobs that come as they like: step by step together, and one whole job after the other."""

from collections.abc import Callable, Sequence
from typing import Any

from measure.bench.arrivals import Arrival, Kind, Outcome, poisson, summary, throughput
from measure.bench.load import closed, offered
from measure.bench.results import Found
from measure.bench.scale import Scale
from measure.bench.served import denoiser, sample_task

KINDS = (Kind(4, 0.5), Kind(20, 0.3), Kind(50, 0.2))
SHORT = KINDS[0].steps
LOAD = 0.8  # of capacity
SEED = 5
MANY = 256  # requests at once: no end, for what comes here
WAYS = {"by step": MANY, "by request": 1}
"""How many requests are given to the engine at once; the others stand in line before it, as they came."""


def sequence(count: int) -> list[Arrival]:
    """Jobs by their shares, evenly mixed."""
    due = {kind.steps: 0.0 for kind in KINDS}
    found = []
    for number in range(count):
        for kind in KINDS:
            due[kind.steps] += kind.share
        steps = max(due, key=lambda one: due[one])
        due[steps] -= 1
        found.append(Arrival(number, 0.0, steps))
    return found


def ratios(by_step: Sequence[Outcome], by_request: Sequence[Outcome]) -> dict[str, float | None]:
    """None for those of jobs that did not come: a slow machine is given few. Raises AssertionError where they came and none had a result."""
    both = (by_step, by_request)
    short = [[one for one in found if one.arrival.steps == SHORT] for found in both]
    return {
        "short_job_p95_ratio": _ratio(short, lambda found: float(summary(found)["p95"])),
        "short_job_mean_ratio": _ratio(short, lambda found: float(summary(found)["mean"])),
        "mixed_throughput_ratio": _ratio(both, throughput),
    }


def _ratio(both: Sequence[Sequence[Outcome]], number: Callable[[Sequence[Outcome]], float]) -> float | None:
    if not all(both):
        return None
    for found in both:
        assert any(one.end == "result" for one in found), f"{len(found)} jobs came, and none had a result"
    one, other = (number(found) for found in both)
    return round(one / other, 3)


def measured(scale: Scale) -> Found:
    """The same arrivals and the same engine both times. Capacity is that of one whole job after the other."""
    task = sample_task()
    with denoiser(task) as asking:
        ask = asking.of([task])
        capacity = closed(sequence(scale.capacity_jobs), ask, 1)
        arrivals = poisson(LOAD * capacity, scale.mixed_seconds, KINDS, SEED)
        outcomes = {name: offered(arrivals, ask, at_once) for name, at_once in WAYS.items()}
    raw: dict[str, Any] = {"capacity": round(capacity, 4), "load": LOAD, "jobs": len(arrivals), "seconds": scale.mixed_seconds}
    for name, found in outcomes.items():
        raw[name] = {
            "throughput": round(throughput(found), 4),
            **{f"{kind.steps} steps": summary(found, kind.steps) for kind in KINDS},
            "all": [(one.arrival.steps, round(one.arrival.second, 3), round(one.took, 3), one.end) for one in found],
        }
    return Found(ratios(outcomes["by step"], outcomes["by request"]), raw)
