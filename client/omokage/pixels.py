"""From what networks give to what files hold."""

import numpy as np
import numpy.typing as npt


def pixels(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """[3, H, W] in -1..1 to [H, W, 3] in 0..255, rounded, on every machine the same."""
    scaled = np.clip((picture.astype(np.float32) + np.float32(1)) * np.float32(127.5), 0, 255)
    return np.ascontiguousarray(np.rint(scaled).astype(np.uint8).transpose(1, 2, 0))
