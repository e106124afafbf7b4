"""The denoiser's loop: whoever comes and goes, everybody's bytes are those they would have alone; nobody is lost, and nobody answered twice."""

import random
from dataclasses import replace

import numpy as np
import pytest
from given import job_of
from omokage.denoising import asked, by_steps, looked
from omokage.errors import Busy, Cancelled, InvalidRequest, ServerFault, TooLate
from omokage.samplers import SAMPLERS
from omokage.system import Arrays
from omokage.transport.wire import laid_out

from tests.denoiser.fakes import SCHEDULE, SHAPES, STEP_SECONDS, Asker, Clock, controlnet, denoiser, infer, job, task, unet


@pytest.mark.parametrize("seed", range(20))
def test_latents_are_those_of_step_by_step_whoever_else_is_there(seed: int) -> None:
    draw = random.Random(seed)
    loop, _, _ = denoiser(waiting=100)
    samplers = list(SAMPLERS)
    tasks = [
        task(
            number,
            branches=draw.choice((1, 2, 2, 4)),
            steps=draw.randint(1, 6),
            sampler=draw.choice(samplers),
            pose=draw.random() < 0.5,
            guided_steps=draw.choice((None, 0, 1, 2, 3, 6)),
            pose_every=draw.choice((1, 1, 2, 3)),
        )
        for number in range(12)
    ]
    askers = [Asker(leaves_after=draw.randint(0, 3) if draw.random() < 0.3 else None) for _ in tasks]
    waiting = list(zip(tasks, askers, strict=True))
    while waiting or loop.step():
        while waiting and draw.random() < 0.5:
            one, asker = waiting.pop()
            loop.submit(job(one, asker, client=draw.choice("ab"), priority=draw.randint(0, 2)))
        loop.step()
    for one, asker in zip(tasks, askers, strict=True):
        assert asker.answers == 1
        if asker.latents:
            np.testing.assert_array_equal(asker.latents[0], by_steps(infer)(one, None))
            assert asker.steps == list(range(1, one.steps + 1))
        else:
            assert isinstance(asker.errors[0], Cancelled)
            assert len(asker.steps) == asker.leaves_after


def test_all_that_are_under_way_are_one_batch_and_the_controlnet_has_only_those_with_a_pose() -> None:
    loop, counts, _ = denoiser()
    askers = [Asker() for _ in range(3)]
    loop.submit(job(task(0, steps=3), askers[0]))
    loop.step()
    loop.submit(job(task(1, steps=2, branches=4, pose=True), askers[1]))
    loop.submit(job(task(2, steps=1, branches=1), askers[2]))
    while loop.step():
        pass
    assert counts.batches == [(2, 0), (7, 4), (6, 4)]
    assert [asker.answers for asker in askers] == [1, 1, 1]


def test_after_the_guided_steps_only_what_is_wanted_is_computed_and_others_may_join() -> None:
    loop, counts, _ = denoiser(rows=4)
    askers = [Asker() for _ in range(2)]
    loop.submit(job(task(0, steps=4, branches=3, guided_steps=2), askers[0]))
    loop.submit(job(task(1, steps=1, branches=2), askers[1]))
    while loop.step():
        pass
    assert counts.batches == [(3, 0), (3, 0), (4, 0), (2, 0)]
    assert [asker.answers for asker in askers] == [1, 1]


def test_the_controlnet_runs_in_every_so_manieth_step_and_where_the_head_is_let_go() -> None:
    loop, counts, _ = denoiser()
    one = task(0, steps=8, pose=True, pose_every=3)
    assert one.head is not None
    one = replace(one, head=replace(one.head, hold=np.full_like(one.head.hold, 0.4)))
    loop.submit(job(one, Asker()))
    while loop.step():
        pass
    assert [step.timestep for step in one.table.steps][4:6] == [499, 374]
    assert [posed for _, posed in counts.batches] == [2, 0, 0, 2, 2, 0, 2, 0], "at 499 it is not held any more"


