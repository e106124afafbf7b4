"""A frame of a plan -> what goes into a shard: record, encoded image, maps."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.people import effects, groups, truth
from training.people.groups import Frame
from training.people.plan import Plan
from training.people.render import Renderer

WEBP_QUALITY = 92  # 39 dB, half the loading time of a lossless file
Sample = tuple[dict[str, Any], tuple[str, bytes], dict[str, bytes]]


def encoded(image: npt.NDArray[np.uint8], *, lossless: bool) -> tuple[str, bytes]:
    """(file ending, bytes) of an RGB image [H, W, 3]."""
    bgr = np.ascontiguousarray(image[..., ::-1])
    if lossless:
        return "png", cv2.imencode(".png", bgr, truth.PNG_FAST)[1].tobytes()
    return "webp", cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])[1].tobytes()


class Artist:
    """Draws the frames of one plan."""

    def __init__(self, plan: Plan) -> None:
        self._renderer = Renderer(plan.size)
        self._lossless = groups.KINDS[plan.kind].lossless

    def sample(self, key: str, group: str, frame: Frame) -> Sample:
        """(record, image, maps) of a frame; maps gain `mask.png` where a face was pasted in."""
        picture = self._renderer.picture(frame.person, frame.shot)
        image, maps = picture.image, truth.maps(picture)
        if frame.donor is not None:
            donor = self._renderer.picture(frame.person, frame.donor)
            image, mask = effects.pasted(picture, donor, frame.donor.tint_seed)
            maps["mask.png"] = cv2.imencode(".png", mask, truth.PNG_FAST)[1].tobytes()
        elif frame.after:
            image = effects.restyled(image, frame.after)
        return truth.record(frame, picture, group, key), encoded(image, lossless=self._lossless), maps
