"""The light of one face on another that lies at the same place: its coarse part tells light and colour (Shashua and Riklin-Raviv 2001)."""

import numpy as np

from omokage.blur import blurred
from omokage.frame import Pixels
from omokage.system import Floats

COARSE = 0.06  # sides of the picture: the reach of what counts as light, not as a feature of the face
LEAST, MOST = 0.25, 4.0  # factors on light
DARK = 12.0  # of 255, added to both lights: what is black says nothing of light


def relit(face: Pixels, reference: Pixels, mask: Floats, share: float) -> Pixels:
    """A face [H, W, 3] with the light and colour of a reference [H, W, 3] inside a mask [H, W]: the quotient of both coarse pictures, channel by
    channel, to the power of the share."""
    if share == 0:
        return face
    lights = [light_of(picture, mask) + DARK for picture in (reference, face)]
    factor = np.clip(lights[0] / lights[1], LEAST, MOST) ** np.float32(share)
    return np.asarray(np.rint(np.clip(face * factor, 0, 255)), np.uint8)


def light_of(picture: Pixels, mask: Floats) -> Floats:
    """[H, W, 3]: means of a picture over what lies in the mask; elsewhere nothing counts."""
    weight = _twice(mask) + 1e-4
    return np.stack([_twice(picture[..., channel] * mask) / weight for channel in range(3)], 2)


def _twice(values: Floats) -> Floats:
    reach = round(COARSE * len(values))
    return blurred(blurred(values, reach), reach)
