"""The whole road: a photo and words in, a portrait out, the same however it is asked for."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import omokage
import pytest
from omokage import edge
from omokage.installed import digests
from omokage.samplers import SAMPLERS
from omokage.systems import BY_ONE_PHOTO
from PIL import Image
from skimage import data

from server_config.supervisor import Server
from tests.server.conftest import SAMPLE

pytestmark = pytest.mark.server
WORDS = "a smiling person in warm window light"
FEW = {"steps": 3}


@pytest.fixture(scope="module")
def astronaut_photo() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(data.astronaut()).save(stream, "JPEG", quality=95)  # type: ignore[no-untyped-call]
    return stream.getvalue()


@pytest.fixture(scope="module")
def astronaut(whole_server: Server, astronaut_photo: bytes) -> omokage.Passport:
    with omokage.Client(whole_server.url) as client:
        return client.enroll(astronaut_photo)


def pixels(portrait: omokage.Portrait) -> bytes:
    return portrait.image.tobytes()


@pytest.mark.parametrize("system", BY_ONE_PHOTO)
def test_every_system_makes_a_portrait_of_the_right_size_with_a_report(
    omokage_client: omokage.Client, whole_repository: Path, passport: omokage.Passport, system: str
) -> None:
    made = omokage_client.portrait(WORDS, person=passport, system=system, seed=1, knobs=FEW)
    assert made.image.size == (256, 256)
    assert np.asarray(made.image).std() > 5
    assert (made.system, made.seed, made.steps) == (system, 1, 3)
    assert made.report["words_cut"] == ""
    assert made.report["engines"] == digests(whole_repository)["engines"] != ""
    assert 0 < made.server_seconds <= made.seconds
    assert list(made.report["stage_seconds"]) == ["person", "words and contexts", "pose", "denoising", "finishing"]
    assert sum(made.report["stage_seconds"].values()) == pytest.approx(made.server_seconds, abs=0.005)


@pytest.mark.parametrize("system", BY_ONE_PHOTO)
def test_one_call_and_step_by_step_give_the_same_file(omokage_client: omokage.Client, passport: omokage.Passport, system: str) -> None:
    asked: dict[str, Any] = {"person": passport, "system": system, "seed": 5, "knobs": FEW, "pictures": {"pose": SAMPLE}}
    once = omokage_client.portrait(WORDS, **asked)
    omokage_client.orchestrate = True
    seen: list[int] = []
    assert omokage_client.portrait(WORDS, on_step=lambda step, of, clean: seen.append(step), **asked).png == once.png
    assert seen == [1, 2, 3]


@pytest.mark.parametrize(
    "knobs", [{"preset": "fast", "steps": 5}, {"guided_share": 1.0}, {"pose_every": 3, "steps": 5, "hold": 0.3}, {"pose_every": 1}]
)
def test_what_steps_do_without_is_the_same_in_the_server_and_in_the_client(
    omokage_client: omokage.Client, passport: omokage.Passport, knobs: dict[str, Any]
) -> None:
    asked: dict[str, Any] = {"person": passport, "seed": 5, "knobs": {**FEW, **knobs}}
    once = omokage_client.portrait(WORDS, **asked)
    assert once.png != omokage_client.portrait(WORDS, **{**asked, "knobs": {"steps": once.report["steps"]}}).png
    omokage_client.orchestrate = True
    assert omokage_client.portrait(WORDS, **asked).png == once.png


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_walks_alike_in_the_server_and_in_the_client(omokage_client: omokage.Client, passport: omokage.Passport, sampler: str) -> None:
    asked: dict[str, Any] = {"person": passport, "seed": 5, "knobs": {**FEW, "sampler": sampler}}
    once = omokage_client.portrait(WORDS, **asked)
    omokage_client.orchestrate = True
    assert omokage_client.portrait(WORDS, **asked).png == once.png
    assert once.report["knobs"]["sampler"] == sampler


def test_a_sampler_says_how_many_steps_it_takes(omokage_client: omokage.Client, passport: omokage.Passport) -> None:
    with pytest.raises(omokage.InvalidRequest, match="steps is 51; the sampler lcm takes at most 50"):
        omokage_client.portrait(WORDS, person=passport, knobs={"steps": 51, "sampler": "lcm"})


@pytest.mark.parametrize("system", ["face0", "face-makeup"])
def test_a_second_person_is_mixed_in_by_the_share_that_is_asked_for(
    omokage_client: omokage.Client, passport: omokage.Passport, astronaut: omokage.Passport, system: str
) -> None:
    asked: dict[str, Any] = {"system": system, "seed": 5}
    mixed = {share: omokage_client.portrait(WORDS, person=passport, other=astronaut, knobs={**FEW, "mix": share}, **asked) for share in (0, 0.5, 1)}
    alone = [omokage_client.portrait(WORDS, person=person, knobs=FEW, **asked) for person in (passport, astronaut)]
    assert pixels(mixed[0]) == pixels(alone[0])
    assert np.abs(np.asarray(mixed[1].image, int) - np.asarray(alone[1].image, int)).max() <= 1
    assert pixels(mixed[0.5]) not in (pixels(alone[0]), pixels(alone[1]))


def test_who_takes_no_second_person_says_who_does(omokage_client: omokage.Client, passport: omokage.Passport) -> None:
    with pytest.raises(omokage.InvalidRequest, match="crossfaceid takes no second person; systems that do: face0, face-makeup"):
        omokage_client.portrait(WORDS, person=passport, other=passport, knobs=FEW)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(omokage_client: omokage.Client, passport: omokage.Passport) -> None:
    first, again, other = (omokage_client.portrait(WORDS, person=passport, seed=seed, knobs=FEW) for seed in (3, 3, 4))
    assert first.png == again.png
    assert pixels(first) != pixels(other)


def test_a_photo_gives_what_its_passport_gives(omokage_client: omokage.Client, passport: omokage.Passport, sample: bytes) -> None:
    by_photo = omokage_client.portrait(WORDS, photo=sample, seed=2, knobs=FEW)
    assert by_photo.png == omokage_client.portrait(WORDS, person=passport, seed=2, knobs=FEW).png


def test_a_pose_and_unwanted_words_change_the_picture(omokage_client: omokage.Client, passport: omokage.Passport) -> None:
    plain = omokage_client.portrait(WORDS, person=passport, seed=2, knobs=FEW)
    unwanted = omokage_client.portrait(WORDS, person=passport, seed=2, knobs=FEW, unwanted="glasses")
    assert pixels(unwanted) != pixels(plain)
    posed = omokage_client.portrait(WORDS, person=passport, seed=2, knobs=FEW, pictures={"pose": SAMPLE})
    assert pixels(posed) != pixels(plain)
    free = [
        omokage_client.portrait(WORDS, person=passport, seed=2, knobs={**FEW, "pose_scale": 0}, pictures=pictures)
        for pictures in (None, {"pose": SAMPLE})
    ]
    assert pixels(free[0]) == pixels(free[1]) != pixels(plain), "the head faces the camera unless it is left free"


@pytest.mark.parametrize("system", BY_ONE_PHOTO)
def test_a_head_turns_by_its_knobs_without_a_second_photo(omokage_client: omokage.Client, passport: omokage.Passport, system: str) -> None:
    turns: tuple[dict[str, float], ...] = ({}, {"yaw": -30}, {"yaw": 30}, {"pitch": 15}, {"roll": 15})
    made = [omokage_client.portrait(WORDS, person=passport, system=system, seed=2, knobs={**FEW, **turn}) for turn in turns]
    assert len({pixels(one) for one in made}) == len(turns)


@pytest.mark.parametrize("system", BY_ONE_PHOTO)
def test_an_invented_person_is_the_same_for_the_same_number(omokage_client: omokage.Client, system: str) -> None:
    first, again, other = (omokage_client.portrait(WORDS, character=who, system=system, seed=2, knobs=FEW) for who in (7, 7, 8))
    assert first.png == again.png
    assert first.report["knobs"]["light_scale"] == 0
    assert pixels(first) != pixels(other)
    omokage_client.orchestrate = True
    assert omokage_client.portrait(WORDS, character=7, system=system, seed=2, knobs=FEW).png == first.png


def test_a_real_photo_is_enrolled_and_told_from_another_person(
    omokage_client: omokage.Client, passport: omokage.Passport, astronaut: omokage.Passport, astronaut_photo: bytes
) -> None:
    assert float((astronaut.face.identity * passport.face.identity).sum()) < 0.3
    again = omokage_client.enroll(_smaller(astronaut_photo))
    assert float((astronaut.face.identity * again.face.identity).sum()) > 0.8
    assert omokage_client.portrait(WORDS, person=astronaut, seed=1, knobs=FEW).image.size == (256, 256)


def _smaller(photo: bytes) -> bytes:
    stream = io.BytesIO()
    with Image.open(io.BytesIO(photo)) as picture:
        picture.resize((320, 320)).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(stream, "PNG")
    return stream.getvalue()


def test_enrolling_here_makes_the_server_s_passport(passport: omokage.Passport, engines: Path) -> None:
    local = edge.enroll([SAMPLE], engines / "mini" / "cpu")
    assert local.family == passport.family
    np.testing.assert_array_equal(local.face.identity, passport.face.identity)
    np.testing.assert_array_equal(local.face.appearance, passport.face.appearance)
    np.testing.assert_array_equal(local.face.shape, passport.face.shape)
    np.testing.assert_array_equal(local.face.texture, passport.face.texture)


def test_the_passport_does_not_hold_the_photo_nor_what_is_behind_the_person_and_is_small(passport: omokage.Passport, sample: bytes) -> None:
    data = passport.to_bytes()
    assert len(data) < 640 * 1024
    assert np.ptp(passport.face.texture[0, :, :12, :12]) < 0.05, "a corner is grey"
    assert all(sample[start : start + 64] not in data for start in range(0, len(sample) - 64, 64))


def test_a_preview_is_a_picture(omokage_client: omokage.Client, passport: omokage.Passport) -> None:
    omokage_client.orchestrate = True
    seen: list[Image.Image] = []
    omokage_client.portrait(WORDS, person=passport, seed=2, knobs=FEW, on_step=lambda step, of, clean: seen.append(omokage_client.decoded(clean)))
    assert [picture.size for picture in seen] == [(256, 256)] * 3


@pytest.mark.parametrize(("number", "steps"), [(1, ""), (2, "step 20 of 20")])
def test_the_examples_of_the_protocol_give_the_same_pixels(
    whole_server: Server, omokage_client: omokage.Client, tmp_path: Path, number: int, steps: str
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
    script = page.split("```python\n")[number].split("```")[0]
    assert "omokage" not in script.replace("Omokage", "")
    assert len(script.splitlines()) <= 36
    (tmp_path / "ada.jpg").write_bytes(SAMPLE.read_bytes())
    script = script.replace("localhost:8001", whole_server.url)
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=120, capture_output=True, text=True)
    assert steps in done.stdout
    with Image.open(io.BytesIO((tmp_path / "ada.png").read_bytes())) as found:
        wanted = omokage_client.portrait("smiling, warm window light", photo=SAMPLE, seed=7, knobs={"steps": 20})
        assert found.tobytes() == pixels(wanted)
