"""What latents will look like, without the decoder: small and coarse, and next to free."""

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from omokage.pixels import pixels
from omokage.system import Floats


def coarse(latent: Floats, colours: Sequence[Sequence[float]]) -> npt.NDArray[np.uint8]:
    """Latents [1, C, h, w] as RGB pixels [h, w, 3]; `colours`: C rows of what a channel adds to red, green and blue in -1..1, and what they are
    without any, as `about` gives them."""
    weights = np.asarray(colours, np.float32)
    return pixels(np.einsum("chw,cr->rhw", latent[0], weights[:-1]) + weights[-1][:, None, None])


def file(image: npt.NDArray[np.uint8]) -> bytes:
    """A PNG file of pixels [H, W, 3], quick rather than small."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG", compress_level=1)
    return stream.getvalue()
