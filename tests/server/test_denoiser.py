"""The denoiser in the real server: the same bytes in any company, and work that nobody waits for any more is let go of."""

import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import omokage
import pytest
import tritonclient.grpc as triton_grpc
from omokage.denoising import Known, Pose, Shapes, Task, asked, by_steps
from omokage.portrait import Order, inputs_of
from omokage.samplers import SAMPLERS, SCHEDULES, Schedule
from omokage.system import Branch
from omokage.systems import BY_ONE_PHOTO
from omokage.texts import text
from omokage.transport.over_grpc import GrpcTransport

from server_config.arguments import Ports
from server_config.supervisor import Server
from tests.server.conftest import SAMPLE
from tests.server.meters import metrics, page, rows

pytestmark = pytest.mark.server
KINDS, REQUESTS, AT_ONCE = 16, 200, 6
LONGEST = 60.0  # seconds until something that must happen has happened, on a busy machine


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + LONGEST
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def drawn(draw: random.Random, passport: omokage.Passport) -> dict[str, Any]:
    """Anything that may be asked for, with few steps."""
    system = draw.choice(list(BY_ONE_PHOTO))
    knobs: dict[str, Any] = {"steps": draw.choice((1, 1, 2, 3)), "sampler": draw.choice(list(SAMPLERS)), "guidance": draw.choice((1.0, 3.0, 7.5))}
    if system == "face0" and draw.random() < 0.3:
        knobs["together"] = 0.5
    posed = draw.random() < 0.3
    knobs |= draw.choice(({}, {"hold": 0.0}, {"hold": 1.0}, {"pose_scale": 0.0}, {"detail": 0.5}))
    knobs |= draw.choice(({}, {"guided": "folded", "guidance": 3.0}, {"guided_share": 1.0}, {"pose_every": 1}, {"preset": "fast", "guidance": 3.0}))
    return {
        "words": draw.choice(("a smiling person", "in the snow at night")),
        "person": passport,
        "system": system,
        "seed": draw.randrange(100),
        "knobs": knobs,
        "pictures": {"pose": SAMPLE} if posed else None,
    }


def test_a_portrait_is_the_same_file_alone_and_in_any_company(
    whole_server: Server, omokage_client: omokage.Client, passport: omokage.Passport
) -> None:
    """By every system and sampler, in few steps or many, guided or not, posed or not, while others give up."""
    draw = random.Random(5)
    kinds = [drawn(draw, passport) for _ in range(KINDS)]
    began = metrics(whole_server)
    alone = [omokage_client.portrait(**kind).png for kind in kinds]
    assert len(set(alone)) == KINDS
    before = metrics(whole_server)

    def ask(number: int) -> bool | None:
        """Whether a request of some kind gives the file of that kind; None where it was given up on the way."""
        mine = random.Random(number)
        kind = mine.randrange(KINDS)
        asked = kinds[kind] | {"priority": mine.randrange(3)}
        with omokage.Client(whole_server.url, timeout=10 * LONGEST) as client:
            if mine.random() < 0.5:
                return client.portrait(**asked).png == alone[kind]
            leaves = mine.random() < 0.4
            for found in client.stream(**asked):
                if isinstance(found, omokage.Portrait):
                    return found.png == alone[kind]
                if leaves:
                    return None
        raise AssertionError("a stream ended without a portrait")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        right = list(pool.map(ask, range(REQUESTS)))
    assert False not in right
    assert right.count(None) > REQUESTS // 20
    assert rows(before, metrics(whole_server)) > 1.1 * rows(began, before)  # they were together in batches
    wait_for(lambda: metrics(whole_server)["running_rows"] == 0)


LONG = {"steps": 100}


def left(server: Server, leave: Callable[[], None]) -> None:
    """A portrait is under way, then its client leaves: the rows are free long before its steps would have been done."""
    wait_for(lambda: metrics(server)["running_rows"] > 0)
    steps = metrics(server)["steps"]
    leave()
    wait_for(lambda: metrics(server)["running_rows"] == 0)
    assert metrics(server)["steps"] - steps < 60


