"""A bench's numbers follow from its times, its page says what was and was not measured, and its load is what it says."""

import importlib
import re
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omokage.errors import Busy, InvalidRequest, ServerUnreachable, TooLate
from omokage.knobs import Choice, Knob

from measure.bench import mixed, results, tables
from measure.bench.__main__ import MODULES
from measure.bench.aims import AIMS, Aim
from measure.bench.arrivals import Arrival, End, Kind, Outcome, goodput, mean_steps, poisson, summary, throughput, unanswered
from measure.bench.load import closed, ended, offered
from measure.bench.page import page
from measure.bench.presets import named
from measure.bench.profile import by_kind, floor
from measure.bench.prose import SECTIONS
from measure.bench.results import Found, merged
from measure.bench.spread import against_fastest, grown, ratio, spread

REPOSITORY = Path(__file__).parents[2]
MACHINE: dict[str, Any] = {"processor": "one", "cores": 2, "load_before": 0.1}


def outcome(second: float, took: float, end: End = "result", steps: int = 4) -> Outcome:
    return Outcome(Arrival(0, second, steps), second + took, end)


def test_the_same_seed_gives_the_same_arrivals_at_the_rate_and_of_the_kinds_asked_for() -> None:
    kinds = (Kind(4, 0.75), Kind(50, 0.25))
    found = poisson(2.0, 2000.0, kinds, seed=1)
    assert found == poisson(2.0, 2000.0, kinds, seed=1)
    assert found != poisson(2.0, 2000.0, kinds, seed=2)
    assert len(found) == pytest.approx(4000, rel=0.05)
    assert [one.number for one in found] == list(range(len(found)))
    assert Counter(one.steps for one in found)[4] == pytest.approx(3000, rel=0.05)
    assert mean_steps(kinds) == 15.5


def test_arrivals_do_not_wait_for_each_other_the_gaps_are_without_memory() -> None:
    seconds = [one.second for one in poisson(1.0, 5000.0, (Kind(1, 1.0),), seed=3)]
    gaps = np.diff(seconds)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.1)


def test_capacity_is_told_by_jobs_of_the_same_shares() -> None:
    found = Counter(one.steps for one in mixed.sequence(20))
    assert found == {kind.steps: 20 * kind.share for kind in mixed.KINDS}
    assert sum(kind.share for kind in mixed.KINDS) == pytest.approx(1)


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_are_asked_for_at_once_than_is_said_and_the_others_keep_their_order(at_once: int) -> None:
    lock, under_way, most, order = threading.Lock(), [0], [0], []
    full = threading.Barrier(at_once)

    def ask(arrival: Arrival) -> None:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
            order.append(arrival.number)
        full.wait(timeout=30)
        with lock:
            under_way[0] -= 1

    outcomes = offered([Arrival(number, 0.0, 1) for number in range(6)], ask, at_once)
    assert most[0] == at_once
    assert at_once > 1 or order == list(range(6))
    assert [one.arrival.number for one in outcomes] == list(range(6))


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (Busy("32 requests are waiting already; try again in about 2.0 s"), "full"),
        (TooLate("the deadline is 1.00 s away and about 3.00 s are needed"), "refused"),
        (TooLate("the deadline cannot be met any more, after 3 of 20 steps"), "late"),
        (ServerUnreachable("no server answers"), "failed"),
        (InvalidRequest("steps is 0"), "failed"),
    ],
)
def test_a_status_is_told_from_a_failure(error: Exception, end: str) -> None:
    def ask(_: Arrival) -> None:
        raise error

    assert ended(ask, Arrival(0, 0.0, 1)) == end
    with pytest.raises(AssertionError, match="1 of 1 jobs without a result"):
        closed([Arrival(0, 0.0, 1)], ask, 1)


def test_who_is_answered_too_late_or_not_at_all_counts_as_unanswered() -> None:
    found = [outcome(0, 4), outcome(0, 5.9), outcome(0, 6.1, "late"), outcome(1, 0.1, "refused"), outcome(2, 0.1, "failed")]
    assert unanswered(found, deadline=5.0, grace=1.0) == 2


def test_goodput_is_what_is_done_in_time_while_others_come() -> None:
    found = [outcome(0, 4), outcome(8, 4), outcome(9, 4), outcome(6, 6), outcome(7, 5, "late"), outcome(18, 4)]
    assert goodput(found, deadline=5.0, since=5.0, until=20.0) == pytest.approx(2 / 15)


def test_throughput_is_of_results_from_the_first_arrival_to_the_last_result() -> None:
    assert throughput([outcome(1, 2), outcome(2, 3), outcome(4, 7, "late")]) == 2 / 4
    assert summary([outcome(0, 1), outcome(0, 3), outcome(0, 9, steps=50), outcome(0, 9, "late")], 4)["mean"] == 2
    assert summary([outcome(0, 9, "late")]) == {"jobs": 0}


def test_short_jobs_are_compared_with_short_ones() -> None:
    by_step = [outcome(0, 1), outcome(0, 1), outcome(0, 20, steps=50)]
    by_request = [outcome(0, 4), outcome(0, 4), outcome(0, 10, steps=50)]
    found = mixed.ratios(by_step, by_request)
    assert found == {"short_job_p95_ratio": 0.25, "short_job_mean_ratio": 0.25, "mixed_throughput_ratio": 0.5}


