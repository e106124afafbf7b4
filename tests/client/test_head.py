"""The head that a portrait begins with is the person's own, does what the words say, and lies where it is to lie."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from omokage.head import BORDER, Head, composed, detailed, hold_of, inside, placed
from omokage.knobs import settled
from omokage.passes import plain
from omokage.pixels import pixels
from omokage.pose import fitted, framed, turned
from omokage.sitting import Sitting
from omokage.system import Arrays, Face, Words
from omokage.systems import SYSTEMS
from omokage.texts import text

SHAPE = np.random.default_rng(0).normal(size=(1, 468, 3)).astype(np.float32)
FACE = Face(np.zeros((1, 128), np.float32), np.zeros((1, 98, 256), np.float32), SHAPE, np.zeros((1, 3, 192, 192), np.float32))
WORDS = Words(np.ones((1, 77, 384), np.float32), np.ones((1, 77), np.float32), np.zeros((1, 77, 10), np.float32))
MATTE = np.full((1, 1, 8, 8), 0.5, np.float32)
OVERLAID = np.full((1, 3, 192, 192), 0.3, np.float32)
LIT = np.full((1, 3, 192, 192), 0.25, np.float32)
SMILING = SHAPE + np.float32(0.1) * np.linspace(0, 1, 468, dtype=np.float32)[None, :, None]

SITTING = Sitting(
    infer=lambda model, inputs: {},
    denoise=lambda task, on_step: task.start,  # type: ignore[arg-type,return-value]
    system=SYSTEMS["crossfaceid"],
    knobs={},
    about={},
    face=FACE,
    prior=None,
    wanted=WORDS,
    unwanted=WORDS,
    seed=0,
    pictures={},
)
ASIDE = turned(SHAPE[0], 30, 0, 0)
"""Points of a face in 0..1 of a photo."""


class Engines:
    """Notes every call; every face smiles when it is asked to, and in every photo somebody looks aside."""

    def __init__(self) -> None:
        self.calls: dict[str, Arrays] = {}

    def __call__(self, model: str, inputs: Arrays) -> Arrays:
        self.calls[model] = inputs
        picture = np.zeros((1, 3, 8, 8), np.float32)
        report = {"width": 100, "height": 100, "notes": ["a second face is smaller"]}
        seen = {"landmarks": ASIDE[None] * 100, "box": np.array([[30, 30, 40, 40]], np.float32), "report": text(json.dumps(report))}
        return {
            "face_analysis": seen,
            "face_expression": {"expressive_shape": SMILING},
            "face_overlay": {"overlaid_texture": OVERLAID},
            "face_light": {"lit_texture": LIT},
            "condition_pose": {"condition": picture, "laid": picture + 1, "cover": np.ones((1, 1, 4, 4), np.float32), "matte": MATTE},
            "vae_encoder": {"latent": np.ones((1, 8, 4, 4), np.float32)},
        }[model]


def head(picture: bytes | None = None, **knobs: object) -> tuple[Head, Any, Engines]:
    """What was made, where its points lie, and who was asked."""
    engines, system = Engines(), SYSTEMS["crossfaceid"]
    found = placed(engines, system, FACE, WORDS, settled(system.knobs, knobs), picture)
    assert found is not None
    return found, engines.calls["condition_pose"]["placed_landmarks"][0], engines


def test_the_head_has_the_expression_of_the_words_and_is_turned_as_the_knobs_say() -> None:
    _, landmarks, engines = head(yaw=20)
    np.testing.assert_array_equal(landmarks, turned(SMILING[0], 20, 0, 0))
    assert engines.calls["face_expression"]["states"] is WORDS.states
    assert engines.calls["face_expression"]["expression_scale"].tolist() == [1]


def test_a_heads_outermost_cells_are_held_for_less_than_the_others() -> None:
    """Grey places in a head are no border, nor is the picture's edge, and how strong a face is changes nothing of it."""
    cover = np.zeros((1, 1, 9, 9), np.float32)
    cover[..., 2:, 2:7] = 1
    cover[..., 5, 4] = 0.6
    within = inside(cover)
    wanted = np.zeros_like(within)
    wanted[..., 3:, 3:6] = True
    np.testing.assert_array_equal(within, wanted)
    held = hold_of(within, 0.95)
    assert (held[within] == np.float32(0.95)).all()
    assert (held[~within] == np.float32(BORDER)).all()
    np.testing.assert_array_equal(hold_of(within, 0.4), np.full_like(cover, 0.4))
    weak, strong = (head(identity_scale=scale)[0] for scale in (0.9, 1.0))
    assert weak.cover.max() < strong.cover.max()
    np.testing.assert_array_equal(weak.inside, strong.inside)


def test_a_portrait_has_the_detail_of_its_head_where_that_lies_and_as_much_of_it_as_is_asked_for() -> None:
    found, _, _ = head()
    painted = np.zeros((1, 3, 8, 8), np.float32)
    np.testing.assert_array_equal(detailed(painted, found, 0.5), painted + 0.25)
    np.testing.assert_array_equal(detailed(painted, found, 0), painted)
    weak, _, _ = head(identity_scale=0.5)
    np.testing.assert_array_equal(detailed(painted, weak, 1), painted, "a face that is half another's has not the photo's detail")


