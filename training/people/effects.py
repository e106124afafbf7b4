"""What is done to a finished picture: drawn, painted or toned (OpenCV), or a face pasted in with a broken border."""

import cv2
import numpy as np
import numpy.typing as npt

from training.people.groups import After
from training.people.render import Picture

Image = npt.NDArray[np.uint8]
SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32)


def restyled(image: Image, style: After) -> Image:
    """The picture [H, W, 3] RGB as a pencil sketch, a painting or a sepia print."""
    if style == "sketch":
        _, colour = cv2.pencilSketch(np.ascontiguousarray(image[..., ::-1]), sigma_s=30, sigma_r=0.09, shade_factor=0.04)
        return np.asarray(colour[..., ::-1], np.uint8)
    if style == "painting":
        return np.asarray(cv2.stylization(np.ascontiguousarray(image[..., ::-1]), sigma_s=40, sigma_r=0.35)[..., ::-1], np.uint8)
    return np.clip(image.astype(np.float32) @ SEPIA.T, 0, 255).astype(np.uint8)


def pasted(whole: Picture, donor: Picture, seed: int) -> tuple[Image, Image]:
    """(composite [H, W, 3], mask [H, W] 0 or 255): the donor's face laid over the whole picture by the eyes and mouth,
    slightly off, with its own light and a hard, ragged edge. Outside the mask the picture is the whole one, byte for byte."""
    draw = np.random.default_rng([seed, 9])
    size = whole.image.shape[0]
    source = donor.keypoints.astype(np.float32)
    target = whole.keypoints + draw.normal(0, size / 256, whole.keypoints.shape).astype(np.float32)
    fit, _ = cv2.estimateAffinePartial2D(source, target, method=cv2.LMEDS)
    fit = fit + np.pad(draw.normal(0, 1.5 * size / 256, (2, 1)), ((0, 0), (2, 0)))
    face = cv2.warpAffine(donor.image, fit, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(donor.face.astype(np.uint8) * 255, fit, (size, size), flags=cv2.INTER_NEAREST)
    reach = int(draw.integers(1, 6)) * size // 256
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    mask = cv2.erode(closed, kernel) if draw.random() < 0.6 else cv2.dilate(closed, kernel)
    toned = np.clip(face.astype(np.float32) * draw.uniform(0.85, 1.15, 3) + draw.normal(0, 6), 0, 255).astype(np.uint8)
    return np.where(mask[..., None] > 0, toned, whole.image).astype(np.uint8), np.asarray(mask, np.uint8)
