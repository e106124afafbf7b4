"""Condition pictures and the harmonizer: drawn where they should be, changing nothing where they must not."""

import torch

from export.conditions import COLOURS, PosePicture, SoftPicture
from export.controlnet import ControlNet
from export.families import FAMILIES
from export.harmonizer import REACH, Harmonizer

POINTS = torch.tensor([[[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.42, 0.62], [0.58, 0.62]]])


def test_every_keypoint_is_drawn_at_its_place_in_its_colour() -> None:
    picture = PosePicture(256)(POINTS)[0]
    assert picture.shape == (3, 256, 256)
    assert picture.min() >= 0
    assert picture.max() <= 1
    for (x, y), colour in zip(POINTS[0], COLOURS, strict=True):
        torch.testing.assert_close(picture[:, int(y * 256), int(x * 256)], torch.tensor(colour))


def test_far_from_the_face_a_pose_is_black() -> None:
    picture = PosePicture(256)(POINTS)[0]
    assert not picture[:, :80].any()
    assert not picture[:, :, :80].any()


def test_a_new_controlnet_hears_where_keypoints_are_and_what_a_soft_picture_shows() -> None:
    torch.manual_seed(0)
    embedding = ControlNet(FAMILIES["mini"].unet).network.controlnet_cond_embedding
    here, there = PosePicture(256)(torch.cat([POINTS, POINTS + 0.1]))
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
