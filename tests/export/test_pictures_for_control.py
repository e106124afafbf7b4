"""Condition pictures and the harmonizer: drawn where they should be, changing nothing where they must not."""

import json

import numpy as np
import pytest
import torch
from omokage.pose import five

from export.conditions import COLOURS, KEYPOINTS, MEAN_FACE, FacePicture, LimbsPicture, SoftPicture
from export.controlnet import ControlNet
from export.families import FAMILIES
from export.harmonizer import REACH, Harmonizer

FACE = torch.tensor(json.loads(MEAN_FACE.read_text()))[None] * 0.2 + torch.tensor([0.5, 0.45])
DRAWINGS = (FacePicture, LimbsPicture)


def test_every_keypoint_is_drawn_at_its_place_in_its_colour() -> None:
    picture = LimbsPicture(256)(FACE)[0]
    for points, colour in zip(KEYPOINTS, COLOURS, strict=True):
        x, y = FACE[0, list(points)].mean(0)
        torch.testing.assert_close(picture[:, int(y * 256), int(x * 256)], torch.tensor(colour))


def test_the_drawing_and_the_client_mean_the_same_five_points() -> None:
    drawn = [FACE[0, list(points)].mean(0).numpy() for points in KEYPOINTS]
    np.testing.assert_allclose(drawn, five(FACE[0].numpy()), atol=1e-6)


def test_every_place_of_a_face_has_the_colour_of_what_lies_there() -> None:
    """The chin is in the middle and far down, an eye is blue, and an ear's side is as red as it is far across."""
    picture = FacePicture(256)(FACE)[0]
    chin, left, right, eye = ([int(value * 256) for value in FACE[0, point]] for point in (152, 234, 454, 159))
    assert picture[0, chin[1], chin[0]] == pytest.approx(0.6, abs=0.02)
    assert picture[1, chin[1], chin[0]] > 0.9
    assert picture[0, left[1], left[0]] < 0.3 < 0.9 < picture[0, right[1], right[0]]
    assert picture[2, eye[1], eye[0]] > 0.5 > 0.1 > picture[2, chin[1], chin[0]]


def test_a_moved_face_is_the_same_drawing_elsewhere() -> None:
    here, there = FacePicture(256)(torch.cat([FACE, FACE + 1 / 16]))
    torch.testing.assert_close(there[:, 16:, 16:], here[:, :-16, :-16], atol=1e-4, rtol=0)


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_far_from_the_face_a_pose_is_black(drawing: type[FacePicture | LimbsPicture]) -> None:
    picture = drawing(256)(FACE)[0]
    assert picture.shape == (3, 256, 256)
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert picture[:, :30].max() < 1e-3
    assert picture[:, :, :50].max() < 1e-3


def test_a_new_controlnet_hears_where_keypoints_are_and_what_a_soft_picture_shows() -> None:
    torch.manual_seed(0)
    embedding = ControlNet(FAMILIES["mini"].unet).network.controlnet_cond_embedding
    here, there = FacePicture(256)(torch.cat([FACE, FACE + 0.1]))
    dark, light = SoftPicture()(torch.rand(2, 3, 256, 256) * torch.tensor([0.2, 1.0])[:, None, None, None])
    for one, other in ((here, there), (dark, light)):
        with torch.no_grad():
            first, second = embedding(torch.stack([one, other]))
        assert float((first - second).abs().max()) > 0.1, "the features that it is added to are about 1"


def test_a_soft_picture_keeps_colour_and_loses_detail() -> None:
    picture = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    soft = SoftPicture()(picture)
    assert soft.shape == picture.shape
    torch.testing.assert_close(soft.mean((2, 3)), picture.mean((2, 3)), atol=5e-3, rtol=0)
    assert soft.diff(dim=3).abs().mean() < 0.05 * picture.diff(dim=3).abs().mean()


def test_the_harmonizer_leaves_every_pixel_out_of_reach_as_it_is() -> None:
    network = Harmonizer(widths=(16, 16))
    torch.nn.init.normal_(network.leave.weight)
    composite = torch.randn(1, 3, 128, 128)
    mask = torch.zeros(1, 1, 128, 128)
    mask[..., 48:80, 48:80] = 1
    changed = (network(composite, mask) != composite).any(1)[0]
    rows, columns = changed.nonzero().T
    assert changed[48:80, 48:80].float().mean() > 0.9
    for found in (rows, columns):
        assert found.min() >= 48 - REACH
        assert found.max() < 80 + REACH
