"""The light of one face on another that lies at the same place: the quotient of both, where it is smooth (Shashua and Riklin-Raviv 2001)."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from omokage.blur import softened
from omokage.frame import Pixels
from omokage.system import Floats

Doubles = npt.NDArray[np.float64]
DARK = 12.0  # of 255, added to both: what is black says nothing of light
SHINE = 0.5  # how much of a light's logarithm what is lighter than the face around takes on, where light grows: a shine owes little to the skin
ODD, ROUNDS = 0.15, 8  # a place whose logarithm is that far off a smooth light's counts half; how often the weights are found anew
WHOLLY, REST = 0.25, 0.4  # of a tone's logarithm: so much is taken on wholly, and of what is beyond that such a share: skin is a person's, too
TURNED = (-0.7, 0.5)  # least and most of a light's logarithm at a place, against its mean over the face
OTHERS, LIGHTER, DARKER = 0.5, 0.3, 0.5  # of all that, what hair and the like take on, of whose tone nothing is known; at most so much of a tone
LIKE_SKIN, UNLIKE = 0.5, 0.4  # of a logarithm: so near to the skin around a place is skin; by which it counts 1/e beyond


class Light(NamedTuple):
    """Logarithms by channel: `usual` [H, W, 3] of a face, smooth; of what another's light and skin add to it `tone` [3], their mean, and `turned`
    [H, W, 3], the rest at each place."""

    usual: Doubles
    turned: Doubles
    tone: Doubles

    @property
    def taken_on(self) -> Doubles:
        """[3]: so much of the tone as a face takes on."""
        off = float(np.abs(self.tone).mean())
        return self.tone if off <= WHOLLY else self.tone * ((WHOLLY + REST * (off - WHOLLY)) / off)


def light(face: Pixels, reference: Pixels, where: Floats) -> Light:
    """What makes a face [H, W, 3] look as a reference's [H, W, 3] does, as they tell where both are [H, W] in 0..1, some of it above .5: as a smooth
    light has it, so that most of what a beard, glasses or hair of the one would shade on the other is left out."""
    own, wanted = logarithms(face), logarithms(reference)
    within = where > 0.5
    usual, found = (smooth(values, within) for values in (own, wanted - own))
    tone = found[within].mean(0)
    return Light(usual, np.clip(found - tone, *TURNED), tone)


def relit(face: Pixels, by: Light, skin: Floats, share: float) -> Pixels:
    """A face [H, W, 3] with so much of a light 0..1; `skin` [H, W] in 0..1: where it is skin. Where that gets lighter, what is lighter than the skin
    around gets so by the square root only (SHINE); what is no skin takes on the turn of the light and less of its tone (OTHERS)."""
    own, tone = logarithms(face), share * by.taken_on
    change = share * by.turned + tone
    dull = np.minimum(own, by.usual)
    on_skin = np.exp(dull + change) + (np.exp(own) - np.exp(dull)) * np.exp(np.minimum(change, SHINE * change))
    on_others = np.exp(own + OTHERS * (share * by.turned + np.clip(tone, -DARKER, LIGHTER)))
    unlike = np.maximum(np.abs(own - by.usual).mean(2) - LIKE_SKIN, 0)
    weight = softened((skin * np.exp(-((unlike / UNLIKE) ** 2))).astype(np.float32), 1)
    return _levels(on_others + weight[..., None] * (on_skin - on_others))


def toned(picture: Pixels, where: Floats, tone: Doubles) -> Pixels:
    """A picture [H, W, 3] with a tone [3] of logarithms added, so much of it as `where` [H, W] in 0..1 says."""
    return np.where(where[..., None] > 0, _levels(np.exp(logarithms(picture) + where[..., None] * tone)), picture)


def logarithms(picture: Pixels) -> Doubles:
    """Of levels 0..255 and DARK."""
    return np.asarray(np.log(picture + DARK), np.float64)


def _levels(lights: Doubles) -> Pixels:
    """0..255 of levels to which DARK was added."""
    return np.asarray(np.rint(np.clip(lights - DARK, 0, 255)), np.uint8)


def smooth(values: Doubles, within: npt.NDArray[np.bool_]) -> Doubles:
    """[H, W, 3]: values [H, W, 3] as second-order polynomials of the place within [H, W], by least squares in which what is off counts less (Cauchy's
    weights: Holland and Welsch 1977), from the median on, and nowhere beyond what they are within. A far light on a round thing is nearly such (Basri
    and Jacobs 2003)."""
    down, across = ((one - one[within].mean()) / (2 * one[within].std() + 1) for one in np.indices(within.shape, np.float64))
    terms = np.stack([np.ones_like(down), across, down, across * across, across * down, down * down], 2)
    known, seen = terms[within], values[within]
    found = np.zeros((terms.shape[2], values.shape[2]))
    found[0] = np.median(seen, 0)
    for _ in range(ROUNDS):
        weight = 1 / (1 + (np.abs(seen - known @ found).mean(1, keepdims=True) / ODD) ** 2)
        found = np.linalg.solve(known.T @ (known * weight) + 1e-6 * np.eye(len(found)), known.T @ (seen * weight))
    everywhere = terms @ found
    return np.asarray(np.clip(everywhere, everywhere[within].min(0), everywhere[within].max(0)))
