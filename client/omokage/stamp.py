"""What a portrait's file says of how it was made."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from omokage.errors import InvalidRequest

KEY = "omokage"  # of the PNG's text
DIGEST = "pixels_sha256"


@dataclass(frozen=True)
class Stamp:
    """`origin`: system, family, seed, steps, likeness. `unchanged`: whether the pixels are those it was written for; a forger can write both anew."""

    origin: dict[str, Any]
    unchanged: bool


def digest(pixels: bytes) -> str:
    """SHA-256 of RGB pixels, row by row."""
    return hashlib.sha256(pixels).hexdigest()


def read(path: Path) -> Stamp:
    """Raises InvalidRequest for a file that is no picture, or no portrait of ours."""
    try:
        with Image.open(path) as picture:
            pixels = picture.convert("RGB").tobytes()
            text = picture.info.get(KEY)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise InvalidRequest(f"{path} cannot be read as a picture ({type(error).__name__}); give the PNG file of a portrait") from None
    if text is None:
        raise InvalidRequest(f"{path} does not say how it was made: it is no portrait of Omokage, or another program wrote it anew")
    origin = json.loads(text)
    return Stamp({name: value for name, value in origin.items() if name != DIGEST}, origin.get(DIGEST) == digest(pixels))
