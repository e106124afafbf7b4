"""One texture of several photos of a person, as `texture.py` has it of one."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from omokage.blur import blurred
from omokage.parsing import parsed
from omokage.shading import smooth
from omokage.system import Floats, Infer

SEEN = 256  # pixels at which a texture is parsed, as a portrait
WORN = {"glasses": (60.0, 0.5), "hat": (400.0, 0.99)}
"""What is worn, from how many pixels of a texture on somebody wears it, and of more than what share of the photos it is kept: hats change."""
ROUND = 6  # pixels round what is worn that it casts its shadow on
FINE, NEAR = 4, 24  # pixels of a texture: what is finer is fine, and how far round a place its photos are compared
ALIKE = 0.004  # 0..1, difference of two photos by which one counts e times the other
GREY, SOMEBODY = 127 / 255, 0.02  # of nobody, in 0..1; who differs from it by more is somebody
RIM = 2  # pixels of a head, whose colours come from farther in: something of what is behind is in them
ENOUGH = 200  # pixels, from which on they tell of the light
DARK = 0.05  # of 1, added before logarithms are taken


def worn(infer: Infer, textures: Sequence[Floats]) -> Floats:
    """[n, 2, 192, 192] in 0..1: where textures [1, 3, 192, 192] in 0..1 show WORN. Raises whatever `infer` raises."""
    return np.stack([[_sized(one, len(texture[0, 0])) for one in _worn(infer, texture)] for texture in textures])


def _worn(infer: Infer, texture: Floats) -> list[Floats]:
    """[SEEN, SEEN] in 0..1 each: where a texture [1, 3, H, W] in 0..1 shows each of WORN."""
    picture = np.stack([_sized(channel, SEEN) for channel in texture[0]])[None]
    shows = parsed(infer, np.asarray(picture * 2 - 1, np.float32))
    return [shows.share(name) for name in WORN]


def _sized(values: Floats, side: int) -> Floats:
    """[side, side] in 0..1: values [H, W] in 0..1, larger or smaller."""
    return np.asarray(Image.fromarray(values).resize((side, side), Image.Resampling.BICUBIC), np.float32).clip(0, 1)


def merged(textures: Sequence[Floats], masks: Floats) -> Floats:
    """[1, 3, 192, 192]: one of n textures [1, 3, 192, 192] in 0..1, on which `masks` [n, 2, 192, 192] in 0..1 say what is worn. What is usually worn
    is on it as those have it who wear it, all else is not. Coarsely it is their median, place by place, each in the light of all; what is fine comes,
    near every place, from the one that is most like it: a median alone is soft."""
    given = np.stack(textures)[:, 0]  # [n, 3, 192, 192]
    there = (np.abs(given - GREY).max(1) > SOMEBODY).astype(np.float32)
    votes = _counts(masks)
    counts = there * votes
    seen = _in_one_light(given, _median(given, counts), counts)
    middle = _median(seen, counts)
    apart = np.stack([_near(np.abs(one - middle).mean(0, keepdims=True), count, NEAR)[0] for one, count in zip(seen, counts, strict=True)])
    apart = np.where(counts > 0, apart, 1)  # who does not count at a place is as unlike as can be
    shares = np.exp((apart.min(0) - apart) / ALIKE) * counts
    shares /= np.maximum(shares.sum(0), 1e-6)
    asked = votes.sum(0)  # a hat that is left out does not make a head as high
    shown = np.where(asked > 0.5, counts.sum(0) / np.maximum(asked, 1e-6), there.mean(0))
    somebody = (blurred(shown.astype(np.float32), RIM) >= 0.5).astype(np.float32)
    fine = sum(share * (one - _near(one, count, FINE)) for share, one, count in zip(shares, seen, counts, strict=True))
    whole = np.clip(_near(middle, somebody, FINE) + fine, 0, 1)
    inner = blurred(somebody, RIM) > 0.999
    whole = np.where(inner, whole, _near(whole, inner.astype(np.float32), 2 * RIM))
    return np.asarray(GREY + somebody * (whole - GREY), np.float32)[None]


def _near(values: Floats, counts: Floats, reach: int) -> Floats:
    """[C, H, W]: means of values [C, H, W] near every place, as much as they count there [H, W]."""
    total = np.maximum(blurred(counts, reach), 1e-6)
    return np.stack([blurred(one * counts, reach) / total for one in values])


def _counts(masks: Floats) -> Floats:
    """[n, 192, 192] in 0..1: how much each texture counts at each place, by what is worn there [n, 2, 192, 192] in 0..1."""
    found = np.ones(masks[:, 0].shape, np.float32)
    for place, (least, usual) in enumerate(WORN.values()):
        wide = np.stack([np.clip(3 * blurred(one, ROUND), 0, 1) for one in masks[:, place]])
        wears = masks[:, place].sum((1, 2)) > least
        if wears.mean() > usual:
            found *= np.where(wears[:, None, None], 1, 1 - wide[wears].max(0))
        else:
            found *= np.where(wears[:, None, None], 1 - wide, 1)
    return found


def _median(seen: Floats, counts: Floats) -> Floats:
    """[3, 192, 192]: place by place, of the textures [n, 3, 192, 192] that count [n, 192, 192] there; of all, where none does."""
    used = np.where((counts > 0.5)[:, None], seen, np.nan)
    used = np.where((counts > 0.5).any(0), used, seen)
    return np.asarray(np.nanmedian(used, 0), np.float32)


def _in_one_light(seen: Floats, middle: Floats, counts: Floats) -> Floats:
    """[n, 3, 192, 192]: textures as light and of such a tint as their median [3, 192, 192] is, where that is smooth."""
    found = []
    for one, count in zip(seen, counts, strict=True):
        if (count > 0.5).sum() < ENOUGH:
            found.append(one)
            continue
        change = np.log(middle + DARK) - np.log(one + DARK)
        light = smooth(change.transpose(1, 2, 0).astype(np.float64), count > 0.5).transpose(2, 0, 1)
        found.append(np.clip((one + DARK) * np.exp(light) - DARK, 0, 1))
    return np.asarray(found, np.float32)
