"""The light of one face on another that lies at the same place: the quotient of both, where it is smooth (Shashua and Riklin-Raviv 2001)."""

import numpy as np
import numpy.typing as npt

from omokage.frame import Pixels
from omokage.system import Floats

Doubles = npt.NDArray[np.float64]
DARK = 12.0  # of 255, added to both: what is black says nothing of light
MOST = float(np.log(5))  # of a quotient's logarithm
SHINE = 0.5  # of a light's logarithm: by how much less it makes lighter what is lighter than the face around; a shine owes little to the skin
ODD, ROUNDS = 0.15, 8  # a place whose logarithm is that far off a smooth light counts half; how often the weights are found anew
REACH, ALIKE = 16.0, 60.0  # pixels from the border; of 255: what differs by more there is no light, but hair or a beard


def relit(face: Pixels, reference: Pixels, mask: Floats, share: float) -> Pixels:
    """A face [H, W, 3] with the light and colour of a reference [H, W, 3], so much of it: the quotient of both inside a mask [H, W], by channel, as a
    smooth light tells it. So a beard, glasses or hair of the one leave no shade on the other."""
    if share == 0:
        return face
    own, wanted = (np.log(picture + DARK) for picture in (face, reference))
    light = share * np.clip(_smooth(wanted - own, mask), -MOST, MOST)
    dull = np.exp(np.minimum(own, _smooth(own, mask)))
    found = dull * np.exp(light) + (face + DARK - dull) * np.exp(np.minimum(light, SHINE * light))
    return np.asarray(np.rint(np.clip(found - DARK, 0, 255)), np.uint8)


def met(face: Pixels, reference: Pixels, mask: Floats, share: float) -> Pixels:
    """A face [H, W, 3] that has a reference's [H, W, 3] colours at a mask's border, so much of it: what differs there is spread inwards by the third
    power of the distance, and fades (in the manner of Perez et al. 2003)."""
    border = (mask > 0) & (mask < 1)
    if share == 0 or not border.any():
        return face
    edge, inside = np.argwhere(border).astype(np.float32), np.argwhere(mask > 0).astype(np.float32)
    change = reference[border].astype(np.float32) - face[border]
    change *= share * _near(np.abs(change).mean(1), ALIKE)[:, None]
    far = np.maximum((edge**2).sum(1) - 2 * inside @ edge.T + (inside**2).sum(1)[:, None], 0)
    weight = (far + 2) ** -1.5
    spread = (weight @ change) / weight.sum(1, keepdims=True) * _near(np.sqrt(far.min(1)), REACH)[:, None]
    found = face.copy()
    found[mask > 0] = np.rint(np.clip(face[mask > 0] + spread, 0, 255))
    return found


def _smooth(values: Doubles, mask: Floats) -> Doubles:
    """[H, W, 3]: values [H, W, 3] as second-order polynomials of the place inside a mask [H, W], by least squares in which what is off counts less
    (Cauchy's weights: Holland and Welsch 1977). Light from far away on a round thing is nearly such a one (Basri and Jacobs 2003)."""
    within = mask > 0.5
    down, across = ((one - one[within].mean()) / (2 * one[within].std() + 1) for one in np.indices(mask.shape, np.float64))
    terms = np.stack([np.ones_like(down), across, down, across * across, across * down, down * down], 2)
    known, seen, weight = terms[within], values[within], np.ones((within.sum(), 1))
    found = np.zeros((terms.shape[2], values.shape[2]))
    for _ in range(ROUNDS):
        found = np.linalg.solve(known.T @ (known * weight) + 1e-6 * np.eye(len(found)), known.T @ (seen * weight))
        weight = 1 / (1 + (np.abs(seen - known @ found).mean(1, keepdims=True) / ODD) ** 2)
    return np.asarray(terms @ found)


def _near(off: Floats, reach: float) -> Floats:
    """1 where values are 0, falling to nothing beyond a reach."""
    return np.asarray(np.exp(-((off / reach) ** 2)), np.float32)
