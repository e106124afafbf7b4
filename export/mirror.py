"""What a photo turns away of a head is the mirror image of its other half, in the light of what is beside it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from export.somebody import not_grey

LOPSIDED = 0.05  # of what is seen of a face, the share of it by which one half has more if it is turned away
BETTER = 0.2  # by so much one half must be seen better than the other to be taken for it, and wholly by twice as much
SMOOTH = 4  # pixels of a texture, to every side and twice, over which it is told how well a place is seen
ROWS = slice(60, 130)  # of a texture's 192, from over the brows to the mouth
COLUMN, SURE = 0.3, 0.1  # of those rows: what share must be seen better in the other half for a column to be its, and how much more wholly
SOFT = 2  # pixels, to every side, over which one half goes into the other
CELL = 4  # pixels, side of a cell whose light is told
REACHES = (2, 6)  # cells, to every side and three times, over which the light of what is beside goes on, the farther where there is none nearer
ENOUGH = 0.05  # of what is round a cell, the share that must be known for its mean to be taken wholly
DARK = 0.03  # 0..1, added to colours before their logarithm is taken


def made_whole(texture: Tensor, seen: Tensor, face: Tensor) -> Tensor:
    """[B, 3, k, k] in 0..1: textures with the mirror image of what was seen clearly better in the half that is not turned away.

    `seen`, `face` [B, 1, k, k] in 0..1: how well each place was seen, and whether it is of the face. In the half that is turned away not only such
    places are taken from the other, but from the first column that mostly is so all that lies outwards: a head's outline, its hair and an ear are
    then whole, and of one piece.
    """
    away = turned_away(seen * face)
    smooth = _mean(_mean(seen, SMOOTH), SMOOTH)
    better = ((smooth.flip(3) - smooth - BETTER) / BETTER).clamp(0, 1)
    column = ((better[:, :, ROWS].mean(2, keepdim=True) - COLUMN) / SURE).clamp(0, 1)
    share = away * _mean(torch.maximum(better, _outwards(column)), SOFT)
    return texture + share * (_as_beside(texture, away * (1 - share)) - texture)


def turned_away(seen: Tensor) -> Tensor:
    """[B, 1, 1, k]: 1 in the half of which less was seen, 0 in the other; less than 1 where there is little between them."""
    half = seen.shape[3] // 2
    left, right = seen[..., :half].sum((1, 2, 3)), seen[..., half:].sum((1, 2, 3))
    more = (right - left) / (right + left + 1e-6) / LOPSIDED
    halves = torch.stack([more, -more], 1).clamp(0, 1)
    return halves.repeat_interleave(half, 1)[:, None, None]


def _as_beside(texture: Tensor, beside: Tensor) -> Tensor:
    """[B, 3, k, k] in 0..1: the mirror image of textures, as much lighter or darker, colour by colour, as somebody near there in `beside`
    [B, 1, k, k] in 0..1 is than their own mirror image. How much is told in cells."""
    whose = (2 * not_grey(texture * 2 - 1) - 1).clamp(0, 1)
    logarithm, other = (texture + DARK).log(), (texture.flip(3) + DARK).log()
    where = beside * whose * whose.flip(3)
    lighter, weight = (F.avg_pool2d(one, CELL) for one in (where * (logarithm - other).clamp(-1, 1), where))
    lighter = F.interpolate(_spread(lighter, weight), scale_factor=float(CELL), mode="bilinear", align_corners=False)
    return ((other + whose.flip(3) * lighter).exp() - DARK).clamp(0, 1)


def _spread(weighted: Tensor, weight: Tensor) -> Tensor:
    """[B, 3, k, k]: what is known, given times its weight [B, 1, k, k], elsewhere the mean of what is known near there, and 0 far from all of it:
    normalized convolution (Knutsson and Westin 1993) over ever larger surroundings."""
    spread, missing = torch.zeros_like(weighted), torch.ones_like(weight)
    for reach in REACHES:
        for _ in range(3):
            weighted, weight = _mean(weighted, reach), _mean(weight, reach)
        taken = missing * (weight / ENOUGH).clamp(0, 1)
        spread, missing = spread + taken * weighted / (weight + 1e-6), missing - taken
    return spread


def _outwards(row: Tensor) -> Tensor:
    """[B, 1, 1, k]: the largest from the middle to a place, in either half."""
    half = row.shape[3] // 2
    left, right = (_largest_until(one) for one in (row[..., :half].flip(3), row[..., half:]))
    return torch.cat([left.flip(3), right], 3)


def _largest_until(row: Tensor) -> Tensor:
    """[B, 1, 1, k]: the largest of all places up to each one; none may be below 0."""
    count = row.shape[3]
    return F.max_pool2d(torch.cat([row[..., :-1] * 0, row], 3), (1, count), 1)


def _mean(map_: Tensor, reach: int) -> Tensor:
    """Over so many pixels to every side, as far as there are any."""
    return F.avg_pool2d(map_, 2 * reach + 1, 1, reach, count_include_pad=False)
