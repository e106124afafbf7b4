"""The half of a head that a photo turns away is its other half's mirror image, whole and in its own light."""

import torch
from torch import Tensor

from export.mirror import made_whole, turned_away

SIDE = 192


def head(left: float = 0.2, right: float = 0.2) -> Tensor:
    """[1, 3, 192, 192]: a head 120 pixels wide on grey, its halves of two brightnesses."""
    texture = torch.full((1, 3, SIDE, SIDE), 0.5)
    texture[..., 20:180, 36:96], texture[..., 20:180, 96:156] = left, right
    return texture


def seen(hidden: slice | None = None) -> Tensor:
    """[1, 1, 192, 192]: how well a head is seen of which the face's rows are turned away in some columns."""
    well = torch.ones(1, 1, SIDE, SIDE)
    if hidden is not None:
        well[..., 50:140, hidden] = 0
    return well


FACE = torch.ones(1, 1, SIDE, SIDE)


def test_from_where_a_face_is_hidden_outwards_all_is_the_other_half_s() -> None:
    """A ring of a face is turned away; outside it there are shreds of what is behind it, over it a dent in the outline."""
    shreds = head()
    shreds[..., 140:, 150:180] = 0.9
    shreds[..., 20:50, 135:] = 0.5
    found = made_whole(shreds, seen(slice(120, 140)), FACE)
    torch.testing.assert_close(found[..., 130:], head()[..., 130:], atol=1e-3, rtol=0)
    torch.testing.assert_close(found[..., :96], head()[..., :96], atol=1e-5, rtol=0)


def test_a_mirrored_half_goes_on_in_the_light_of_what_is_seen_beside_it() -> None:
    lit = head(left=0.6, right=0.2)
    found = made_whole(lit, seen(slice(120, 140)), FACE)
    torch.testing.assert_close(found[..., 30:170, 126:150], lit[..., 30:170, 126:150], atol=0.02, rtol=0)
    torch.testing.assert_close(found[..., 160:], lit[..., 160:], atol=1e-3, rtol=0, msg="nobody's grey stays grey")


def test_a_head_from_the_front_stays_as_it_is() -> None:
    uneven = torch.rand(1, 3, SIDE, SIDE)
    torch.testing.assert_close(made_whole(uneven, seen(), FACE), uneven)


def test_a_nose_that_hides_a_little_of_a_cheek_does_not_cost_all_that_lies_outwards() -> None:
    uneven, well = torch.rand(1, 3, SIDE, SIDE), seen()
    well[..., 95:110, 100:106] = 0
    found = made_whole(uneven, well, FACE)
    torch.testing.assert_close(found[..., 125:], uneven[..., 125:])


def test_the_half_of_which_less_was_seen_is_turned_away() -> None:
    away = turned_away(seen(slice(100, 192)))
    assert away[..., 96:].min() == 1
    assert away[..., :96].max() == 0
