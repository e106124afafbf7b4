"""Whose texture is taken: of a mask, what hangs together with the face."""

import numpy as np
import pytest
from omokage.faces import TEMPLATE, Face
from omokage.system import Arrays
from omokage.texture import RIM, SIDE, foreground, of_one, on_head, texture

POINTS = np.array([[0.7, 0.2], [0.75, 0.3], [0.8, 0.25]])
"""x and y: in the upper right."""


def test_what_does_not_hang_together_with_the_face_is_left_out() -> None:
    mask = np.zeros((64, 64), np.float32)
    mask[8:28, 36:60] = 1
    mask[40:60, 8:28] = 1  # somebody, or something, else
    found = of_one(mask, POINTS)
    assert found[13:23, 36:60].min() == found[8:28, 43:53].min() == 1, "only its corners are rounded"
    assert found[40:60, 8:28].max() == 0


def test_a_mask_has_no_holes_and_no_crumbs_of_a_pixel_or_a_few() -> None:
    mask = np.zeros((64, 64), np.float32)
    mask[8:40, 24:60] = 1
    whole = of_one(mask, POINTS)
    mask[[12, 20, 21, 30], [40, 50, 50, 30]] = 0
    mask[[42, 6], [40, 30]] = 1
    np.testing.assert_array_equal(of_one(mask, POINTS), whole)


def test_what_is_narrower_than_an_ear_is_no_part_of_a_person() -> None:
    mask = np.zeros((64, 64), np.float32)
    mask[8:60, 34:60] = 1
    mask[12:24, 22:34] = 1
    found = of_one(mask, POINTS)
    assert found[8:40, 22:29].max() == 0
    assert found[20:50, 36:58].min() == 1


def test_a_head_is_laid_out_larger_than_the_network_of_masks_sees_it_and_grey_where_nobody_is() -> None:
    seen: dict[str, Arrays] = {}

    def infer(name: str, given: Arrays) -> Arrays:
        """Takes what is light for the person, and something at the left of whatever it sees."""
        seen[name] = given
        mask = np.zeros((1, 1, 256, 256), np.float32)
        if name == "person_mask":
            mask[0, 0] = given["picture"][0, 0] > 0.6
            mask[..., 20:110] = 1
        return {"mask": mask, "texture": np.zeros((1, 3, 192, 192), np.float32)}

    photo = np.full((512, 512, 3), 100, np.uint8)
    photo[:, 256:] = 200
    points = TEMPLATE * 2 + 144
    marks = np.tile(np.array([320.0, 256.0, 0.0]), (468, 1))
    texture(infer, photo, Face(np.zeros(4, np.float32), points, 1.0), marks)
    assert seen["person_mask"]["picture"].shape == (1, 3, 256, 256)
    assert seen["person_mask"]["picture"].max() <= 1
    head = seen["face_texture"]["whole_head"][0]
    assert head.shape == (3, SIDE, SIDE)
    assert (head[:, 190, SIDE // 2 + 8 : SIDE // 2 + 60] == 200).all()
    assert (head[:, 190, : SIDE // 2 - 8] == 127).all(), "what it sees in the photo alone, and not in its mirror image, is nobody"


def test_what_is_hardly_a_person_is_none_and_what_is_mostly_one_is() -> None:
    mask = np.full((64, 64), 0.3, np.float32)
    mask[8:28, 36:60] = 0.7
    found = of_one(mask, POINTS)
    assert found[20, 40] == 1
    assert found[40, 20] == 0


def test_a_mask_that_sees_nobody_leaves_nobody() -> None:
    assert of_one(np.zeros((64, 64), np.float32), POINTS).max() == 0


def test_nothing_of_what_was_behind_is_in_a_heads_rim() -> None:
    """Here skin on a green wall, and the mask reaches a pixel too far."""
    across, down = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    away = np.hypot(across - SIDE / 2, down - SIDE / 2)
    skin, wall = np.array([180, 140, 120]), np.array([20, 200, 40])
    head = np.where((away < 100)[..., None], skin, wall).astype(np.uint8)
    head[190:194, 190:194] = 0  # fine, and inside
    person = np.clip(101.5 - away, 0, 1).astype(np.float32)[..., None]
    found = foreground(head, person)
    assert np.abs(found - skin)[(away < 101) & (away > 60)].max() < 1
    inside = away < 100 - 3 * RIM
    np.testing.assert_allclose(found[inside], head[inside], atol=1e-3)


def test_what_is_too_narrow_to_have_an_inside_keeps_its_colours() -> None:
    head = np.full((SIDE, SIDE, 3), 90, np.uint8)
    person = np.zeros((SIDE, SIDE, 1), np.float32)
    person[:, 200 : 200 + RIM] = 1
    np.testing.assert_array_equal(foreground(head, person), head)


@pytest.mark.parametrize("yaw", [0.0, 45.0])
def test_high_hair_is_on_the_head_that_is_laid_out_also_where_the_eyes_lie_closer_together(yaw: float) -> None:
    narrow = (TEMPLATE - TEMPLATE.mean(0)) * np.array([np.cos(np.radians(yaw)), 1.0], np.float32) + 100
    eyes, apart = narrow[:2].mean(0), float(np.ptp(TEMPLATE[:2, 0]))
    crown = np.array([[eyes[0], eyes[1] + down * apart, 0] for down in (-1.8, 0, 2.5)])
    _, (hair, between, neck) = on_head(Face(np.zeros(4, np.float32), narrow.astype(np.float32), 1.0), crown)
    assert 0 < hair[1] < between[1] < neck[1] < 1
    assert (neck - hair)[1] * SIDE >= 4.3 / 4.6 * 192, "and no smaller than a texture shows it"
