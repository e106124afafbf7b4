"""What is round a face: hair, ears and neck go with it in space, and stay beside it."""

import cv2
import pytest
import torch
from omokage import pose
from omokage.pose import in_space

from export import conditions
from export.clothes import Clothes
from export.conditions import FacePicture
from export.mean_face import AROUND, EARS, FINER, OVAL, Head, mean_face, reaches, round_face
from export.somebody import somebody
from export.texture import SPAN, FaceTexture, in_head, places_in_texture

BESIDE_93 = OVAL.index(93)  # on the viewer's left


def seen(yaw: float = 0.0, pitch: float = 0.0, size: float = 0.2) -> torch.Tensor:
    """[1, 468, 2]: the mean face turned by degrees, as it is seen in a portrait."""
    turn = torch.from_numpy(in_space(yaw, pitch, 0.0)).float()
    return ((mean_face() @ turn.T)[None, :, :2]) * size + torch.tensor([0.5, 0.45])


def test_the_drawing_and_the_client_mean_the_same_size_of_a_head() -> None:
    assert conditions.EYES_APART == pose.EYES_APART


def test_from_the_front_the_rings_lie_where_the_texture_has_them() -> None:
    points, _ = Head()(seen())
    places = (places_in_texture() - 0.5) * SPAN * 0.2
    found = points[0] - points[0].mean(0)
    torch.testing.assert_close(found, places - places.mean(0), atol=1e-4, rtol=0)


def test_what_lies_behind_a_face_moves_to_the_other_side_when_it_turns() -> None:
    """The outer rings lie at the depth of the ears; in a head that turns by 20 degrees they move against the nose."""
    straight, turned = (Head()(seen(yaw))[0][0] for yaw in (0.0, 20.0))
    nose = (turned - straight)[1, 0]
    near = (turned - straight)[468 + 2 * AROUND + FINER * BESIDE_93, 0]  # of the third ring, beside the point 93: on the viewer's left
    assert mean_face()[1, 2] < 0 < EARS
    assert nose * near < 0


@pytest.mark.parametrize(("yaw", "pitch"), [(-50.0, 0.0), (-25.0, 10.0), (25.0, 0.0), (50.0, 0.0), (0.0, -30.0), (0.0, 30.0)])
def test_no_ring_is_hidden_by_the_face_however_the_head_turns(yaw: float, pitch: float) -> None:
    points = Head()(seen(yaw, pitch))[0][0].numpy()
    outline = cv2.convexHull(points[:468])
    assert max(cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in points[468:]) < 0


@pytest.mark.parametrize("yaw", [-50.0, -25.0, 0.0, 25.0, 50.0])
def test_a_ring_s_points_lie_so_close_that_what_they_carry_is_not_scalloped(yaw: float) -> None:
    """Gaussians 1.5 of their reaches apart add up to the same within a twentieth, between them as on them."""
    points, most = Head()(seen(yaw))
    rings = points[0, 468:].reshape(-1, AROUND, 2)
    apart = (rings - rings.roll(-1, 1)).norm(dim=2)
    reach = torch.minimum(most, reaches(0.0, 0.2)[468:])  # as `FacePicture` takes it
    assert (apart / reach.reshape(-1, AROUND)).max() < 1.5


def test_a_head_that_is_turned_in_its_photo_is_laid_out_from_the_front() -> None:
    """A patch of hair at the depth of the ears, beside a head that turns by 25 degrees, comes to about where it is on one that does not, and its
    mirror image to the half that turns away. Not to just there: a head's outline is round, a patch is not."""
    rings, place = round_face(), 468 + AROUND + FINER * BESIDE_93
    head = torch.cat([mean_face(), rings])
    found = []
    for yaw in (0.0, 25.0):
        turn = torch.from_numpy(in_space(yaw, 0.0, 0.0)).float()
        at = (((head[place] @ turn.T)[:2] * 0.2 + torch.tensor([0.5, 0.45])) * 256).long()
        photo = torch.zeros(1, 3, 256, 256)
        photo[..., at[1] - 5 : at[1] + 6, at[0] - 5 : at[0] + 6] = 255
        light = FaceTexture()(photo, seen(yaw))[0, 0]
        left, right = light[:, :96] > 0.7, light[:, 96:] > 0.7
        assert right.any() == (yaw > 0)
        down, across = left.nonzero().float().mean(0)
        found.append(torch.stack([across, down]) / 192)
    wanted = places_in_texture()[place]
    for one in found:
        assert (one - wanted).norm() * SPAN < 0.3, "distances of the eyes"


