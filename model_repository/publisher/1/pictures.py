"""Pictures to files. Needs no Triton."""

import io
import json
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from omokage.stamp import DIGEST, KEY, digest
from PIL import Image
from PIL.PngImagePlugin import PngInfo


def pixels(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """[3, H, W] in -1..1 to [H, W, 3] in 0..255, rounded, on every machine the same."""
    scaled = np.clip((picture.astype(np.float32) + np.float32(1)) * np.float32(127.5), 0, 255)
    return np.ascontiguousarray(np.rint(scaled).astype(np.uint8).transpose(1, 2, 0))


def png(image: npt.NDArray[np.uint8], origin: Mapping[str, object]) -> bytes:
    """A PNG file with `origin` and the SHA-256 of its pixels in a text of its own."""
    info = PngInfo()
    info.add_itxt(KEY, json.dumps({**origin, DIGEST: digest(image.tobytes())}))
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG", pnginfo=info, compress_level=6)
    return stream.getvalue()
