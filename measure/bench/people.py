"""Many people by all systems in one batch, against one person by one system."""

from omokage.denoising import Task
from omokage.portrait import Order
from omokage.systems import BY_ONE_PHOTO

from measure.bench.load import closed
from measure.bench.results import Found
from measure.bench.scale import Scale
from measure.bench.served import WORDS, denoiser, jobs, task_of
from measure.bench.spread import ratio, spread, spreads
from measure.in_process import InProcess

PEOPLE = 32
AT_ONCE = 8  # each with two branches: as many rows as a batch has
CROWDS = (1, 2, 4, 8, 16)


def everybody(runtime: InProcess, people: int = PEOPLE) -> list[Task]:
    """A task of each of so many invented people, by the systems in turns."""
    systems = list(BY_ONE_PHOTO)
    return [task_of(runtime, Order(words=WORDS, character=person, seed=person, system=systems[person % len(systems)])) for person in range(people)]


def measured(scale: Scale) -> Found:
    """As many jobs of as many steps both times, in turns."""
    tasks = everybody(InProcess())
    alone = tasks[list(BY_ONE_PHOTO).index("crossfaceid")]
    steps, found = scale.people_steps, dict[str, list[float]](mixed=[], alone=[])
    crowds: dict[str, list[float]] = {str(people): [] for people in CROWDS}
    with denoiser(alone) as asking:
        ways = {"mixed": asking.of(tasks), "alone": asking.of([alone])}
        for _ in range(scale.people_turns):
            for name, ask in ways.items():
                found[name].append(closed(jobs(PEOPLE, steps), ask, AT_ONCE))
            for people in CROWDS:
                crowds[str(people)].append(people / closed(jobs(people, steps), ways["mixed"], people))
    raw = {
        "people": PEOPLE,
        "at_once": AT_ONCE,
        "steps": steps,
        "jobs_per_second": spreads(found),
        "seconds_by_people": {people: spread(seconds) for people, seconds in crowds.items()},
    }
    return Found({"people_throughput_ratio": ratio(found["mixed"], found["alone"])}, raw)
