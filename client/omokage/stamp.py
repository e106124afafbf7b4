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


def digest(picture: Image.Image) -> str:
    """SHA-256 of mode, size and pixels."""
    return hashlib.sha256(f"{picture.mode} {picture.size} ".encode() + picture.tobytes()).hexdigest()


def read(path: Path) -> Stamp:
    """Raises InvalidRequest for a file that is no picture, or no portrait of ours."""
    try:
        with Image.open(path) as picture:
            found, text = digest(picture), picture.info.get(KEY)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidRequest(f"{path} cannot be read as a picture ({type(error).__name__}); give the PNG file of a portrait") from None
    if text is None:
        raise InvalidRequest(f"{path} does not say how it was made: it is no portrait of Omokage, or another program wrote it anew")
    try:
        origin = dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise InvalidRequest(f"what {path} says of how it was made cannot be read ({type(error).__name__}); it was changed") from None
    return Stamp({name: value for name, value in origin.items() if name != DIGEST}, origin.get(DIGEST) == found)
