"""Twice as much asked for as can be done: who is answered, and how much is done in time."""

from collections import Counter

from measure.bench.arrivals import Kind, goodput, poisson, summary, unanswered
from measure.bench.load import closed, offered
from measure.bench.results import Found
from measure.bench.scale import Scale
from measure.bench.served import denoiser, jobs, sample_task

TIMES = 2.0  # capacity
AT_ONCE = 8  # fills a batch, two branches each
DEADLINE = 2.0  # times what a job takes in a full batch
GRACE = 0.1  # seconds that an answer is on its way
SEED, MANY = 6, 1024


def measured(scale: Scale) -> Found:
    """Capacity is what a server does whose batch is full all the time."""
    task = sample_task()
    with denoiser(task) as asking:
        capacity = closed(jobs(scale.capacity_jobs, scale.overload_steps), asking.of([task]), AT_ONCE)
        deadline = round(DEADLINE * AT_ONCE / capacity, 1)
        arrivals = poisson(TIMES * capacity, scale.overload_seconds, (Kind(scale.overload_steps, 1.0),), SEED)
        outcomes = offered(arrivals, asking.of([task], deadline), MANY)
    # not the first seconds, in which nobody can be done yet, nor what is done when nobody comes any more
    good = goodput(outcomes, deadline, min(deadline, scale.overload_seconds / 2), scale.overload_seconds)
    raw = {
        "capacity": round(capacity, 4),
        "steps": scale.overload_steps,
        "deadline": deadline,
        "seconds": scale.overload_seconds,
        "requests": len(arrivals),
        "ends": dict(Counter(one.end for one in outcomes)),
        "goodput": round(good, 4),
        "results": summary(outcomes),
        "longest": round(max(one.took for one in outcomes), 3),
        "all": [(round(one.arrival.second, 3), round(one.took, 3), one.end) for one in outcomes],
    }
    numbers = {
        "overload_goodput": round(good / capacity, 3),
        "overload_unanswered": unanswered(outcomes, deadline, GRACE),
    }
    return Found(numbers, raw)