def test_a_portrait_s_head_lies_over_what_is_behind_it_as_far_as_it_is_asked_for() -> None:
    fringed = np.full((1, 3, 64, 64), 0.25, np.float32)
    fringed[..., 18:46, 18:46] = -1
    matte = np.zeros((1, 1, 64, 64), np.float32)
    matte[..., 20:44, 20:44] = 1
    found = head()[0]._replace(picture=np.full((1, 3, 64, 64), 0.75, np.float32), matte=matte)
    whole = composed(fringed, found, 1)
    np.testing.assert_allclose(whole[..., 20:44, 20:44], 0.75)
    np.testing.assert_allclose(whole[..., 18:20, 20:44], 0.25, atol=0.05)
    np.testing.assert_allclose(composed(fringed, found, 0.5), (whole + fringed) / 2, atol=1e-6)
    assert composed(fringed, found, 0) is fringed
    assert composed(fringed, found._replace(own=0.0), 1) is fringed, "a face that is half another's is laid over nothing"


def test_a_plain_portrait_s_head_lies_over_a_clean_plate() -> None:
    """The engines make a fringe about a head of the same size; the system's words and contexts are left out."""
    fringed = np.full((1, 3, 64, 64), 0.25, np.float32)
    fringed[..., 18:46, 18:46] = -1
    engines, matte = Engines(), np.zeros((1, 1, 64, 64), np.float32)
    matte[..., 20:44, 20:44] = 1

    def infer(model: str, inputs: Arrays) -> Arrays:
        if model == "vae_decoder":
            return {"picture": fringed}
        found = engines(model, inputs)
        return found | {"laid": np.full((1, 3, 64, 64), 0.75, np.float32), "matte": matte} if model == "condition_pose" else found

    system = replace(SYSTEMS["crossfaceid"], branches=lambda *given: [])
    knobs = settled(system.knobs, {"guidance": 1.0})
    about = {"schedule": "cosine", "prediction": "v_prediction", "latent": [8, 4, 4], "face_tokens": 2, "pose_width": 2}
    sitting = replace(SITTING, infer=infer, system=system, knobs=knobs, about=about, denoise=lambda task, on_step: np.zeros((1, 8, 4, 4), np.float32))
    made = plain(sitting).pixels
    assert made[30, 30].tolist() == pixels(np.full((3, 1, 1), 0.75, np.float32))[0, 0].tolist()
    assert abs(int(made[19, 30, 0]) - int(pixels(np.full((3, 1, 1), 0.25, np.float32))[0, 0, 0])) < 6


@pytest.mark.parametrize(("knobs", "share"), [({}, 1), ({"hold": 0.5}, 0), ({"hold": 0.875}, 0.5), ({"detail": 0.5}, 0.5), ({"detail": 0}, 0)])
def test_a_head_that_is_let_go_long_before_the_end_leaves_the_portrait_as_it_was_made(knobs: dict[str, float], share: float) -> None:
    found, _, _ = head()
    grey = np.zeros((1, 3, 8, 8), np.float32)
    sitting = replace(SITTING, infer=lambda model, inputs: {"picture": grey}, knobs=settled(SYSTEMS["crossfaceid"].knobs, knobs))
    np.testing.assert_array_equal(sitting.decoded(grey, found), pixels(grey[0] + share * MATTE[0]))
    np.testing.assert_array_equal(sitting.decoded(grey, None), pixels(grey[0]))


def test_an_expression_of_no_strength_is_the_photos_and_no_network_is_asked() -> None:
    _, landmarks, engines = head(expression_scale=0)
    np.testing.assert_array_equal(landmarks, turned(SHAPE[0], 0, 0, 0))
    assert "face_expression" not in engines.calls


def test_the_head_is_in_the_light_of_the_words() -> None:
    _, _, engines = head(light_scale=0.75)
    assert engines.calls["face_light"]["light_scale"].tolist() == [0.75]
    assert engines.calls["face_light"]["texture"] is FACE.texture
    assert engines.calls["face_light"]["states"] is WORDS.states


def test_what_the_words_put_over_a_head_comes_after_its_light() -> None:
    _, _, engines = head(overlay_scale=0.5)
    assert engines.calls["face_overlay"]["overlay_scale"].tolist() == [0.5]
    assert engines.calls["face_overlay"]["texture"] is LIT
    assert engines.calls["face_overlay"]["states"] is WORDS.states
    assert engines.calls["condition_pose"]["texture"] is OVERLAID


def test_a_head_without_anything_over_it_asks_no_network_for_it() -> None:
    _, _, engines = head(overlay_scale=0)
    assert "face_overlay" not in engines.calls
    assert engines.calls["condition_pose"]["texture"] is LIT


def test_a_light_of_no_strength_is_the_photos_and_no_network_is_asked() -> None:
    _, _, engines = head(light_scale=0)
    assert engines.calls["face_overlay"]["texture"] is FACE.texture
    assert "face_light" not in engines.calls


def test_in_anothers_pose_the_expression_is_still_that_of_the_words() -> None:
    found, landmarks, _ = head(b"a photo")
    np.testing.assert_allclose(landmarks, fitted(SMILING[0], framed(ASIDE * 100, np.array([30, 30, 40, 40], np.float32), 100, 100)), atol=1e-5)
    assert found.notes == ["pose: a second face is smaller"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_without_a_pose_there_is_no_head(system: str) -> None:
    engines = Engines()
    assert placed(engines, SYSTEMS[system], FACE, WORDS, settled(SYSTEMS[system].knobs, {"pose_scale": 0}), None) is None
    assert not engines.calls
