"""The light of one face on another that lies at the same place: the quotient of both, where it is smooth (Shashua and Riklin-Raviv 2001)."""

import numpy as np
import numpy.typing as npt

from omokage.frame import Pixels
from omokage.system import Floats

Doubles = npt.NDArray[np.float64]
DARK = 12.0  # of 255, added to both: what is black says nothing of light
MOST = float(np.log(5))  # of a quotient's logarithm
SHINE = 0.5  # how much of a light's logarithm what is lighter than the face around takes on, where light grows: a shine owes little to the skin
ODD, ROUNDS = 0.15, 8  # a place whose logarithm is that far off a smooth light's counts half; how often the weights are found anew
REACH, ALIKE = 16.0, 60.0  # pixels from the border; of 255: where colours differ by more they hardly count, it is hair or a beard
AT_ONCE = 4096  # places whose distances to the border are held


def shaded(face: Pixels, reference: Pixels, mask: Floats, share: float) -> Pixels:
    """A face [H, W, 3] with a share 0..1 of the light and colour of a reference [H, W, 3], as both have them inside a mask [H, W] in 0..1."""
    if share == 0 or not (mask > 0.5).any():
        return face
    whole = met(relit(face, reference, mask), reference, mask).astype(np.float32)
    return np.asarray(np.rint(face + share * (whole - face)), np.uint8)


def relit(face: Pixels, reference: Pixels, mask: Floats) -> Pixels:
    """A face [H, W, 3] with the light and colour of a reference [H, W, 3]: the quotient of both inside a mask [H, W] in 0..1, some of it above .5, by
    channel, as a smooth light tells it: most of what a beard, glasses or hair of the one would shade on the other is left out. Where it gets lighter,
    what is lighter than the face around gets so by the square root only (SHINE)."""
    own, wanted = (np.log(picture + DARK) for picture in (face, reference))
    light = np.clip(_smooth(wanted - own, mask), -MOST, MOST)
    dull = np.exp(np.minimum(own, _smooth(own, mask)))
    found = dull * np.exp(light) + (face + DARK - dull) * np.exp(np.minimum(light, SHINE * light))
    return np.asarray(np.rint(np.clip(found - DARK, 0, 255)), np.uint8)


def met(face: Pixels, reference: Pixels, mask: Floats) -> Pixels:
    """A face [H, W, 3] whose colours are nearer to a reference's [H, W, 3] at the border of a mask [H, W] in 0..1, the more so the less they differ.
    What they are changed by goes on inwards, weighted by the inverse third power of the distance, and fades (in the manner of Perez et al. 2003)."""
    border = (mask > 0) & (mask < 1)
    if not border.any():
        return face
    edge = np.argwhere(border).astype(np.float32)
    change = reference[border].astype(np.float32) - face[border]
    change *= _near(np.abs(change).mean(1), ALIKE)[:, None]
    found = face.copy()
    for places in np.array_split(inside := np.argwhere(mask > 0), -(-len(inside) // AT_ONCE)):
        far = ((places[:, None].astype(np.float32) - edge) ** 2).sum(2)
        weight = (far + 2) ** -1.5
        spread = (weight @ change) / weight.sum(1, keepdims=True) * _near(np.sqrt(far.min(1)), REACH)[:, None]
        found[tuple(places.T)] = np.rint(np.clip(face[tuple(places.T)] + spread, 0, 255))
    return found


def _smooth(values: Doubles, mask: Floats) -> Doubles:
    """[H, W, 3]: values [H, W, 3] as second-order polynomials of the place inside a mask [H, W], by least squares in which what is off counts less
    (Cauchy's weights: Holland and Welsch 1977), from the median on. A far light on a round thing is nearly such (Basri and Jacobs 2003)."""
    within = mask > 0.5
    down, across = ((one - one[within].mean()) / (2 * one[within].std() + 1) for one in np.indices(mask.shape, np.float64))
    terms = np.stack([np.ones_like(down), across, down, across * across, across * down, down * down], 2)
    known, seen = terms[within], values[within]
    found = np.zeros((terms.shape[2], values.shape[2]))
    found[0] = np.median(seen, 0)
    for _ in range(ROUNDS):
        weight = 1 / (1 + (np.abs(seen - known @ found).mean(1, keepdims=True) / ODD) ** 2)
        found = np.linalg.solve(known.T @ (known * weight) + 1e-6 * np.eye(len(found)), known.T @ (seen * weight))
    return np.asarray(terms @ found)


def _near(off: Floats, reach: float) -> Floats:
    """How near values are to 0, each: 1 there, 1/e at a reach, nothing far beyond."""
    return np.asarray(np.exp(-((off / reach) ** 2)), np.float32)
