"""The recipes of the systems, over engines that only note what they are asked."""

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from omokage import noise
from omokage.denoising import Known, Pose, Shapes, denoise
from omokage.errors import InvalidRequest
from omokage.guidance import notes, strengthened
from omokage.knobs import Knob, settled
from omokage.portrait import Order, checked, in_own_light
from omokage.presets import PRESETS
from omokage.samplers import SAMPLERS, SCHEDULES, Schedule, Step, Table
from omokage.samplers.table import row
from omokage.system import Arrays, Branch, Face, Words
from omokage.systems import SYSTEMS, crossfaceid

from training.people import expressions, wardrobe
from training.people.captions import turn_words

SHAPES = Shapes((8, 4, 4), 16, 4)
SCHEDULE = Schedule(SCHEDULES["cosine"](), "v")
RANDOM = np.random.default_rng(0)


def floats(*shape: int) -> Any:
    return RANDOM.normal(size=shape).astype(np.float32)


WANTED, UNWANTED = (Words(floats(1, 77, 6), np.ones((1, 77), np.float32), floats(1, 77, 10)) for _ in range(2))
FACE = Face(floats(1, 128), floats(1, 98, 256), floats(1, 468, 3), floats(1, 3, 192, 192))


class Engines:
    """Notes every call; contexts are random, a prediction is the sample."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Arrays]] = []

    def __call__(self, model: str, inputs: Arrays) -> Arrays:
        self.calls.append((model, inputs))
        if model.startswith("denoise_step"):
            return {"guided": inputs["sample"]}
        made = {"text_kv": floats(1, 77, 10), "id_kv": floats(1, 16, 10), "pose_kv": floats(1, 16, 4)}
        return made if model != "context_guided" else {f"guided_{name}": value for name, value in made.items()}

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


def branches(system: str, engines: Engines, **given: object) -> list[Branch]:
    found = SYSTEMS[system]
    knobs = settled(found.knobs, given)
    return strengthened(engines, found.branches(engines, WANTED, UNWANTED, FACE, knobs), UNWANTED, SHAPES.face_tokens, knobs)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("guidance", [1.0, 2.5, 7.5])
def test_the_weights_of_all_branches_sum_to_one(system: str, guidance: float) -> None:
    assert sum(branch.weight for branch in branches(system, Engines(), guidance=guidance)) == pytest.approx(1)


def test_face0_computes_two_branches_by_default_and_four_when_words_and_face_are_also_predicted_apart() -> None:
    assert len(branches("face0", Engines())) == 2
    assert len(branches("face0", Engines(), together=0.5)) == 4
    assert len(branches("face0", Engines(), together=0.5, face_share=0.0)) == 3
    weights = [branch.weight for branch in branches("face0", Engines(), guidance=4.0, together=0.5, face_share=0.25)]
    assert weights == pytest.approx([2, 0.5, 1.5, -3])


@pytest.mark.parametrize("system", ["face-makeup", "crossfaceid"])
def test_without_guidance_the_unwanted_branch_is_not_computed(system: str) -> None:
    found = branches(system, Engines(), guidance=1.0)
    assert [branch.weight for branch in found] == [1.0]
    assert found[0].id_kv is not None


def test_a_report_tells_where_guidance_is_less_than_was_asked_for() -> None:
    (note,) = notes({"guided": "apart", "guided_share": 0.5, "guidance": 7.5})
    assert note == "guidance is 7.5, and 5 in the steps that are not guided apart; for all of it, give guided_share=1"
    assert not notes({"guided": "apart", "guided_share": 1.0, "guidance": 7.5})
    assert not notes({"guided": "apart", "guided_share": 0.5, "guidance": 5.0})


@pytest.mark.parametrize("system", SYSTEMS)
def test_folded_guidance_is_one_prediction_with_keys_and_values_of_its_own(system: str) -> None:
    engines = Engines()
    (row_,) = branches(system, engines, guided="folded", guidance=2.5)
    assert engines.names()[-1] == "context_guided"
    assert engines.calls[-1][1]["guidance"].tolist() == [2.5]
    assert row_.weight == 1
    assert row_.id_kv is not None
    assert len(branches(system, Engines(), guided="folded", guidance=1.0)) == 1


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (Order(words="x", character=1, knobs={"guided": "folded"}, unwanted="a hat"), "unwanted words came with guided=folded"),
        (Order(words="x", character=1, knobs={"preset": "fast", "guidance": 6}), "guidance is 6 with guided=folded, which was taught up to 5"),
        (Order(words="x", character=1, knobs={"preset": "quick"}), "preset is 'quick'; it must be one of: fast, balanced, best"),
        (Order(words="x", character=1, knobs={"preset": 3}), "preset is 3; it must be one of"),
    ],
)
def test_what_a_preset_cannot_do_is_refused(order: Order, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        checked(SYSTEMS["crossfaceid"], order)


def test_an_invented_person_keeps_its_own_light_and_is_told_so() -> None:
    knobs = settled(SYSTEMS["crossfaceid"].knobs, {})
    invented, notes = in_own_light(Order(words="x", character=1), knobs)
    assert invented == {**knobs, "light_scale": 0}
    assert notes == ["an invented person keeps its own, even light: light_scale is 0"]
    assert in_own_light(Order(words="x", photo=b"x"), knobs) == (knobs, [])
    assert in_own_light(Order(words="x", character=1), {**knobs, "light_scale": 0}) == ({**knobs, "light_scale": 0}, [])


def test_a_preset_says_what_is_not_given() -> None:
    found = checked(SYSTEMS["face-makeup"], Order(words="x", character=1, knobs={"preset": "fast", "steps": 30}))
    assert (found["steps"], found["guided"]) == (30, "folded")
    assert checked(SYSTEMS["face-makeup"], Order(words="x", character=1)) == checked(
        SYSTEMS["face-makeup"], Order(words="x", character=1, knobs={"preset": "balanced"})
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_say_what_every_system_takes(preset: str) -> None:
    for system in SYSTEMS.values():
        settled(system.knobs, PRESETS[preset])


def test_knobs_reach_the_context_engines() -> None:
    engines = Engines()
    branches("face-makeup", engines, identity_scale=0.25, structure_scale=2)
    assert engines.calls[0][1]["identity_scale"].tolist() == [0.25]
    assert engines.calls[0][1]["structure_scale"].tolist() == [2.0]


def test_a_mix_goes_straight_from_one_person_to_the_other() -> None:
    other = Face(floats(1, 128), floats(1, 98, 256), floats(1, 468, 3), floats(1, 3, 192, 192))
    for share, wanted in ((0.0, FACE), (1.0, other)):
        np.testing.assert_allclose(FACE.towards(other, share).identity, wanted.identity, atol=1e-6)
        np.testing.assert_allclose(FACE.towards(other, share).appearance, wanted.appearance, atol=1e-6)
    np.testing.assert_allclose(FACE.towards(other, 0.25).identity, 0.75 * FACE.identity + 0.25 * other.identity, atol=1e-6)


def test_knobs_of_crossfaceid_become_words_and_free_ones_none() -> None:
    system = SYSTEMS["crossfaceid"]
    chosen = settled(system.knobs, {"expression": "closed eyes", "accessory": "fedora"})
    assert system.worded("an old man", chosen) == "an old man, with closed eyes, wearing a black fedora"
    assert system.worded("an old man", settled(system.knobs, {})) == "an old man"


def test_knobs_become_words_that_the_networks_were_trained_on() -> None:
    said = {words for one in expressions.EXPRESSIONS.values() for words in one.words}
    said |= {
        statement.words for yaw, pitch in ((0, 0), (-20, 0), (20, 0), (-40, 0), (40, 0), (0, 20), (0, -20)) for statement in turn_words(yaw, pitch, 0)
    }
    assert set(crossfaceid.SPOKEN["expression"].values()) | set(crossfaceid.SPOKEN["angle"].values()) <= said
    worn = {words.replace("a {colour}", "").strip() for words in (hat.words for hat in wardrobe.HATS.values())} | {"glasses", "sunglasses"}
    assert {words.split()[-1] for words in crossfaceid.SPOKEN["accessory"].values()} <= worn


def test_the_loop_asks_for_every_step_once_with_all_branches_as_rows() -> None:
    engines = Engines()
    rows = branches("crossfaceid", engines)
    seen: list[int] = []
    half = Step(0, (1.0, 0.0), (row(sample=0.5),))
    table = Table(tuple(replace(half, timestep=timestep) for timestep in (999, 749, 499, 249)))
    latent = denoise(engines, SHAPES, rows, table, seed=3, on_step=lambda number, of, _: seen.append(number))
    steps = [inputs for name, inputs in engines.calls if name == "denoise_step"]
    assert [int(one["timestep"][0]) for one in steps] == [999, 749, 499, 249]
    assert [int(one["next_timestep"][0]) for one in steps] == [749, 499, 249, -1]
    assert all(one["sample"].shape == (2, 8, 4, 4) for one in steps)
    assert not steps[0]["id_kv"][1].any()
    assert seen == [1, 2, 3, 4]
    np.testing.assert_array_equal(latent, noise.normal(3, (1, 8, 4, 4)) / 16)


def test_a_head_is_held_under_the_noise_of_the_seed_as_long_as_is_asked_and_only_where_it_is() -> None:
    engines = Engines()
    cover = np.zeros((1, 1, *SHAPES.latent[1:]), np.float32)
    cover[..., 0, 0] = 1
    head = Known(np.full((1, *SHAPES.latent), 3, np.float32), cover, np.full_like(cover, 0.6), SCHEDULE)
    rows = branches("crossfaceid", engines)
    denoise(engines, SHAPES, rows, SAMPLERS["ddim"](SCHEDULE, 2), seed=3, head=head)
    second = [inputs["sample"] for name, inputs in engines.calls if name.startswith("denoise_step")][1]
    first = noise.normal(3, (1, *SHAPES.latent))
    np.testing.assert_allclose(second[0, :, 0, 0], 3 * SCHEDULE.signal(499) + SCHEDULE.noise(499) * first[0, :, 0, 0], rtol=1e-5)
    assert denoise(engines, SHAPES, rows, SAMPLERS["ddim"](SCHEDULE, 2), seed=3, head=head)[0, 0, 0, 0] != pytest.approx(3), "let go before the end"
    free = Engines()
    denoise(free, SHAPES, rows, SAMPLERS["ddim"](SCHEDULE, 2), seed=3)
    without = [inputs["sample"] for name, inputs in free.calls if name.startswith("denoise_step")][1]
    np.testing.assert_array_equal(second[..., 1:], without[..., 1:])


def test_a_pose_goes_to_every_row_and_the_face_only_to_its_own() -> None:
    engines = Engines()
    denoise(
        engines,
        SHAPES,
        branches("crossfaceid", engines),
        SAMPLERS["ddim"](SCHEDULE, 1),
        seed=3,
        pose=Pose(np.ones((1, 3, 8, 8), np.float32), np.ones((1, 4, 1, 1), np.float32), 0.7),
    )
    name, inputs = engines.calls[-1]
    assert name == "denoise_step_pose"
    assert inputs["strength"].tolist() == pytest.approx([0.7, 0.7])
    assert inputs["condition"].shape == (2, 3, 8, 8)
    assert inputs["reference"].shape == (2, 4, 1, 1)
    assert inputs["pose_kv"][0].any()
    assert not inputs["pose_kv"][1].any()


@pytest.mark.parametrize("steps", [1, 7, 20, 50, 100])
@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "lcm"])
def test_timesteps_begin_at_the_noisiest_and_fall(sampler: str, steps: int) -> None:
    found = [step.timestep for step in SAMPLERS[sampler](SCHEDULE, steps).steps]
    assert len(found) == steps
    assert found[0] == 999
    assert all(a > b >= 0 for a, b in pairwise(found))


def test_new_noise_is_of_the_seed_and_the_step() -> None:
    table = SAMPLERS["euler-ancestral"](SCHEDULE, 3)
    first, again, other = (denoise(Engines(), SHAPES, [Branch(1.0, WANTED.text_kv)], table, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert [step.needs_noise for step in table.steps] == [True, True, False]


def test_noise_is_normal_and_the_same_in_another_process() -> None:
    found = noise.normal(7, (100_001,))
    assert abs(float(found.mean())) < 0.02
    assert float(found.std()) == pytest.approx(1, abs=0.01)
    assert float(noise.normal(8, (4,))[0]) != float(found[0])
    np.testing.assert_array_equal(noise.normal(7, (4,)), found[:4])
    code = "from omokage import noise; print(noise.normal(7, (3,)).tobytes().hex())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="client").stdout.strip()
    assert other == found[:3].tobytes().hex()


def test_noise_of_a_seed_never_changes() -> None:
    assert noise.normal(1, (3,)).tolist() == NOISE_OF_ONE


NOISE_OF_ONE = [0.49438774585723877, -0.692207396030426, 0.5715938210487366]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"stepps": 4}, "unknown knob 'stepps'; this system has: preset, steps, sampler, guidance"),
        ({"steps": 0}, "steps is 0; steps must be a whole number from 1 to 100"),
        ({"steps": 2.5}, "steps is 2.5; steps must be a whole number"),
        ({"steps": "many"}, "steps is 'many'"),
        ({"steps": True}, "steps is True"),
        ({"guidance": float("nan")}, "guidance is nan; guidance must be a number from 1 to 15"),
        ({"guidance": 15.1}, "guidance is 15.1"),
        ({"guidance": -1}, "guidance is -1"),
        ({"identity_scale": None}, "identity_scale is None"),
        ({"sampler": "magic"}, "sampler is 'magic'; it must be one of: ddim, euler, euler-ancestral, dpm-solver, unipc, lcm"),
        ({"sampler": 3}, "sampler is 3; it must be one of"),
    ],
)
def test_a_knob_out_of_its_range_is_refused_with_its_meaning(given: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        settled(SYSTEMS["crossfaceid"].knobs, given)
    assert says in str(refused.value)


def test_knobs_keep_their_kind() -> None:
    found = settled((Knob("steps", 20, 1, 100, "x"), Knob("guidance", 3.0, 1, 15, "y")), {"steps": 8.0, "guidance": 2})
    assert found == {"steps": 8, "guidance": 2.0}
    assert isinstance(found["steps"], int)
    assert isinstance(found["guidance"], float)