def test_a_stream_that_is_closed_stops_the_work(whole_server: Server, omokage_client: omokage.Client, passport: omokage.Passport) -> None:
    before = metrics(whole_server)["cancels"]
    stream = omokage_client.stream("a person", person=passport, seed=1, knobs=LONG)
    next(stream)
    left(whole_server, stream.close)  # type: ignore[attr-defined]
    assert metrics(whole_server)["cancels"] == before + 1


def given(order: Order) -> list[triton_grpc.InferInput]:
    """An order as any client sends it to the model of one answer."""
    found = []
    for name, value in inputs_of(order).items():
        found.append(triton_grpc.InferInput(name, list(value.shape), "INT64" if value.dtype == np.int64 else "BYTES"))
        found[-1].set_data_from_numpy(value)
    return found


def test_one_call_without_our_client_gives_the_same_file(whole_server: Server, omokage_client: omokage.Client, passport: omokage.Passport) -> None:
    order = Order(words="a person", passport=passport, seed=1, knobs={"steps": 2})
    with triton_grpc.InferenceServerClient(whole_server.url) as client:
        found = client.infer("portrait", given(order), client_timeout=LONGEST).as_numpy("image")[0, 0]
    assert found == omokage_client.portrait("a person", person=passport, seed=1, knobs={"steps": 2}).png


def test_one_call_whose_time_is_over_stops_the_work(whole_server: Server, passport: omokage.Passport) -> None:
    order = Order(words="a person", passport=passport, seed=1, knobs=LONG)
    with triton_grpc.InferenceServerClient(whole_server.url) as client:
        call = client.async_infer("portrait", given(order), callback=lambda result, error: None)
        left(whole_server, call.cancel)


@pytest.mark.parametrize("call", ["portrait", "stream"])
def test_a_client_that_is_killed_stops_the_work(whole_server: Server, passport: omokage.Passport, tmp_path: Path, call: str) -> None:
    passport.save(tmp_path / "ada.passport")
    code = f"""
import omokage
client = omokage.Client("{whole_server.url}")
found = client.{call}("a person", person=omokage.Passport.load("ada.passport"), seed=1, knobs={LONG!r})
list(found)
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path) as process:
        left(whole_server, process.kill)


def test_a_deadline_is_refused_where_it_cannot_be_met_and_kept_where_it_can(
    whole_server: Server, omokage_client: omokage.Client, passport: omokage.Passport
) -> None:
    before = metrics(whole_server)
    asked: dict[str, Any] = {"person": passport, "seed": 1}
    with pytest.raises(omokage.TooLate, match=r"about [0-9.]+ s are needed|no time left|the deadline of 1\.50 s passed"):
        omokage_client.portrait("a person", knobs={"steps": 100}, deadline=1.5, **asked)
    after = metrics(whole_server)
    assert after["steps"] == before["steps"]
    within = omokage_client.portrait("a person", knobs={"steps": 1}, deadline=LONGEST, priority=9, **asked)
    assert within.png == omokage_client.portrait("a person", knobs={"steps": 1}, **asked).png


def small(steps: int) -> Task:
    """A picture of one row from contexts that are nobody's."""
    random = np.random.default_rng(steps)
    kv = (random.normal(size=(1, 77, 2816)) / 4).astype(np.float32)
    return Task(Shapes((8, 32, 32), 16, 1280), [Branch(1.0, kv)], Schedule(SCHEDULES["cosine"](), "v"), "ddim", steps, 3)


