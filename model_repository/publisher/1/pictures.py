"""Pictures to files. Needs no Triton."""

import io
import json
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from omokage.stamp import DIGEST, KEY, digest
from PIL import Image
from PIL.PngImagePlugin import PngInfo


def png(image: npt.NDArray[np.uint8], origin: Mapping[str, object]) -> bytes:
    """A PNG file with `origin` and the SHA-256 of its pixels in a text of its own."""
    info = PngInfo()
    picture, stream = Image.fromarray(image), io.BytesIO()
    info.add_itxt(KEY, json.dumps({**origin, DIGEST: digest(picture)}))
    picture.save(stream, "PNG", pnginfo=info, compress_level=6)
    return stream.getvalue()
