"""What is behind a head, without the head: the clean plate of compositing."""

import numpy as np
import numpy.typing as npt

from omokage.blur import blurred, stretched
from omokage.system import Floats

Mask = npt.NDArray[np.bool_]

BAND = 18 / 256  # of a portrait's side: how far beside and above a head what was made there is a mixture of both
BELOW = 2 / 256  # of it: how far below, where a neck goes on into what was made
SMALL = 4  # times smaller the filling is computed than it is seen: it has nothing fine
REACHES = (1, 2, 4, 8, 16)  # of 64 pixels: how far round a place colours are taken from, where there are any nearer than that only from there
ENOUGH = 0.05  # of what is round a place, the share that must be known for its mean to be taken wholly


def put_on(picture: Floats, head: Floats, matte: Floats) -> Floats:
    """[1, 3, S, S] in -1..1: a head [1, 3, S, S] of a matte [1, 1, S, S] in 0..1 over the clean plate of a portrait [1, 3, S, S]; see `clean`."""
    plate = clean(picture, matte)
    return np.asarray(plate + matte * (head - plate), np.float32)


def clean(picture: Floats, matte: Floats) -> Floats:
    """[1, 3, S, S] in -1..1: a portrait [1, 3, S, S] with what is farther out spread over where a head of a matte [1, 1, S, S] in 0..1 lies and over
    a band beside and above it, where steps that held the head made fringes of it. S is a multiple of SMALL."""
    return spread_over(picture, fringed(matte))


def spread_over(picture: Floats, where: Mask, strange: Mask | None = None) -> Floats:
    """[1, 3, S, S]: a picture [1, 3, S, S] with what is round these places [S, S] spread over them, but for what is `strange` to them [S, S], unless
    there is nothing else."""
    side = picture.shape[3]
    unknown = where if strange is None or (where | strange).all() else where | strange
    small = unknown.reshape(side // SMALL, SMALL, side // SMALL, SMALL).max((1, 3)).astype(np.float32)
    colours = picture[0].reshape(3, side // SMALL, SMALL, side // SMALL, SMALL).mean((2, 4))
    filled = stretched(spread(colours, 1 - small), SMALL)[None]
    share = np.clip(2 * blurred(where.astype(np.float32), round(BELOW * side) + 1), 0, 1)
    return np.asarray(picture + share * (filled - picture), np.float32)


def fringed(matte: Floats) -> Mask:
    """[S, S]: where `clean` does not leave a portrait as it was made, for a head of a matte [1, 1, S, S]."""
    side = matte.shape[3]
    return near(matte[0, 0] > 0.5, round(BAND * side), round(BELOW * side))


def near(head: Mask, band: int, below: int) -> Mask:
    """[H, W]: which pixels have one of a head [H, W] within so many pixels beside them, and within so many below or, for those below it, above."""
    wide = _any(head, band, band)
    return _any(wide.T, below, band).T


def _any(mask: Mask, before: int, after: int) -> Mask:
    """[H, W]: whether a row has any within so many places to the left or to the right."""
    total = np.cumsum(np.pad(mask, ((0, 0), (before + 1, after))), 1, dtype=np.int32)
    count = before + after + 1
    return np.asarray(total[:, count:] > total[:, :-count], np.bool_)


def spread(colours: Floats, known: Floats) -> Floats:
    """[3, h, w]: the mean of the colours [3, h, w] near every place that are known [h, w] in 0..1: normalized convolution (Knutsson and Westin 1993)
    over ever larger surroundings, until there are any."""
    scale = colours.shape[2] / 64
    filled, missing = np.zeros_like(colours), np.ones_like(known)
    for reach in (max(1, round(scale * one)) for one in REACHES):
        weight = _twice(known, reach)
        taken = missing * np.clip(weight / ENOUGH, 0, 1)
        filled += taken * np.stack([_twice(colour * known, reach) for colour in colours]) / np.maximum(weight, 1e-6)
        missing = missing - taken
    mean = (colours * known).sum((1, 2), keepdims=True) / max(float(known.sum()), 1.0)
    return np.asarray(filled + missing * mean, np.float32)


def _twice(values: Floats, reach: int) -> Floats:
    return blurred(blurred(values, reach), reach)
