"""Who is next: fair between clients, urgent ones first, and nobody for ever last."""

import numpy as np
import pytest
from jobs import Job
from line import HEAD_START, Line
from pace import Limits, Load, Pace, seconds_until_done
from slots import Slots

from tests.denoiser.fakes import Asker, job, task


def one(client: str = "", priority: int = 0, *, steps: int = 5) -> Job:
    return job(task(0, steps=steps), Asker(), client=client, priority=priority)


def served(line: Line, count: int) -> list[Job]:
    found = []
    for _ in range(count):
        found.append(line.jobs()[0])
        line.take(found[-1])
    return found


def test_alike_they_go_in_the_order_in_which_they_came() -> None:
    line = Line()
    jobs = [one() for _ in range(4)]
    for each in jobs:
        line.join(each)
    assert served(line, 4) == jobs
    assert len(line) == 0


def test_a_client_with_one_job_does_not_wait_for_another_s_fifty() -> None:
    line = Line()
    for _ in range(50):
        line.join(one("many"))
    served(line, 10)
    few = [one("few") for _ in range(3)]
    for each in few:
        line.join(each)
    assert [job.client for job in served(line, 6)].count("few") == 3


def test_shares_are_of_work_and_not_of_jobs() -> None:
    line = Line()
    for _ in range(40):
        line.join(one("long", steps=20))
        line.join(one("short", steps=5))
    first = [job.client for job in served(line, 25)]
    assert first.count("short") == 4 * first.count("long")


def test_what_is_urgent_goes_first_and_yet_passes_whoever_waits_only_so_often() -> None:
    line = Line()
    patient = one("patient")
    line.join(patient)
    passed = 0
    while True:
        line.join(one(f"urgent {passed}", 1))
        first = line.jobs()[0]
        if first is patient:
            break
        line.take(first)
        passed += 1
    work = 2 * 5  # rows of steps of each
    assert 2 <= passed <= 2 * HEAD_START / work + 2  # two clients share the clock


def test_the_pace_is_learned_and_what_will_take_how_long_follows() -> None:
    pace = Pace()
    for _ in range(20):
        for rows, posed in ((1, 0), (2, 2), (4, 0), (8, 4)):
            pace.measured(rows, posed, 0.02 + 0.05 * rows + 0.03 * posed)
    np.testing.assert_allclose(pace.seconds(6, 3), 0.02 + 0.05 * 6 + 0.03 * 3, rtol=1e-3)
    limits = Limits(rows=4, step_seconds=10.0)
    noisy = Pace()
    for k in range(300):
        noisy.measured(1 + k % 8, 0, 0.05 * (1 + k % 8) - 0.02)
    assert all(noisy.seconds(rows, 0) == pytest.approx(0.05 * rows - 0.02, rel=0.25) for rows in (4, 8)), "what does not fit is spread, not added"
    step = pace.seconds(2, 0), pace.seconds(4, 0)
    alone = seconds_until_done(pace, limits, [], [Load(2, 0, 10)])
    np.testing.assert_allclose(alone, 10 * step[0])
    beside = seconds_until_done(pace, limits, [Load(2, 0, 4)], [Load(2, 0, 10)])
    np.testing.assert_allclose(beside, 4 * step[1] + 6 * step[0])
    behind = seconds_until_done(pace, limits, [Load(2, 0, 4), Load(2, 0, 6)], [Load(2, 0, 5), Load(2, 0, 1)])
    np.testing.assert_allclose(behind, 4 * step[1] + 2 * step[1] + 1 * step[1])
    crowded = seconds_until_done(pace, limits, [Load(2, 0, 4)], [Load(2, 0, 5), Load(2, 0, 10)])
    np.testing.assert_allclose(crowded, 4 * step[1] + 10 * step[1])  # the line does not end with the last one: who comes later fills its batch


def test_on_a_slow_machine_two_pictures_still_go_side_by_side() -> None:
    pace = Pace()
    for rows in (1, 2, 4, 8):
        pace.measured(rows, 0, 0.5 * rows)
    limits = Limits()
    assert limits.fits(pace, [Load(2, 0, 100)], Load(2, 0, 1))
    assert not limits.fits(pace, [Load(2, 0, 100)], Load(3, 0, 1))


def test_rows_keep_their_values_and_their_order_whoever_leaves() -> None:
    random = np.random.default_rng(0)
    slots = Slots({"a": (3,), "b": ()}, 16)
    kept: dict[str, dict[str, np.ndarray]] = {}  # type: ignore[type-arg]
    for number in range(200):
        if len(slots) > 11 or (kept and random.random() < 0.5):
            name = sorted(kept)[random.integers(len(kept))]
            slots.free(name)
            del kept[name]
        else:
            count = int(random.integers(1, 5))
            kept[str(number)] = {"a": random.random((count, 3), np.float32), "b": random.random(1, np.float32)}
            slots.write(str(number), kept[str(number)])
        assert len(slots) == sum(len(values["a"]) for values in kept.values())
        for name, values in kept.items():
            np.testing.assert_array_equal(slots.front()["a"][slots.places(name)], values["a"])
            assert (slots.front()["b"][slots.places(name)] == values["b"]).all()