def test_the_controlnet_looks_where_it_sees_the_texture_no_more_and_wherever_a_part_of_the_head_is_let_go() -> None:
    one = task(0, steps=10, pose=True)
    assert one.head is not None
    hold = np.full_like(one.head.hold, 0.98)
    hold[..., 0, 0] = 0.7
    table = replace(one, sampler="ddim").table
    assert [step.timestep for step in table.steps] == [999, 899, 799, 699, 599, 499, 399, 299, 199, 99]
    looks = looked(table, 4, replace(one.head, hold=hold, cover=np.ones_like(one.head.cover)))
    assert np.flatnonzero(looks).tolist() == [0, 4, 5, 7, 8], "below 500 there is no texture; a cell is let go at 300"
    assert np.flatnonzero(looked(table, 4, None)).tolist() == [0, 4, 5, 8]


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        ({"alone": None}, "alone is missing"),
        ({"alone": np.array([[0.0], [1.0]], np.float32)}, "must be there, and be the first"),
        ({"alone": np.zeros((2, 1), np.float32)}, "must be there"),
        ({"alone_id_kv": None}, "of alone_text_kv, alone_id_kv only alone_text_kv came"),
        ({"alone_id_kv": np.zeros((2, 3, 6), np.float32)}, "alone_id_kv has 2 rows; wanted are 1"),
        ({"alone_id_kv": np.full((1, 3, 6), np.inf, np.float32)}, "of finite numbers"),
        ({"pose_every": np.array([[0]])}, "pose_every is 0; it must be 1 or more"),
        ({"guided_steps": np.array([[-1]])}, "guided_steps is -1; it must be 0 or more"),
    ],
)
def test_what_cannot_be_left_out_so_is_refused(harm: Arrays, says: str) -> None:
    inputs = laid_out(asked(task(1, guided_steps=2))) | harm
    with pytest.raises(InvalidRequest, match=says):
        job_of(inputs.get, SCHEDULE, SHAPES.latent, {}, Asker())


def test_contexts_are_written_once_and_not_at_every_step() -> None:
    seen: list[int] = []

    def look(arrays: Arrays) -> Arrays:
        seen.append(arrays["text_kv"].__array_interface__["data"][0])
        return unet(arrays)

    loop, _, _ = denoiser(unet=look)
    seen.clear()
    for seed in range(3):
        loop.submit(job(task(seed, steps=seed + 2), Asker()))
    while loop.step():
        pass
    assert len(seen) == 4
    assert len(set(seen)) == 1


@pytest.mark.parametrize("index", range(6))
def test_a_cancel_at_any_step_frees_the_rows_before_the_next_one(index: int) -> None:
    loop, counts, _ = denoiser()
    leaving, staying = Asker(), Asker()
    loop.submit(job(task(0, steps=8), staying))
    loop.submit(job(task(1, steps=6), leaving, name="x"))
    for _ in range(index):
        loop.step()
    loop.cancel("x")
    loop.step()
    assert len(leaving.steps) == index
    assert isinstance(leaving.errors[0], Cancelled)
    assert counts.batches[-1] == (2, 0)
    while loop.step():
        pass
    np.testing.assert_array_equal(staying.latents[0], by_steps(infer)(task(0, steps=8), None))
    assert counts.told == ["cancelled"]
    loop.cancel("x")  # it is over: nothing happens


def test_a_line_that_is_full_says_so_at_once_with_when_to_try_again() -> None:
    loop, counts, _ = denoiser(rows=2, waiting=2)
    for seed in range(3):
        loop.submit(job(task(seed), Asker()))
        loop.step()
    with pytest.raises(Busy, match=r"2 requests are waiting already; try again in about 0\.1 s") as told:
        loop.submit(job(task(9), Asker()))
    assert told.value.retry_after == 0.1
    assert counts.told == ["full"]


def test_a_deadline_that_cannot_be_met_is_refused_with_the_time_it_would_take() -> None:
    loop, counts, clock = denoiser(rows=4)
    asker = Asker()
    loop.submit(job(task(0, steps=10), asker, deadline=clock.now + 10 * 2 * STEP_SECONDS + 0.03))
    loop.step()
    loop.submit(job(task(1, steps=10), Asker()))
    with pytest.raises(TooLate, match=r"the deadline is 0\.30 s away and about 0\.80 s are needed"):
        loop.submit(job(task(2, steps=10), Asker(), deadline=clock.now + 0.3))
    assert counts.told == ["late"]
    assert counts.load == (2, 0)


