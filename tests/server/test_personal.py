"""A person is learned from some photos over the real server; the two systems that need that change a picture in one place and nowhere else."""

import io
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import omokage
import pytest
from omokage.passport import Passport
from omokage.systems import BY_ONE_PHOTO
from PIL import Image, ImageEnhance, ImageOps

from server_config.supervisor import Server
from tests.server.meters import metrics, rows

pytestmark = pytest.mark.server
STEPS = 4


def filed(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def pixels(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.fixture(scope="module")
def photos(sample: bytes) -> list[bytes]:
    picture = Image.open(io.BytesIO(sample)).convert("RGB")
    return [sample, filed(ImageOps.mirror(picture)), filed(ImageEnhance.Brightness(picture).enhance(0.8))]


@pytest.fixture(scope="module")
def wide(sample: bytes) -> bytes:
    """The sample in a picture that is larger than what is edited."""
    picture = Image.open(io.BytesIO(sample)).convert("RGB")
    return filed(ImageOps.expand(picture, border=(picture.width // 2, 10, picture.width // 3, 0), fill=(30, 90, 160)))


@pytest.fixture(scope="module")
def known(whole_server: Any, photos: list[bytes]) -> Passport:
    told: list[int] = []
    with omokage.Client(whole_server.url, timeout=120) as client:
        found = client.enroll(photos, personal=True, steps=STEPS, on_learn=lambda step, steps, loss: told.append(step))
    assert told == list(range(1, STEPS + 1))
    return found


def test_what_was_learned_is_in_the_passport_and_small(known: Passport) -> None:
    assert known.prior is not None
    assert all(value.any() for value in vars(known.prior).values())
    assert len(known.to_bytes()) < 2 * 2**20
    assert Passport.from_bytes(known.to_bytes()).prior is not None


@pytest.mark.parametrize(("system", "kind"), [("lipe", "image"), ("megaportrait", "style")])
def test_client_and_server_change_a_picture_alike_and_only_round_the_face(
    omokage_client: omokage.Client, whole_server: Any, known: Passport, wide: bytes, system: str, kind: str
) -> None:
    asked: dict[str, Any] = {"person": known, "system": system, "seed": 3, "pictures": {kind: wide}, "knobs": {"steps": 4}}
    by_server = omokage_client.portrait("a smiling person", **asked)
    with omokage.Client(whole_server.url, timeout=120, orchestrate=True) as stepping:
        assert stepping.portrait("a smiling person", **asked).png == by_server.png
    before, after = pixels(wide), pixels(by_server.png)
    assert after.shape == before.shape
    changed = (after != before).any(2)
    assert 0.02 < changed.mean() < 0.6
    assert not changed[:, : before.shape[1] // 6].any(), "far from the face all is as it was, to the byte"
    assert by_server.report["stage_seconds"].keys() >= {"person", "finishing"}


def test_in_a_picture_larger_than_a_portrait_a_head_is_put_and_all_else_keeps_its_bytes(
    omokage_client: omokage.Client, known: Passport, sample: bytes
) -> None:
    picture = Image.open(io.BytesIO(sample)).convert("RGB")
    large = filed(picture.resize((3 * picture.width, 3 * picture.height)))
    made = omokage_client.portrait("a person", person=known, system="megaportrait", seed=3, pictures={"style": large}, knobs={"steps": 4})
    changed = (pixels(made.png) != pixels(large)).any(2)
    assert 0.02 < changed.mean() < 0.5, "head, what is close to it, and neck; the square round the face is nearly all of the picture"


def test_who_was_learned_and_who_was_not_are_the_same_alone_and_in_one_batch(
    whole_server: Server, known: Passport, passport: Passport, wide: bytes
) -> None:
    """By every system."""
    kinds: list[dict[str, Any]] = [
        {"person": known, "system": "lipe", "pictures": {"image": wide}},
        {"person": known, "system": "megaportrait", "pictures": {"style": wide}},
        *({"person": person, "system": system} for system in BY_ONE_PHOTO for person in (known, passport)),
    ]
    began = metrics(whole_server)

    def file(number: int) -> bytes:
        with omokage.Client(whole_server.url, timeout=120) as client:
            return client.portrait("a smiling person", seed=number, knobs={"steps": 3}, **kinds[number]).png

    alone = [file(number) for number in range(len(kinds))]
    before = metrics(whole_server)
    order = [number for _ in range(3) for number in range(len(kinds))]
    random.Random(1).shuffle(order)
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(file, order))
    assert together == [alone[number] for number in order]
    assert rows(before, metrics(whole_server)) > 1.1 * rows(began, before)  # they were together in batches


def test_turning_the_head_changes_more_than_nothing_and_an_own_mask_is_kept_to(omokage_client: omokage.Client, known: Passport, wide: bytes) -> None:
    before = pixels(wide)
    mask = np.zeros_like(before)
    top, left = before.shape[0] // 3, before.shape[1] // 3
    mask[top : top + before.shape[0] // 4, left : left + before.shape[1] // 4] = 255
    asked: dict[str, Any] = {"person": known, "system": "lipe", "seed": 3, "knobs": {"steps": 4, "yaw": 15}}
    free = pixels(omokage_client.portrait("a person", pictures={"image": wide}, **asked).png)
    kept = pixels(omokage_client.portrait("a person", pictures={"image": wide, "mask": filed(Image.fromarray(mask))}, **asked).png)
    assert (free != before).any()
    far = np.ones(before.shape[:2], bool)
    margin = 2 * before.shape[0] // 32  # a cell of the latents is that large, at most
    far[top - margin : top + before.shape[0] // 4 + margin, left - margin : left + before.shape[1] // 4 + margin] = False
    assert not (kept != before).any(2)[far].any()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"system": "lipe"}, "lipe needs a picture for image, and got none"),
        ({"system": "megaportrait"}, "megaportrait needs a picture for style, and got none"),
        ({"system": "lipe", "knobs": {"yaw": 90}, "pictures": {"image": b""}}, "yaw is 90; yaw must be a number from -45 to 45"),
        ({"system": "megaportrait", "pictures": {"style": b"no picture"}}, "the photo is none of JPEG, PNG"),
    ],
)
def test_what_is_missing_is_told(omokage_client: omokage.Client, known: Passport, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(omokage.InvalidRequest, match=told):
        omokage_client.portrait("a person", person=known, **asked)


def test_pictures_that_cannot_be_used_are_told(omokage_client: omokage.Client, known: Passport, passport: Passport, wide: bytes) -> None:
    grey = filed(Image.new("RGB", (300, 300), (120, 120, 120)))
    with pytest.raises(omokage.InvalidRequest, match="no face was found"):
        omokage_client.portrait("a person", person=known, system="megaportrait", pictures={"style": grey})
    with pytest.raises(omokage.InvalidRequest, match=r"the mask is 300 x 300, the picture \d+ x \d+; send one of the same size"):
        omokage_client.portrait("a person", person=known, system="lipe", pictures={"image": wide, "mask": grey})
    empty = filed(Image.new("RGB", Image.open(io.BytesIO(wide)).size))
    with pytest.raises(omokage.InvalidRequest, match="the mask marks nothing in the square round the face"):
        omokage_client.portrait("a person", person=known, system="lipe", pictures={"image": wide, "mask": empty})
    with pytest.raises(omokage.InvalidRequest, match="lipe needs a passport with a personal prior, this one has none; make one"):
        omokage_client.portrait("a person", person=passport, system="lipe", pictures={"image": wide})
    with pytest.raises(omokage.InvalidRequest, match="megaportrait needs a passport with a personal prior, and got a character"):
        omokage_client.portrait("a person", character=3, system="megaportrait", pictures={"style": wide})
    with pytest.raises(omokage.InvalidRequest, match=r"prior was learned by the generator 'another', this server's is '[0-9a-f]{12}'"):
        omokage_client.portrait("a person", person=replace(known, generator="another"), system="lipe", pictures={"image": wide})


def test_too_few_photos_too_many_and_those_that_are_there_twice_are_refused(
    omokage_client: omokage.Client, photos: list[bytes], tmp_path: Path
) -> None:
    for given, told in (
        (photos[:1], "a personal prior was asked for with 1 photo; give 3 to 5"),
        ([*photos, *photos[:1]][2:] + photos[:1], "with 2 photos, 3 with those that are there twice"),
        ([photo + bytes(number) for number in range(10) for photo in photos], "with 30 photos; give 3 to 5"),
    ):
        with pytest.raises(omokage.InvalidRequest, match=told):
            omokage_client.enroll(given, personal=True)
