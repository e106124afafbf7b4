"""Condition pictures and the harmonizer: drawn where they should be, changing nothing where they must not."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from omokage.pose import five

from export.conditions import COLOURS, KEYPOINTS, FacePicture, LimbsPicture, SoftPicture
from export.controlnet import ControlNet
from export.families import FAMILIES
from export.harmonizer import REACH, Harmonizer
from export.mean_face import mean_face
from export.somebody import somebody
from export.texture import FaceTexture, places_in_texture

FACE = mean_face()[None, :, :2] * 0.2 + torch.tensor([0.5, 0.45])
PLAIN = torch.full((1, 3, 192, 192), 0.5)  # a texture


def drawn(landmarks: torch.Tensor) -> torch.Tensor:
    return FacePicture(256)(landmarks, PLAIN.expand(len(landmarks), -1, -1, -1))[0]  # type: ignore[no-any-return]


DRAWINGS = {"face": drawn, "limbs": LimbsPicture(256)}


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
    picture = drawn(FACE)[0]
    chin, left, right, eye = ([int(value * 256) for value in FACE[0, point]] for point in (152, 234, 454, 159))
    assert picture[0, chin[1], chin[0]] == pytest.approx(0.6, abs=0.02)
    assert picture[1, chin[1], chin[0]] > 0.9
    assert picture[0, left[1], left[0]] < 0.3 < 0.9 < picture[0, right[1], right[0]]
    assert picture[2, eye[1], eye[0]] > 0.5 > 0.1 > picture[2, chin[1], chin[0]]


def test_a_moved_face_is_the_same_drawing_elsewhere() -> None:
    here, there = drawn(torch.cat([FACE, FACE + 1 / 16]))
    torch.testing.assert_close(there[:, 16:, 16:], here[:, :-16, :-16], atol=1e-4, rtol=0)


def test_a_texture_goes_back_to_where_it_was_taken_from_and_along_when_the_face_moves() -> None:
    """A smooth picture laid out on the mean face, and laid onto the same head again, and onto the head elsewhere."""
    line = torch.linspace(0, 1, 256)
    picture = torch.stack([line.expand(256, -1), line[:, None].expand(-1, 256), torch.full((256, 256), 0.3)])[None]
    texture = FaceTexture()(picture * 255, FACE)
    near = slice(80, 180)
    laid = FacePicture(256)(FACE, texture)[1]
    torch.testing.assert_close(laid[..., near, near], (picture * 2 - 1)[..., near, near], atol=0.02, rtol=0)
    moved = FacePicture(256)(FACE + 1 / 16, texture)[1]
    torch.testing.assert_close(moved[..., near, near], laid[..., 64:164, 64:164], atol=0.02, rtol=0)


def test_a_head_covers_the_cells_that_are_mostly_its_own() -> None:
    """All of a cell in its middle, none of one outside or of one whose larger part is the grey beside it."""
    cover = FacePicture(256)(FACE, torch.rand(1, 3, 192, 192) * 0.5)[2][0, 0]
    nose = (FACE[0, 1] * 32).long()
    assert cover[nose[1], nose[0]] == 1
    assert cover[0].max() == 0
    half = FACE - torch.tensor([0.5, 0.0])  # so that the left half of a head lies outside of the picture
    assert FacePicture(256)(half, torch.rand(1, 3, 192, 192) * 0.5)[2].sum() < 0.7 * cover.sum()
    nearly_grey = torch.full((1, 3, 192, 192), 0.5 + 0.4 * 0.06 / 2)
    assert FacePicture(256)(FACE, nearly_grey)[2].max() == 0, "what may be nobody by more than half is nobody"


def test_a_matte_lies_within_the_head_and_ends_nowhere_sharply() -> None:
    _, laid, _, matte = FacePicture(256)(FACE, torch.rand(1, 3, 192, 192) * 0.5)
    assert matte[somebody(laid) == 0].max() == 0
    nose = (FACE[0, 1] * 256).long()
    assert matte[0, 0, nose[1], nose[0]] == 1
    assert max((matte[..., 1:, :] - matte[..., :-1, :]).abs().max(), (matte[..., 1:] - matte[..., :-1]).abs().max()) < 0.5


def test_a_matte_leaves_out_shreds_and_follows_an_outline_that_cuts_cells() -> None:
    texture = torch.full((1, 3, 192, 192), 0.5)
    texture[..., 20:150, 40:152] = 0.1
    shredded = texture.clone()
    shredded[..., 60:64, 152:180] = 0.1
    moved = FACE + torch.arange(0, 8, 2)[:, None, None] / 256
    _, _, cover, matte = FacePicture(256)(moved, texture.expand(4, -1, -1, -1))
    *_, more_cover, more_matte = FacePicture(256)(moved, shredded.expand(4, -1, -1, -1))
    torch.testing.assert_close(more_cover, cover, atol=0.5, rtol=0)
    torch.testing.assert_close(more_matte, matte, atol=0.4, rtol=0)
    uncovered = torch.nn.functional.interpolate(cover, scale_factor=8.0) == 0
    assert matte[uncovered].max() > 0.9, "less than half of a cell is the head's, and is laid over, too"


def test_what_is_turned_away_is_the_mirror_image_of_the_other_half() -> None:
    """A head turned so far to the right that its right half is a fifth as wide as it was, with one bright cheek in the left half."""
    turned = FACE.clone()
    right = turned[..., 0] > 0.5
    turned[..., 0] = torch.where(right, 0.5 + (turned[..., 0] - 0.5) * 0.2, turned[..., 0])
    photo, cheek = torch.zeros(1, 3, 256, 256), (FACE[0, 50] * 256).long()
    photo[..., cheek[1] - 10 : cheek[1] + 10, cheek[0] - 10 : cheek[0] + 10] = 255
    texture, straight = FaceTexture()(photo, turned)[0, 0], FaceTexture()(photo, FACE)[0, 0]
    place = (places_in_texture()[50] * 192).long()
    seen, mirrored = (place[1], place[0]), (place[1], 191 - place[0])
    assert texture[seen] > 0.9 < straight[seen]
    assert texture[mirrored] > 0.7
    assert straight[mirrored] < 0.1, "a face from the front stays as it is"


def test_a_texture_and_what_is_laid_out_of_it_stay_colours_beside_sharp_edges() -> None:
    photo = torch.zeros(1, 3, 384, 384)
    photo[..., ::8, :] = 255
    texture = FaceTexture()(photo, FACE)
    assert texture.min() == 0
    assert texture.max() <= 1
    assert FacePicture(256)(FACE, texture.round())[1].abs().max() <= 1


def test_a_texture_is_the_same_whatever_the_head_does() -> None:
    """What lies at the mean face's points of a texture is what lay at the head's points in its photo."""
    turned = FACE * torch.tensor([0.8, 1.1]) + torch.tensor([0.1, -0.06]) + 0.01 * torch.sin(20 * FACE)
    photo = torch.zeros(1, 3, 256, 256)
    nose = (turned[0, 1] * 256).long()
    photo[..., nose[1] - 8 : nose[1] + 8, nose[0] - 8 : nose[0] + 8] = 255
    texture = FaceTexture()(photo, turned)
    place = (places_in_texture()[1] * 192).long()
    assert texture[0, 0, place[1], place[0]] > 0.9
    assert (texture > 0.6).float().mean() < 0.02


@pytest.mark.parametrize("drawing", DRAWINGS.values(), ids=DRAWINGS)
def test_far_from_the_face_a_pose_is_black(drawing: Callable[[torch.Tensor], torch.Tensor]) -> None:
    picture = drawing(FACE)[0]
    assert picture.shape == (3, 256, 256)
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert picture[:, :30].max() < 1e-3
    assert picture[:, :, :50].max() < 1e-3


def test_a_new_controlnet_hears_where_keypoints_are_and_what_a_soft_picture_shows() -> None:
    torch.manual_seed(0)
    embedding = ControlNet(FAMILIES["mini"].unet).network.controlnet_cond_embedding
    here, there = drawn(torch.cat([FACE, FACE + 0.1]))
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
    mask[..., 40:88, 40:88] = 1
    changed = (network(composite, mask) != composite).any(1)[0]
    rows, columns = changed.nonzero().T
    for found in (rows, columns):
        assert found.min() >= 40 - REACH
        assert found.max() < 88 + REACH
    border = changed.clone()
    border[48:80, 48:80] = False
    assert border[40:88, 40:88].sum() > 0.9 * (48**2 - 32**2)
    assert not changed[40 + REACH : 88 - REACH, 40 + REACH : 88 - REACH].any(), "deep within the mask, too"
