"""Several photos' textures become one: sharp, in one light, without what is worn on some of them."""

from typing import Any

import numpy as np
import pytest
from omokage.merging import GREY, WORN, merged, worn
from omokage.parsing import PARSED

SIDE = 192
DRAW = np.random.default_rng(0)
GLASSES = (slice(80, 92), slice(60, 132))
HAT = (slice(10, 50), slice(40, 150))


def head(light: float = 0.7) -> Any:
    """[1, 3, 192, 192]: somebody in the middle, fine all over, nobody beside."""
    found = np.full((1, 3, SIDE, SIDE), GREY, np.float32)
    found[..., 8:, 30:162] = light * (1 + 0.05 * DRAW.normal(size=(1, 1, SIDE - 8, 132)))
    return found.clip(0, 1)


def wearing(texture: Any, where: tuple[slice, slice], colour: float = 0.0) -> Any:
    found = texture.copy()
    found[..., where[0], where[1]] = colour
    return found


def on(*kinds: str) -> Any:
    """[n, 2, 192, 192]: glasses or a hat on each."""
    masks = np.zeros((len(kinds), 2, SIDE, SIDE), np.float32)
    for one, kind in zip(masks, kinds, strict=True):
        if kind:
            one[list(WORN).index(kind)][GLASSES if kind == "glasses" else HAT] = 1
    return masks


NOTHING = on("", "", "")
INNER = (0, slice(None), slice(120, 160), slice(60, 100))


def test_of_photos_in_different_light_one_is_made_that_is_sharp() -> None:
    """Of two of which one is nearer to the median, what is fine comes from that."""
    photos = [head(0.65), head(0.7), head(0.75)]
    photos[0][..., 8:, 30:162] *= 1 + 0.2 * DRAW.normal(size=(1, 1, SIDE - 8, 132)).clip(-1, 1)
    photos[2][..., 8:, 30:162] *= 1 + 0.2 * DRAW.normal(size=(1, 1, SIDE - 8, 132)).clip(-1, 1)
    found, even = merged(photos, NOTHING), np.median([one[INNER] / one[INNER].mean() * 0.7 for one in (photos[1], head(), head())], 0)
    assert found.shape == (1, 3, SIDE, SIDE)
    assert found[INNER].mean() == pytest.approx(0.7, abs=0.03)
    assert found[INNER].std() > 1.2 * even.std(), "a median alone is soft"


def test_one_that_is_unlike_the_others_tells_nothing_fine() -> None:
    noisy = head()
    noisy[..., 110:170, 50:110] = (0.2 + 0.15 * DRAW.normal(size=(1, 1, 60, 60))).clip(0, 1)
    found = merged([head(), head(), noisy], NOTHING)
    assert found[INNER].mean() > 0.6
    assert found[INNER].std() < 1.5 * head()[INNER].std()


def test_where_a_photo_shows_nobody_it_tells_nothing() -> None:
    """Though the others differ."""
    waves = 0.1 * np.sin(np.arange(SIDE) / 6)
    one, other, half = head(0.7), head(0.7), head(0.7)
    one[..., 40:100, 30:162] += waves[30:162].astype(np.float32)
    other[..., 40:100, 30:162] -= waves[30:162].astype(np.float32)
    half[..., 8:110, 30:162] = GREY
    found = merged([one, other, half], NOTHING)[0, :, 45:80, 60:130]
    assert found.min() > 0.5
    assert found.max() < 0.9


def test_a_hat_that_is_left_out_leaves_no_high_head() -> None:
    bare = head()
    bare[..., :60, :] = GREY
    high = (slice(10, 80), slice(40, 150))
    masks = np.zeros((3, 2, SIDE, SIDE), np.float32)
    masks[1:, list(WORN).index("hat"), *high] = 1
    for hats in (1, 2):
        photos = [bare, *(wearing(bare, high, 0.1) for _ in range(hats))]
        np.testing.assert_allclose(merged(photos, masks[: hats + 1])[0, :, 30, 60:130], GREY, atol=1e-6)


@pytest.mark.parametrize(("kind", "where"), [("glasses", GLASSES), ("hat", HAT)])
def test_what_one_of_two_photos_shows_worn_is_not_the_persons(kind: str, where: tuple[slice, slice]) -> None:
    bare = head()
    found = merged([bare, wearing(bare, where)], on("", kind))
    assert found[0, :, where[0], where[1]].min() > 0.2


def test_glasses_of_most_photos_stay_and_are_whole() -> None:
    photos = [wearing(head(), GLASSES), head(), wearing(head(), GLASSES)]
    found = merged(photos, on("glasses", "", "glasses"))
    assert found[0, :, GLASSES[0], GLASSES[1]].max() < 0.05


def test_a_hat_stays_if_there_is_no_photo_without_one() -> None:
    photos = [wearing(head(), HAT), wearing(head(), HAT)]
    assert merged(photos, on("hat", "hat"))[0, :, 20:40, 60:120].max() < 0.05
    assert merged([*photos, head()], on("hat", "hat", ""))[0, :, 20:40, 60:120].min() > 0.2


def test_where_most_photos_show_nobody_is_nobody() -> None:
    wide = head()
    wide[..., 100:, 10:180] = 0.8
    found = merged([head(), wide, head()], NOTHING)
    np.testing.assert_allclose(found[..., 150, 15], GREY)
    assert (np.abs(found[0, :, 20:180, 40:150] - GREY).max(0) > 0.02).mean() > 0.9


def test_what_is_worn_is_told_of_every_texture_at_the_size_of_a_portrait() -> None:
    asked = []

    def infer(model: str, given: Any) -> Any:
        asked.append((model, given["picture"].shape))
        assert given["picture"].min() >= -1
        parts = np.zeros((1, 8, 256, 256), np.float32)
        parts[:, PARSED.index("hat"), :64] = 1
        return {"parts": parts}

    found = worn(infer, [head(), head()])
    assert asked == [("face_parsing", (1, 3, 256, 256))] * 2
    assert found.shape == (2, 2, SIDE, SIDE)
    assert found[:, list(WORN).index("hat"), :40].min() > 0.95
    assert found[:, list(WORN).index("glasses")].max() == 0