def test_who_asks_the_denoiser_itself_gets_steps_and_latents(whole_server: Server) -> None:
    over = GrpcTransport(whole_server.url, LONGEST)
    answers = list(over.stream("denoiser", asked(small(3)) | {"every": np.array([[2]], np.int64)}))
    assert [int(found["step"][0, 0]) for found in answers[:-1]] == [2, 3]
    np.testing.assert_array_equal(answers[-1]["latent"], by_steps(over.infer)(small(3), None))
    over.close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"weight": None}, "weight is missing; a job needs weight, text_kv, id_kv, sampler, steps, seed"),
        ({"sampler": text("magic")}, "sampler is 'magic'; it must be one of: ddim"),
        ({"steps": np.array([[101]])}, "steps is 101; the sampler ddim takes 1 to 100"),
        ({"steps": np.array([[51]]), "sampler": text("lcm")}, "steps is 51; the sampler lcm takes 1 to 50"),
        ({"seed": np.array([[-1]])}, "seed is -1"),
        ({"weight": np.ones((2, 1), np.float32)}, "text_kv has 1 rows, wanted 2"),
        ({"weight": np.full((1, 1), np.nan, np.float32)}, "weight has numbers that are not finite"),
        ({"strength": np.ones((1, 1), np.float32)}, "of condition, pose_kv, strength, reference only strength came"),
        ({"priority": np.array([[11]])}, "priority is 11"),
        ({"deadline": np.array([[0]])}, "deadline is 0.0 s"),
    ],
)
def test_a_bad_job_is_refused_before_it_begins(whole_server: Server, change: dict[str, Any], says: str) -> None:
    inputs = {name: value for name, value in (asked(small(1)) | change).items() if value is not None}
    over = GrpcTransport(whole_server.url, LONGEST)
    with pytest.raises(omokage.InvalidRequest) as refused:
        list(over.stream("denoiser", inputs))
    assert says in str(refused.value)
    over.close()


def test_a_flood_is_told_to_come_back_and_loses_nobody(whole_server: Server) -> None:
    """More jobs than run and wait: each is answered, with latents or with when to try again."""
    wanted = by_steps(GrpcTransport(whole_server.url, LONGEST).infer)(small(2), None)
    said: list[str] = []

    def ask(_: int) -> None:
        over = GrpcTransport(whole_server.url, 10 * LONGEST)
        try:
            last = list(over.stream("denoiser", asked(small(2))))[-1]
            said.append("right" if np.array_equal(last["latent"], wanted) else "wrong")
        except omokage.Busy as error:
            said.append("busy" if error.retry_after > 0 else "busy for ever")
        finally:
            over.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(72)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 72
    assert set(said) == {"right", "busy"}
    assert said.count("right") >= 16, "a batch holds as many"


def test_the_metrics_tell_what_was_done_and_nobody_s_name(whole_server: Server, omokage_client: omokage.Client, passport: omokage.Passport) -> None:
    omokage_client.portrait("a person", person=passport, seed=1, knobs={"steps": 2})
    found = metrics(whole_server)
    for name in ("steps", "rows_count", "queue_seconds_count", 'refusals{reason="full"}', 'refusals{reason="late"}', "cancels", "deadline_misses"):
        assert name in found
    told = page(whole_server)
    assert 'omokage_likeness_count{model="portrait",' in told
    assert omokage_client._name not in told


def test_engine_models_of_triton_run_it_as_well(whole_server: Server, whole_repository: Path, tmp_path: Path) -> None:
    """As on a GPU, where the denoiser has no engines of its own."""
    repository = tmp_path / "repository"
    for model in ("denoiser", "unet", "controlnet_pose"):
        shutil.copytree(whole_repository / model, repository / model, copy_function=os.link)
    for model in ("denoiser", "unet", "controlnet_pose"):
        config = repository / model / "configs" / "cpu.pbtxt"
        said = config.read_text()
        config.unlink()
        changed = [line for line in said.replace('"here"', '"triton"').splitlines() if '"run_by"' not in line]
        assert changed != said.splitlines()
        config.write_text("\n".join(changed))
    over, task = GrpcTransport(whole_server.url, LONGEST), small(2)
    latent = np.full((1, *task.shapes.latent), 0.3, np.float32)
    pose, cover = Pose(np.full((1, 3, 256, 256), 0.5, np.float32), latent, 0.7), np.full((1, 1, *task.shapes.latent[1:]), 0.5, np.float32)
    posed = replace(task, pose=pose, head=Known(latent, cover, np.full_like(cover, 0.4), task.schedule))
    wanted = [by_steps(over.infer)(one, None) for one in (task, posed)]
    over.close()
    with Server(repository, Ports.free(), models=("denoiser", "unet", "controlnet_pose")) as server:
        there = GrpcTransport(server.url, LONGEST)
        for one, latent in zip((task, posed), wanted, strict=True):
            np.testing.assert_array_equal(list(there.stream("denoiser", asked(one)))[-1]["latent"], latent)
        there.close()