@pytest.mark.parametrize("yaw", [-40.0, -20.0, 20.0, 40.0])
def test_a_round_head_of_hair_is_as_wide_on_the_texture_however_its_photo_was_turned(yaw: float) -> None:
    """A ball of hair round the depth of the ears: its outline is a circle from everywhere."""
    lie = []
    for turned in (0.0, yaw):
        middle = torch.tensor([0.0, 0.2, EARS]) @ torch.from_numpy(in_space(turned, 0.0, 0.0)).float().T
        photo = torch.zeros(1, 3, 384, 384)
        across, down = torch.meshgrid(*2 * [(torch.arange(384) + 0.5) / 384], indexing="xy")
        x, y = (middle[:2] * 0.2 + torch.tensor([0.5, 0.45])).tolist()
        photo[..., (across - x).square() + (down - y).square() < (1.7 * 0.2) ** 2] = 255
        lie.append(FaceTexture()(photo, seen(turned))[0, 0, :110] > 0.5)
    both, one = (lie[0] & lie[1]).sum() / (lie[0] | lie[1]).sum(), lie[1].sum() / lie[0].sum()
    assert both > 0.8
    assert 0.8 < one < 1.25


def test_a_head_s_hair_is_its_own_and_what_is_worn_is_not() -> None:
    middle = torch.tensor([0.0, 0.35])
    for place, own in (((0.0, 0.0), 1), ((1.9, 0.5), 1), ((-1.9, -1.0), 1), ((0.0, 1.7), 1), ((1.5, 2.0), 0), ((0.0, 2.4), 0)):
        at = ((torch.tensor(place) - middle) / SPAN + 0.5).reshape(1, 2, 1, 1)
        assert in_head(at).item() == own, place


def test_long_hair_is_covered_as_far_as_it_falls() -> None:
    texture = torch.full((1, 3, 192, 192), 0.5)
    texture[..., 20:140, 20:172] = 0.1  # hair to both sides, and nothing below
    cover = FacePicture(256)(seen(size=0.17), texture)[2][0, 0]

    def at(across: float, down: float) -> float:
        return float(cover[int((0.45 + down * 0.17) * 32), int((0.5 + across * 0.17) * 32)])

    assert at(-1.6, 0.0) == at(1.6, 1.1) == 1
    assert at(1.6, 2.3) == at(-2.6, 0.0) == 0


class Below(Clothes):
    """Clothes are all that is bright."""

    def forward(self, texture: torch.Tensor) -> torch.Tensor:
        return (texture.mean(1, keepdim=True) - 0.5) * 100


def test_hair_and_neck_are_covered_down_to_the_clothes() -> None:
    texture = torch.full((1, 3, 192, 192), 0.1)
    texture[:, :, 160:, 60:132] = 0.9
    plain, seen_below = (FacePicture(256, clothes)(seen(size=0.17), texture)[2][0, 0] for clothes in (None, Below()))

    def at(cover: torch.Tensor, across: float, down: float) -> float:
        return float(cover[int((0.45 + down * 0.17) * 32), int((0.5 + across * 0.17) * 32)])

    for across, down, covered in ((-1.7, 2.1, 1), (1.7, 2.1, 1), (0.0, 2.3, 0)):
        assert at(plain, across, down) == 0
        assert at(seen_below, across, down) == covered, (across, down)
    assert at(seen_below, 0.0, 0.0) == at(plain, 0.0, 0.0) == 1


def test_the_matte_falls_slowly_where_the_neck_ends_and_at_once_beside_the_head() -> None:
    texture = torch.full((1, 3, 192, 192), 0.5)
    texture[..., 20:150, 20:172] = 0.1  # to 1.6 distances of the eyes below them
    matte = FacePicture(256, Below())(seen(size=0.17), texture)[3][0, 0]
    mixed = (matte > 0.02) & (matte < 0.98)
    assert mixed[128:, 128].sum() >= 10
    assert mixed[115].sum() <= 8, "to both sides, at the eyes"


def test_what_is_grey_on_somebody_is_somebody_and_what_is_grey_beside_is_nobody() -> None:
    picture = torch.zeros(1, 3, 64, 64)
    picture[..., 16:48, 16:48] = 0.5
    wanted = (picture[:, :1] > 0).float()
    torch.testing.assert_close(somebody(picture), wanted)
    picture[..., 28:36, 28:36] = 0
    torch.testing.assert_close(somebody(picture), wanted)
    for near_the_edge in (picture.roll(-12, 3), picture.roll(12, 2)):
        assert somebody(near_the_edge)[..., :3].max() == somebody(near_the_edge)[:, :, -3:].max() == 0
