"""An edit begins with the picture's own head, and changes no more of the picture than it was asked to."""

import io

import numpy as np
import numpy.typing as npt
import pytest
from omokage.errors import InvalidRequest
from omokage.frame import Frame
from omokage.knobs import settled
from omokage.pose import fitted
from omokage.seen import Seen, floats
from omokage.sitting import Sitting
from omokage.subject import behind, of_a_mask
from omokage.system import Arrays, Face, Words
from omokage.systems import SYSTEMS
from omokage.systems.lipe import _alone, _head
from PIL import Image

SIDE = 128
DRAW = np.random.default_rng(0)
SHAPE = DRAW.normal(size=(1, 468, 3)).astype(np.float32)
PLACES = fitted(SHAPE[0], (SHAPE[0, :, :2] * 0.05 + 0.5).astype(np.float32))
ACROSS, DOWN = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
DISC = (np.hypot(ACROSS - 64, DOWN - 64) < 30).astype(np.float32)[None, None]
PICTURE = DRAW.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
SEEN = Seen(PICTURE, Frame((0, 0), SIDE), PICTURE, PLACES, SHAPE, np.zeros((1, 3, 192, 192), np.float32), ())
DRAWN = {"laid": np.zeros((1, 3, SIDE, SIDE), np.float32), "cover": np.zeros((1, 1, 16, 16), np.float32), "matte": DISC, "condition": DISC}
WEARING = np.full((1, 3, 192, 192), 0.5, np.float32)


def infer(name: str, given: Arrays) -> Arrays:
    """Words say nothing, but that something dark is worn in the head's upper half."""
    if name == "condition_pose":
        worn = given["texture"].max() * (DOWN < 64) * DISC
        return {**DRAWN, "laid": np.asarray(DRAWN["laid"] - worn, np.float32)}
    return {
        "face_expression": {"expressive_shape": given.get("shape", SHAPE)},
        "face_overlay": {"overlaid_texture": WEARING},
        "vae_encoder": {"latent": np.zeros((1, 8, 16, 16), np.float32)},
    }[name]


def sitting(mask: npt.NDArray[np.uint8] | None = None, **knobs: float) -> Sitting:
    words = Words(np.ones((1, 77, 384), np.float32), np.ones((1, 77), np.float32), np.zeros((1, 77, 10), np.float32))
    file = io.BytesIO()
    if mask is not None:
        Image.fromarray(mask).save(file, "PNG")
    return Sitting(
        infer=infer,
        denoise=lambda task, on_step: task.start,  # type: ignore[arg-type,return-value]
        system=SYSTEMS["lipe"],
        knobs=settled(SYSTEMS["lipe"].knobs, {"overlay_scale": 0.0, **knobs}),
        about={"size": SIDE, "latent": [8, 16, 16]},
        face=Face(np.zeros((1, 128), np.float32), np.zeros((1, 98, 256), np.float32), SHAPE, SEEN.texture),
        prior=None,
        wanted=words,
        unwanted=words,
        seed=0,
        pictures={"mask": file.getvalue()},
    )


def test_a_head_that_is_asked_for_nothing_is_the_picture_s_own() -> None:
    head = _head(sitting(), SEEN, DRAWN)
    np.testing.assert_allclose(head.picture, floats(PICTURE), atol=1e-4)
    np.testing.assert_array_equal(head.matte, DISC)


def test_what_words_put_over_it_is_its_texture_s_and_the_rest_stays() -> None:
    head = _head(sitting(overlay_scale=1.0), SEEN, DRAWN)
    worn = (np.hypot(ACROSS - 64, DOWN - 64) < 26) & (DOWN < 60)
    np.testing.assert_allclose(head.picture[0][:, worn], -0.5, atol=1e-6)
    np.testing.assert_allclose(head.picture[0][:, DOWN > 70], floats(PICTURE)[0][:, DOWN > 70], atol=1e-4)


def test_a_head_that_turns_is_its_texture_s() -> None:
    np.testing.assert_array_equal(_head(sitting(yaw=20.0), SEEN, DRAWN).picture, DRAWN["laid"])


def test_an_expression_does_not_turn_or_stretch_a_head() -> None:
    stretched = SHAPE[0] @ DRAW.normal(size=(3, 3)).astype(np.float32) + np.float32(0.3)
    np.testing.assert_allclose(_alone(stretched, SHAPE[0]), 0, atol=1e-4)
    mouth = np.zeros_like(SHAPE[0])
    mouth[13] = 1
    assert _alone(mouth, SHAPE[0])[13] == pytest.approx([1, 1, 1], abs=0.1)


def test_a_mask_beside_a_head_has_nothing_of_the_head_spread_into_it() -> None:
    picture = np.where(DISC > 0, np.float32(-1), np.float32(0.5)).repeat(3, 1)
    head = _head(sitting(), SEEN, DRAWN)
    marked = ((ACROSS > 96)[..., None] * np.full(3, 255)).astype(np.uint8)
    subject = of_a_mask(sitting(marked), SEEN, DRAWN, head)
    found = behind(picture, np.full_like(picture, 0.5), subject)
    np.testing.assert_allclose(found[..., 97:], 0.5, atol=0.01)
    np.testing.assert_array_equal(found[..., :90], picture[..., :90])


def test_masks_of_another_size_or_of_nothing_are_refused() -> None:
    head = _head(sitting(), SEEN, DRAWN)
    for mask, says in ((np.full((99, 99, 3), 255, np.uint8), "99 x 99, the picture 128 x 128"), (np.zeros_like(PICTURE), "marks nothing")):
        with pytest.raises(InvalidRequest, match=says):
            of_a_mask(sitting(mask), SEEN, DRAWN, head)
