"""A picture without its head: its body, which a neck ends above, and its surroundings go on where the head was."""

from typing import NamedTuple

import numpy as np

from omokage.blur import blurred, stretched
from omokage.distance import away, reaching
from omokage.face_mask import CHIN, EARS, below, hull
from omokage.parsing import ON_HEADS, Parsed
from omokage.plate import Mask, spread
from omokage.system import Floats

GROWN = 0.06  # how much larger than its points a face is taken to be
SURE = 0.5  # from which share on the mask engine's pixels count as the person's
HANGS = 6  # pixels from a head, up to which an earring is on it
FEATHER = 4  # pixels over which surroundings go over into what they are where the head was
RIM, LOOSE = 4, 9  # pixels round a head that have something of it; beside surroundings, where single hairs are
SMALL = 4  # times smaller the filling is computed than it is seen: it has nothing fine
CLOSE = 16  # pixels below a jaw, within which a neck is as wide as it goes on behind a head
SOFT, ELSE = 6.0, 0.1  # pixels of a row that count nearly alike; how many of its nearest pixels what is spread from all around counts as
NARROWEST, LENGTH = 0.55, 0.18  # of a jaw's width, how wide a neck is at least; of a picture's side, how far below the chin it is skin
FADES = (10.0, 64.0)  # pixels below a jaw: a neck takes on a head's tone wholly up to the first, and no more from the second on


class Body(NamedTuple):
    """`picture` [1, 3, S, S] in -1..1; `anew` [S, S] in 0..1: where the head was; `neck` [S, S] in 0..1: skin, the more the nearer the jaw."""

    picture: Floats
    anew: Floats
    neck: Floats


def without_head(picture: Floats, shows: Parsed, person: Floats, landmarks: Floats) -> Body:
    """Of a picture [1, 3, S, S] in -1..1 that shows such things and a person [S, S] in 0..1, the face with points [468, 2] in 0..1. Every place of
    the head is given to what goes on there, the nearest of surroundings, neck and clothes. S is a multiple of SMALL."""
    size = picture.shape[3]
    low, chin, jaw = below(landmarks, EARS, size), below(landmarks, CHIN, size), hull(landmarks, size, GROWN)
    skin = reaching(shows.most("skin") & ~jaw & (low > 0), chin > 0)
    gone = _head(shows, skin, (person > SURE) & (chin < 0), jaw)
    shown = {"background": shows.most("background") & ~gone, "skin": skin & ~gone, "clothes": shows.most("clothes") & ~gone & (low > 0)}
    known = {name: where for name, where in shown.items() if where.any()}
    if not known:
        return Body(picture, np.zeros((size, size), np.float32), np.zeros((size, size), np.float32))
    neck = _neck(skin, jaw, landmarks)
    may_be = {"background": np.ones_like(gone), "skin": neck, "clothes": (chin > 0) & ~(neck & skin.any())}
    off = np.stack([np.where(may_be[name], away(where), np.inf) for name, where in known.items()])
    shares = {name: blurred((off.argmin(0) == place).astype(np.float32), 1) for place, name in enumerate(known)}
    hard, soft = (np.clip(2 * blurred(gone.astype(np.float32), reach), 0, 1) for reach in (1, FEATHER))
    goes_on = np.isfinite(off).any(0)  # else it stays: hair of a head that fills the picture
    anew = np.maximum(hard, soft * shows.share("background")) * goes_on
    skin_now = (1 - anew) * shows.share("skin") + anew * shares.get("skin", np.float32(0))
    fades = np.clip((FADES[1] - away(jaw)) / (FADES[1] - FADES[0]), 0, 1)
    whole = picture + anew * (_filled(picture, known, shares) - picture)
    return Body(np.asarray(whole, np.float32), anew, np.asarray(skin_now * fades * (low > 0), np.float32))


def _head(shows: Parsed, neck: Mask, someone: Mask, jaw: Mask) -> Mask:
    """[S, S]: where a head is, and so close to it that something of it is there: what hangs together with the face, in the hull [S, S] of its jaw, of
    what is on heads, of skin that is no neck [S, S], and of what only the mask engine calls someone [S, S]."""
    head = shows.most(*ON_HEADS) | (shows.most("skin") & ~neck) | (shows.most("background") & someone)
    head &= reaching(away(head) < HANGS, jaw)
    return np.asarray(away(head) < np.where(shows.most("background"), LOOSE, RIM), np.bool_)


def _filled(picture: Floats, known: dict[str, Mask], shares: dict[str, Floats]) -> Floats:
    """[1, 3, S, S]: what goes on everywhere, as much of each as its share [S, S] says, from where it is known [S, S]."""
    over = {name: _over(picture, where) for name, where in known.items()}
    if "background" in over:
        over["background"] = _along_rows(picture, known["background"], over["background"])
    return np.asarray(sum(shares[name] * over[name] for name in known) / sum(shares.values()), np.float32)


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


def _along_rows(picture: Floats, known: Mask, otherwise: Floats) -> Floats:
    """[1, 3, S, S]: a picture in whose rows what is known [S, S] is spread over what is not, by the inverse square of the distance; `otherwise`
    [1, 3, S, S] where little is known. So a horizon, a shelf or a window's frame goes on."""
    across = np.arange(len(known), dtype=np.float32)
    near = (np.abs(across[:, None] - across) + SOFT) ** -2
    total = known.astype(np.float32) @ near + ELSE * SOFT**-2
    return np.asarray(((picture * known) @ near + ELSE * SOFT**-2 * otherwise) / total, np.float32)


def _over(picture: Floats, known: Mask) -> Floats:
    """[1, 3, S, S]: the colours of the places that are known [S, S], spread over all."""
    side = len(known) // SMALL
    cells = (side, SMALL, side, SMALL)
    count = known.reshape(cells).sum((1, 3)).astype(np.float32)
    colours = (picture[0] * known).reshape(3, *cells).sum((2, 4)) / np.maximum(count, 1)
    return stretched(spread(np.asarray(colours, np.float32), np.asarray(count > 0, np.float32)), SMALL)[None]
