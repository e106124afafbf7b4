"""From linear light to the finished picture: crevices, tone, lens, sensor."""

import cv2
import numpy as np
import numpy.typing as npt

from training.people.assets import Floats

LENS_BLUR_PX = 0.45  # of the finished picture at 256 pixels
NOISE = 0.008  # of the sensor, of full scale


def smaller(image: Floats, size: int) -> Floats:
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.float32)


def crevices(depth: Floats, distance: float, parts: npt.NDArray[np.uint8]) -> Floats:
    """[S, S, 3] darkening where the surroundings are nearer (depth-unsharp ambient occlusion, Luft et al. 2006)."""
    far = distance + 1.5
    filled = np.minimum(np.where(depth > 0, depth, far), far).astype(np.float32)
    open_ = np.ones_like(filled)
    for width, strength in ((0.010, 0.9), (0.03, 0.55)):
        around = cv2.GaussianBlur(filled, (0, 0), width * len(filled))
        open_ -= strength * 1.2 * np.clip(filled - around, 0, 0.5)
    open_ = np.clip(open_, 0.45, 1)
    open_[parts == 0] = 1
    return np.asarray(np.stack([open_**0.8, open_, open_**1.05], axis=2), np.float32)


def developed(linear: Floats, seed: int) -> npt.NDArray[np.uint8]:
    """Linear light [H, W, 3] -> picture: a little less colour, soft highlights, contrast, lens blur, sensor noise."""
    grey = (linear * np.array([0.25, 0.60, 0.15], np.float32)).sum(2, keepdims=True)
    image = np.maximum(grey + (linear - grey) * 0.84, 0) * 1.6
    image = image / (1 + 0.33 * image.max(2, keepdims=True) + 0.22 * image)
    image = np.clip(image, 0, 1) ** (1 / 2.2)
    image = np.clip(image + 0.22 * (image - 0.5) * (1 - np.abs(2 * image - 1)), 0, 1).astype(np.float32)
    image = cv2.GaussianBlur(image, (0, 0), LENS_BLUR_PX * len(image) / 256)
    noise = np.random.default_rng([seed, 4]).standard_normal(image.shape, np.float32) * np.float32(NOISE)
    return np.asarray(np.clip(image + noise, 0, 1) * 255 + 0.5, np.uint8)
