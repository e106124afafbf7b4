"""Photos of a person to one face."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from omokage.errors import InvalidRequest
from omokage.systems.base import Face

Photo = bytes | str | Path
"""The bytes of an image file, or where it lies."""


def bytes_of(photo: Photo) -> bytes:
    """Raises InvalidRequest for a file that cannot be read."""
    if isinstance(photo, bytes):
        return photo
    try:
        return Path(photo).read_bytes()
    except OSError as error:
        raise InvalidRequest(f"the photo {photo} cannot be read ({error.strerror}); give the path of an image file") from None


def one_or_many(photos: Sequence[Photo] | Photo) -> list[Photo]:
    return [photos] if isinstance(photos, bytes | str | Path) else list(photos)


def together(faces: Sequence[Face]) -> Face:
    """The mean of all; the identity vector is brought back to unit length. Raises InvalidRequest for none at all."""
    if not faces:
        raise InvalidRequest("no photo was given; give one or more photos of one person")
    identity = np.mean([face.identity for face in faces], 0)
    length = np.linalg.norm(identity, axis=1, keepdims=True)
    appearance = np.mean([face.appearance for face in faces], 0)
    return faces[0] if len(faces) == 1 else Face((identity / length).astype(np.float32), appearance.astype(np.float32))
