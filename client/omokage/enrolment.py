"""Photos of a person to one face."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from omokage.errors import InvalidRequest
from omokage.merging import merged, worn
from omokage.system import Face, Infer

Photo = bytes | str | Path
"""The bytes of an image file, or where it lies."""
MOST_PHOTOS = 12
LARGE = 112.0  # pixels, width of a face from which on it loses nothing when it is aligned
SAME_PERSON = 0.42
"""Cosine of identity vectors. Of 840 rendered people .1 % of third photos lie below it against the first two, and 82 % of somebody else's;
of single pairs 1.3 % and 88 %."""


@dataclass(frozen=True)
class Look:
    """What one photo shows. `quality`: its weight among several."""

    face: Face
    quality: float
    notes: tuple[str, ...] = ()


def bytes_of(photo: Photo) -> bytes:
    """Raises InvalidRequest for a file that cannot be read."""
    if isinstance(photo, bytes):
        return photo
    try:
        return Path(photo).read_bytes()
    except OSError as error:
        raise InvalidRequest(f"the photo {photo} cannot be read ({error.strerror}); give the path of an image file") from None


def several(photos: Sequence[Photo] | Photo) -> Sequence[Photo]:
    """One photo as some, too."""
    return [photos] if isinstance(photos, bytes | str | Path) else photos


def look(face: Face, report: dict[str, Any]) -> Look:
    """Of a photo's face and its report: the surer the detector and the larger the face, the more it counts."""
    return Look(face, report["score"] * min(1.0, report["face_width"] / LARGE), tuple(report["notes"]))


def looked_at(infer: Infer, photos: Sequence[Photo] | Photo, see: Callable[[bytes], Look]) -> tuple[Face, tuple[str, ...]]:
    """(the face, notes on the photos): each photo is seen once. Raises InvalidRequest for none, too many, or different people."""
    given = [bytes_of(photo) for photo in several(photos)]
    if not 1 <= len(given) <= MOST_PHOTOS:
        raise InvalidRequest(f"{len(given)} photos were given; give 1 to {MOST_PHOTOS} of one person")
    numbers = [number for number, photo in enumerate(given) if photo not in given[:number]]
    looks = [see(given[number]) for number in numbers]
    named = (lambda number, note: note) if len(given) == 1 else (lambda number, note: f"photo {number + 1}: {note}")
    notes = [named(number, note) for number, one in zip(numbers, looks, strict=True) for note in one.notes]
    notes += [f"photo {number + 1} is there twice and counts once" for number in range(len(given)) if number not in numbers]
    return together(infer, looks, [number + 1 for number in numbers]), tuple(notes)


def together(infer: Infer, looks: Sequence[Look], numbers: Sequence[int]) -> Face:
    """The mean of all by their quality; the identity vector is brought back to unit length. The textures are merged (`merging.merged`): glasses
    in half of the photos or fewer, or a hat in some of them, are not the person's. `numbers`: what the photos are called.

    Raises InvalidRequest where they fall into two groups whose means are not alike: the photos of the smaller one are named.
    """
    if len(looks) == 1:
        return looks[0].face
    cosine, apart = min(((_alike(looks, group), group) for group in _smaller_groups(len(looks))), key=lambda found: found[0])
    if cosine < SAME_PERSON:
        which = " and ".join(f"photo {numbers[place]}" for place in apart)
        shows = "shows" if len(apart) == 1 else "show"
        raise InvalidRequest(
            f"{which} {shows} another person than the rest of the {len(looks)} (likeness {cosine:.2f}, at least {SAME_PERSON} wanted); "
            "leave out what is not of the same person"
        )
    qualities, textures = [one.quality for one in looks], [one.face.texture for one in looks]
    means = {name: np.average([getattr(one.face, name) for one in looks], 0, qualities).astype(np.float32) for name in ("appearance", "shape")}
    return Face(_mean(looks), **means, texture=merged(textures, worn(infer, textures)))


def _smaller_groups(count: int) -> list[tuple[int, ...]]:
    """Every way to divide them in two, told by the smaller part."""
    return [group for size in range(1, count // 2 + 1) for group in combinations(range(count), size)]


def _mean(looks: Sequence[Look]) -> npt.NDArray[np.float32]:
    """[1, 128] unit length."""
    mean = np.average([one.face.identity for one in looks], 0, [one.quality for one in looks])
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def _alike(looks: Sequence[Look], group: tuple[int, ...]) -> float:
    """Cosine between the mean of a group and that of the others."""
    others = [one for place, one in enumerate(looks) if place not in group]
    return float((_mean([looks[place] for place in group]) * _mean(others)).sum())
