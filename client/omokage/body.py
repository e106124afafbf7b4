"""A picture without its head: its body, which a neck ends above, and its surroundings go on where the head was."""

from typing import NamedTuple

import numpy as np

from omokage.blur import blurred, stretched
from omokage.distance import away, reaching
from omokage.face_mask import CHIN, EARS, below, hull
from omokage.parsing import ON_HEADS, Mask, Parsed
from omokage.plate import spread
from omokage.system import Floats

GROWN = 0.06  # how much larger than its points a face is taken to be
SURE = 0.5  # from which share on the mask engine's pixels count as the person's
RIM, LOOSE = 4, 9  # pixels round a head that have something of it; beside surroundings, where single hairs are
SMALL = 4  # times smaller the filling is computed than it is seen: it has nothing fine
CLOSE = 16  # pixels below a jaw, within which a neck is as wide as it goes on behind a head
NEARER, ELSE = 4, 16.0  # how fast a mirror image counts less with the distance; how much what is spread counts
NARROWEST, LENGTH = 0.55, 0.18  # of a jaw's width, how wide a neck is at least; of a picture's side, how far below the chin it is skin
FADES = (10.0, 64.0)  # pixels below a jaw: a neck takes on a head's tone wholly up to the first, and no more from the second on


class Body(NamedTuple):
    """`picture` [1, 3, S, S] in -1..1; `gone` [S, S]: where the head was; `neck` [S, S] in 0..1: skin, the more the nearer it is to the jaw."""

    picture: Floats
    gone: Mask
    neck: Floats


def without_head(picture: Floats, shows: Parsed, person: Floats, landmarks: Floats) -> Body:
    """Of a picture [1, 3, S, S] in -1..1 that shows such things and a person [S, S] in 0..1, the face with points [468, 2] in 0..1. Every place of the
    head is given to what goes on there, the nearest of surroundings, neck and clothes, whose colours are spread over it. S is a multiple of SMALL."""
    size = picture.shape[3]
    low, jaw = below(landmarks, EARS, size), hull(landmarks, size, GROWN)
    chin = below(landmarks, CHIN, size)
    skin = reaching(shows.most("skin") & ~jaw & (low > 0), chin > 0)
    head = shows.most(*ON_HEADS) | (shows.most("skin") & ~skin) | (shows.most("background") & (person > SURE) & (chin < 0))
    far = away(head)
    gone = far < np.where(shows.most("background"), LOOSE, RIM)
    seen = {"background": shows.most("background") & ~gone, "skin": skin & ~gone, "clothes": shows.most("clothes") & ~gone & (low > 0)}
    known = {name: where for name, where in seen.items() if where.any()}
    if not known:
        return Body(picture, gone, np.zeros((size, size), np.float32))
    neck = _neck(skin, jaw, landmarks)
    may_be = {"background": np.ones_like(gone), "skin": neck, "clothes": (chin > 0) & ~(neck & skin.any())}
    nearest = np.stack([np.where(may_be[name], away(where), np.inf) for name, where in known.items()]).argmin(0)
    shares = {name: blurred((nearest == place).astype(np.float32), 1) for place, name in enumerate(known)}
    over = {name: _over(picture, where) for name, where in known.items()}
    if "background" in over:
        over["background"] = _mirrored(picture, known["background"], over["background"])
    filled = sum(shares[name] * over[name] for name in known) / sum(shares.values())
    own = np.clip(2 * blurred(gone.astype(np.float32), 1), 0, 1)
    skin_now = (1 - own) * shows.share("skin") + own * shares.get("skin", np.float32(0))
    fades = np.clip((FADES[1] - away(jaw)) / (FADES[1] - FADES[0]), 0, 1)
    return Body(np.asarray(picture + own * (filled - picture), np.float32), gone, np.asarray(skin_now * fades * (low > 0), np.float32))


def _neck(skin: Mask, jaw: Mask, landmarks: Floats) -> Mask:
    """[S, S]: where there is a neck, seen or not: from below the ears to below the chin, as wide as its skin [S, S] is close to the jaw [S, S], and
    no narrower than a share of that; and a little round its skin."""
    size = len(skin)
    close = np.flatnonzero((skin & (away(jaw) < CLOSE)).any(0))
    middle, half = float(landmarks[list(CHIN), 0].mean()) * size, NARROWEST / 2 * jaw.any(0).sum()
    ends = [middle - half, middle + half, *close]
    across = np.arange(size)
    within = (across >= min(ends)) & (across <= max(ends)) & (below(landmarks, EARS, size) > 0) & (below(landmarks, CHIN, size) < LENGTH * size)
    return np.asarray(within | (away(skin) < RIM), np.bool_)


def _mirrored(picture: Floats, known: Mask, otherwise: Floats) -> Floats:
    """[1, 3, S, S]: a picture in whose rows what is not known [S, S] is the mirror image of what is beside it, the nearer side the more; `otherwise`
    [1, 3, S, S] where that is not known either. So a wall of bricks stays one."""
    size = len(known)
    across = np.broadcast_to(np.arange(size), known.shape)
    before = np.maximum.accumulate(np.where(known, across, -size), 1)
    after = np.minimum.accumulate(np.where(known, across, 2 * size)[:, ::-1], 1)[:, ::-1]
    total = np.full(known.shape, ELSE / size**NEARER, np.float32)
    found = otherwise * total
    for edge in (before, after):
        source = np.clip(2 * edge - across, 0, size - 1)
        there = np.take_along_axis(known, source, 1) & (source == 2 * edge - across)
        weight = there / (np.abs(across - edge) + 1.0) ** NEARER
        found = found + weight * np.take_along_axis(picture, np.broadcast_to(source, picture.shape), 3)
        total = total + weight
    return np.asarray(np.where(known, picture, found / total), np.float32)


def _over(picture: Floats, known: Mask) -> Floats:
    """[1, 3, S, S]: the colours of the places that are known [S, S], spread over all."""
    side = len(known) // SMALL
    cells = (side, SMALL, side, SMALL)
    count = known.reshape(cells).sum((1, 3)).astype(np.float32)
    colours = (picture[0] * known).reshape(3, *cells).sum((2, 4)) / np.maximum(count, 1)
    return stretched(spread(np.asarray(colours, np.float32), np.asarray(count > 0, np.float32)), SMALL)[None]