def test_who_cannot_be_done_in_time_any_more_is_told_before_the_deadline() -> None:
    loop, counts, clock = denoiser()
    asker, deadline = Asker(), clock.now + 0.5
    loop.submit(job(task(0, steps=10), asker, deadline=deadline))
    for _ in range(3):
        loop.step()
    clock.now = deadline - 5 * 2 * STEP_SECONDS  # for seven steps
    assert not loop.step()
    assert clock.now < deadline
    assert isinstance(asker.errors[0], TooLate)
    assert counts.told == ["missed"]


def test_a_deadline_that_passes_ends_the_work_within_a_step() -> None:
    loop, counts, clock = denoiser()
    asker = Asker()
    loop.submit(job(task(0, steps=10), asker, deadline=clock.now + 0.5))
    for _ in range(3):
        loop.step()
    clock.now += 1
    assert not loop.step()
    assert asker.steps == [1, 2, 3]
    assert "the deadline cannot be met any more, after 3 of 10 steps" in str(asker.errors[0])
    assert counts.told == ["missed"]


def test_who_waits_may_give_up_or_be_too_late_without_ever_having_begun() -> None:
    loop, counts, clock = denoiser(rows=2)
    running, gone, late = Asker(), Asker(leaves_after=0), Asker()
    loop.submit(job(task(0, steps=50), running))
    loop.step()
    loop.submit(job(task(1), gone))
    loop.submit(job(task(2), late, deadline=clock.now + 20))
    loop.step()
    assert isinstance(gone.errors[0], Cancelled)
    clock.now += 20
    loop.step()
    assert isinstance(late.errors[0], TooLate)
    assert counts.told == ["cancelled", "missed"]
    assert not running.errors


def test_a_network_that_fails_fails_its_batch_and_not_the_next() -> None:
    broken = [False]

    def sometimes(arrays: Arrays) -> Arrays:
        if broken[0]:
            raise RuntimeError("/secret/path")
        return unet(arrays)

    loop, _, _ = denoiser(unet=sometimes)
    first, second = Asker(), Asker()
    loop.submit(job(task(0), first))
    broken[0] = True
    loop.step()
    assert isinstance(first.errors[0], ServerFault)
    assert "secret" not in str(first.errors[0])
    broken[0] = False
    loop.submit(job(task(1, pose=True), second))
    while loop.step():
        pass
    np.testing.assert_array_equal(second.latents[0], by_steps(infer)(task(1, pose=True), None))


def test_names_are_unique_while_they_are_under_way_and_too_many_branches_are_refused() -> None:
    loop, _, _ = denoiser()
    loop.submit(job(task(0), Asker(), name="x"))
    with pytest.raises(InvalidRequest, match="there is a job of that name already"):
        loop.submit(job(task(1), Asker(), name="x"))
    while loop.step():
        pass
    loop.submit(job(task(1), Asker(), name="x"))
    with pytest.raises(InvalidRequest, match="9 branches came; a batch has 8 rows"):
        loop.submit(job(task(2, branches=9), Asker()))


def test_rows_are_as_many_as_a_step_s_time_allows() -> None:
    def slow(arrays: Arrays) -> Arrays:
        clock.now += 0.3 * len(arrays["sample"])
        return unet(arrays)

    clock = Clock()
    loop, counts, _ = denoiser(clock, unet=slow, rows=16)
    for seed in range(3):
        loop.submit(job(task(seed, branches=1), Asker()))
    loop.submit(job(task(3, branches=4), Asker()))
    while loop.step():
        pass
    assert max(rows for rows, _ in counts.batches) == 4
    assert counts.batches[0] == (3, 0)  # a fourth row would take more than a second


def test_it_runs_in_a_thread_and_sleeps_when_there_is_nothing_to_do() -> None:
    import threading

    loop, _, _ = denoiser()
    over, asker = threading.Event(), Asker()
    thread = threading.Thread(target=loop.run, args=(over.is_set,))
    thread.start()
    loop.submit(job(task(0, pose=True), asker))
    over.wait(0.2)
    over.set()
    thread.join(10)
    assert not thread.is_alive()
    assert len(asker.latents) == 1


def test_the_fake_networks_are_of_the_kind_that_is_meant() -> None:
    rows: Arrays = {
        "sample": np.ones((2, 1)),
        "condition": np.ones((2, 1)),
        "reference": np.ones((2, 1)),
        "pose_kv": np.ones((2, 1)),
        "strength": np.array([1, 0]),
    }
    assert controlnet(rows)["control_0"].any(1).tolist() == [True, False]
