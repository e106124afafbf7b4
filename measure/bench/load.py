"""Many clients at once: at times that were drawn before, or each as soon as the last is answered."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from omokage.errors import Busy, OmokageError, TooLate

from measure.bench.arrivals import Arrival, End, Outcome

Ask = Callable[[Arrival], object]
"""Returns when the answer is there; raises the errors of omokage.errors."""
GIVEN_UP = "cannot be met any more"
"""In what the denoiser says of a job that it had taken; of one that it does not take it says how long that would need."""


def ended(ask: Ask, arrival: Arrival) -> End:
    """How an arrival's request ended."""
    try:
        ask(arrival)
    except Busy:
        return "full"
    except TooLate as error:
        return "late" if GIVEN_UP in str(error) else "refused"
    except OmokageError:
        return "failed"
    return "result"


def offered(arrivals: Sequence[Arrival], ask: Ask, at_once: int) -> list[Outcome]:
    """All arrivals at their times; no more than so many are asked for at once, the others stand in line here, one behind the other."""
    began = time.perf_counter()

    def answered(arrival: Arrival) -> Outcome:
        end = ended(ask, arrival)
        return Outcome(arrival, time.perf_counter() - began, end)

    waited = []
    with ThreadPoolExecutor(at_once) as pool:
        for arrival in arrivals:
            time.sleep(max(0.0, arrival.second - (time.perf_counter() - began)))
            waited.append(pool.submit(answered, arrival))
    return [one.result() for one in waited]


def closed(jobs: Sequence[Arrival], ask: Ask, at_once: int) -> float:
    """Jobs a second, where so many are always under way."""
    began = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        ends = list(pool.map(lambda job: ended(ask, job), jobs))
    assert set(ends) == {"result"}, f"{len(ends) - ends.count('result')} of {len(ends)} jobs without a result"
    return len(jobs) / (time.perf_counter() - began)
