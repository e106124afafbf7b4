"""Bytes from outside to a picture, or a refusal that says why. Needs no Triton."""

import io
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from omokage.errors import InvalidRequest

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
MOST_BYTES = 32 * 2**20
MOST_PIXELS = 64_000_000
LEAST_SIDE = 16  # pixels


class BadPhoto(InvalidRequest):
    """It is no photo that can be used."""


@dataclass(frozen=True)
class Photo:
    """`pixels` [H, W, 3] RGB, upright; `notes`: what was done to get there."""

    pixels: npt.NDArray[np.uint8]
    notes: tuple[str, ...]


def read(data: bytes) -> Photo:
    """The photo in a file's bytes: any mode, turned as its camera says, the first picture of an animation. Raises BadPhoto."""
    if not data:
        raise BadPhoto("the photo is empty (0 bytes); send the bytes of a JPEG, PNG or WebP file")
    if len(data) > MOST_BYTES:
        raise BadPhoto(f"the photo has {len(data) / 2**20:.0f} MiB, at most {MOST_BYTES // 2**20} are taken; send a smaller one")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the size is looked at below, before anything is decoded
        try:
            opened = Image.open(io.BytesIO(data), formats=FORMATS)
        except UnidentifiedImageError:
            raise BadPhoto(f"the photo is none of {', '.join(FORMATS)}; it begins with {data[:8]!r}: send the bytes of an image file") from None
        except Image.DecompressionBombError:
            raise BadPhoto(f"the photo says it is far larger than {MOST_PIXELS // 1_000_000} megapixels; send a smaller one") from None
        except (OSError, ValueError, SyntaxError) as error:
            raise BadPhoto(f"the photo cannot be opened ({type(error).__name__}); it may be damaged: send another copy") from None
        width, height = opened.size
        if width * height > MOST_PIXELS:
            raise BadPhoto(f"the photo is {width} x {height}, at most {MOST_PIXELS // 1_000_000} megapixels are taken; send a smaller one")
        if min(width, height) < LEAST_SIDE:
            raise BadPhoto(f"the photo is {width} x {height}, its smaller side must be {LEAST_SIDE} pixels or more; send a larger one")
        try:
            count = getattr(opened, "n_frames", 1)
            opened.load()
            upright = ImageOps.exif_transpose(opened)
            pixels = np.asarray(_rgb(upright), np.uint8)
        except MemoryError:
            raise
        except Exception as error:  # the decoders meet damage with errors of every kind
            raise BadPhoto(f"the photo ends early or is damaged ({type(error).__name__}); send another copy") from None
    notes = [f"the first of {count} pictures was used"] if count > 1 else []
    if upright.size != (width, height):
        notes.append("turned as its camera says")
    return Photo(pixels, tuple(notes))


def _rgb(picture: Image.Image) -> Image.Image:
    """Any mode as RGB; what is transparent becomes white, 16 bits become 8."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture)
        top = np.float32(65535 if values.max() > 255 else 255)
        strips = np.array_split(values, max(1, values.size // 2**20))  # of about a megapixel each: a large picture whole would take gigabytes
        return Image.fromarray(np.concatenate([np.clip(strip * (np.float32(255) / top), 0, 255).astype(np.uint8) for strip in strips])).convert("RGB")
    if "A" in picture.mode or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture.convert("RGB")