def test_what_too_few_jobs_came_for_is_not_measured() -> None:
    """On a machine that is slow, or busy, no short job may come in the seconds of a quick bench, or none at all."""
    long = [outcome(0, 10, steps=50)]
    assert mixed.ratios(long, long) == {"short_job_p95_ratio": None, "short_job_mean_ratio": None, "mixed_throughput_ratio": 1.0}
    assert set(mixed.ratios([], []).values()) == {None}


def test_jobs_that_came_and_have_no_result_are_no_missing_measure() -> None:
    late = [outcome(0, 10, "late"), outcome(0, 10, steps=50)]
    with pytest.raises(AssertionError, match="1 jobs came, and none had a result"):
        mixed.ratios(late, late)


def test_only_ways_that_count_can_be_the_fastest() -> None:
    seconds = {"ours": [2.0, 2.0, 9.0], "theirs": [3.0, 3.0, 3.0], "another": [1.0, 1.0, 1.0]}
    assert against_fastest(seconds, "ours", ["ours", "theirs"]) == (1.5, "theirs")
    assert against_fastest(seconds, "ours", ["ours", "theirs", "another"]) == (0.5, "another")
    assert ratio(seconds["theirs"], seconds["ours"]) == 1.5
    assert spread([1.0, 2.0, 3.0, 4.0, 5.0])["quartiles"] == [2.0, 4.0]


def test_growth_is_that_of_the_last_half() -> None:
    assert grown([1.0, 5.0, 2.0, 2.0, 2.0, 2.0]) == pytest.approx(0)
    assert grown([*[1.0] * 101, *np.linspace(1.0, 1.1, 101)]) == pytest.approx(0.1)


def test_a_row_that_is_measured_anew_leaves_the_others_and_none_of_its_own_old_numbers() -> None:
    first = merged({}, "unet", Found({"a": 1.0, "b": 2.0}, {"x": 1}), MACHINE)
    both = merged(first, "mixed", Found({"c": 3.0}, {"y": 1}), MACHINE)
    again = merged(both, "unet", Found({"a": None}, {"x": 2}, ("why",)), MACHINE)
    assert {name: value for name, value in again.items() if name != results.ROWS} == {"c": 3.0, "a": None}
    assert again[results.ROWS]["mixed"] == both[results.ROWS]["mixed"]
    assert (again[results.ROWS]["unet"]["x"], again[results.ROWS]["unet"]["notes"]) == (2, ["why"])


def test_a_file_of_another_form_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "out" / "bench.json"
    assert results.read(path) == {}
    results.write(path, {"overhead": 1.0})
    assert results.read(path) == {}
    found = merged({}, "unet", Found({"a": 1.0}, {}), MACHINE)
    results.write(path, found)
    assert results.read(path) == found


def test_every_row_can_be_measured_and_has_its_place_on_the_page() -> None:
    assert set(MODULES) == set(SECTIONS)
    for row in MODULES:
        assert callable(importlib.import_module(f"measure.bench.{row}").measured)
        assert callable(getattr(tables, row))


def test_the_page_says_what_was_not_measured_and_what_is_not_met() -> None:
    empty = page({})
    assert empty.count("Not measured.") == len(SECTIONS)
    assert all(f"`{aim.name}` | not measured |" in empty for aim in AIMS)
    raw = {"requests": 10, "resident_gib": [0.5] * 8}
    found = merged({}, "growth", Found({"memory_growth": 0.02}, raw, ("A machine that swaps",)), MACHINE | {"load_before": 2.5})
    written = page(found)
    assert "`memory_growth` | 0.0200 | at most 0.01 | **not met** |" in written
    assert "A machine that swaps." in written
    assert "Load above 1 before it began: growth (2.5)" in written
    assert "| resident, GiB | 0.5000 |" in written


def test_an_aim_is_met_at_its_bound() -> None:
    least, most = Aim("a", "", least=1.0), Aim("b", "", most=0.0)
    assert (least.met(1.0), least.met(0.99), most.met(0.0), most.met(1.0)) == (True, False, True, False)


def test_time_is_summed_by_kind_of_operator_and_of_one_call() -> None:
    def event(name: str, kind: str, dur: int, cat: str = "Node") -> dict[str, Any]:
        return {"cat": cat, "name": name, "dur": dur, "args": {"op_name": kind}}

    events = [event("a_kernel_time", "Conv", 3000), event("b_kernel_time", "MatMul", 9000), event("c_kernel_time", "Conv", 1000)]
    events += [event("a_fence_before", "Conv", 50000), event("run", "", 70000, "Session")]
    assert list(by_kind(events, calls=2).items()) == [("MatMul", 4.5), ("Conv", 2.0)]
    assert floor(3_000_000_000, rate=1e11) == pytest.approx(30)


def test_a_preset_is_asked_for_only_where_there_is_one() -> None:
    knob = Choice("preset", "balanced", ("fast", "balanced"), "how long it may take")
    assert named([knob], "fast") == {"preset": "fast"}
    assert named([knob], "best") is None
    assert named([Knob("steps", 20, 1, 100, "steps")], "fast") is None


def test_rows_are_run_as_the_denoiser_runs_them() -> None:
    from measure.bench.runtimes import ROWS_AT_ONCE

    said = (REPOSITORY / "model_repository" / "denoiser" / "1" / "runners.py").read_text()
    assert re.findall(r"^ROWS_AT_ONCE = (\d+)", said, re.MULTILINE) == [str(ROWS_AT_ONCE)]
