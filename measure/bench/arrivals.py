"""Who comes when, and what came of it."""

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from measure.bench.spread import percentile

End = Literal["result", "full", "refused", "late", "failed"]
"""A result; a status that the line is full, that the deadline cannot be met, or cannot any more; anything else, or nothing."""


@dataclass(frozen=True)
class Kind:
    """Jobs of so many steps, and their share of all."""

    steps: int
    share: float


@dataclass(frozen=True)
class Arrival:
    """`second`: from the beginning."""

    number: int
    second: float
    steps: int


@dataclass(frozen=True)
class Outcome:
    """`ended`: seconds from the beginning."""

    arrival: Arrival
    ended: float
    end: End

    @property
    def took(self) -> float:
        return self.ended - self.arrival.second


def mean_steps(kinds: Sequence[Kind]) -> float:
    return sum(kind.share * kind.steps for kind in kinds)


def poisson(rate: float, seconds: float, kinds: Sequence[Kind], seed: int) -> list[Arrival]:
    """`rate`: arrivals a second on average, each by itself; the kinds are drawn by their shares."""
    draw, now = random.Random(seed), 0.0
    found: list[Arrival] = []
    while (now := now + draw.expovariate(rate)) < seconds:
        kind = draw.choices(kinds, [kind.share for kind in kinds])[0]
        found.append(Arrival(len(found), now, kind.steps))
    return found


def summary(outcomes: Sequence[Outcome], steps: int | None = None) -> dict[str, Any]:
    """How long those with a result took, of all kinds or of one."""
    took = [one.took for one in outcomes if one.end == "result" and steps in (None, one.arrival.steps)]
    if not took:
        return {"jobs": 0}
    return {"jobs": len(took), "mean": round(statistics.mean(took), 3), "p50": round(percentile(took, 50), 3), "p95": round(percentile(took, 95), 3)}


def throughput(outcomes: Sequence[Outcome]) -> float:
    """Results a second, from the first arrival to the last result; 0 where there is none."""
    done = [one for one in outcomes if one.end == "result"]
    if not done:
        return 0.0
    return len(done) / (max(one.ended for one in done) - min(one.arrival.second for one in outcomes))


def goodput(outcomes: Sequence[Outcome], deadline: float, since: float, until: float) -> float:
    """Results within their deadline a second, of those that came between two times."""
    good = [one for one in outcomes if one.end == "result" and one.took <= deadline and since <= one.ended < until]
    return len(good) / (until - since)


def unanswered(outcomes: Sequence[Outcome], deadline: float, grace: float) -> int:
    """How many had neither result nor status by their deadline; `grace`: seconds that an answer is on its way."""
    return sum(one.end == "failed" or one.took > deadline + grace for one in outcomes)
