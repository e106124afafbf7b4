"""What an edit did to a picture: what it kept, how its light and its border look, what the head does."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from omokage import expression_reader
from omokage.blur import blurred
from omokage.distance import away
from omokage.face_mask import EARS, below, hull
from omokage.faces import Image
from omokage.parsing import ON_HEADS, parsed
from omokage.pose import fitted, in_space_of
from omokage.seen import floats, seen
from omokage.system import Face

from export.families import FAMILIES
from measure import attributes, expressions
from measure.graded import mean, png
from measure.people import Shown
from measure.portraits import Portrait
from measure.studio import Studio

NECK = 12.0  # pixels from the jaw
FAR = 20.0  # pixels from a head, from where on a picture is to stay as it is
COARSE = 15  # pixels to every side, twice: what counts as light and colour, not as features


def mask(studio: Studio, shown: Shown) -> npt.NDArray[np.float32]:
    """[H, W]: where the face is in a picture."""
    return hull(_landmarks(studio, shown), _size(studio)).astype(np.float32)


def shared(studio: Studio, shown: Shown, face: Face) -> npt.NDArray[np.float32]:
    """[H, W]: where a picture's face and that which MegaPortrait puts into its place both are, but for the expression of the words."""
    landmarks = _landmarks(studio, shown)
    return (hull(landmarks, _size(studio)) & hull(fitted(face.shape[0], landmarks), _size(studio))).astype(np.float32)


def under_chin(studio: Studio, shown: Shown, face: Face) -> npt.NDArray[np.bool_]:
    """[H, W]: where MegaPortrait lets a person's neck go over into that of a picture: close to the jaw, below the ears."""
    landmarks = _landmarks(studio, shown)
    places = fitted(face.shape[0], landmarks)
    beside = away(hull(places, _size(studio)))
    return np.asarray((beside > 0) & (beside < NECK) & (below(places, EARS, _size(studio)) > 0), np.bool_)


def heads(studio: Studio, *images: Image) -> npt.NDArray[np.bool_]:
    """[H, W]: where any of these pictures shows a head or skin, or is that close to it."""
    shows = [parsed(studio.runtime.infer, floats(image)).most("skin", *ON_HEADS) for image in images]
    return np.asarray(away(np.logical_or.reduce(shows)) < FAR, np.bool_)


def _size(studio: Studio) -> int:
    return FAMILIES[studio.runtime.family].size


def _landmarks(studio: Studio, shown: Shown) -> npt.NDArray[np.float32]:
    return seen(studio.runtime.infer, png(shown), _size(studio), "picture").landmarks


def grown(mask: npt.NDArray[np.float32], pixels: int) -> npt.NDArray[np.bool_]:
    """Where the mask is at most so far away."""
    rows, columns = np.nonzero(mask > 0)
    found = np.zeros(mask.shape, bool)
    found[max(0, rows.min() - pixels) : rows.max() + pixels, max(0, columns.min() - pixels) : columns.max() + pixels] = True
    return found


def kept(image: Image, before: Image, changed: npt.NDArray[np.bool_]) -> float:
    """dB of the picture outside: 99 where not a byte differs."""
    error = (image.astype(np.float64) - before)[~changed]
    mean = float((error**2).mean()) if error.size else 0.0
    return 99.0 if mean == 0 else float(10 * np.log10(255**2 / mean))


def tones_apart(image: Image, reference: Image, mask: npt.NDArray[np.float32]) -> float:
    """Mean difference of the light and colour of both faces, 0 to 255."""
    apart = np.abs(_coarse(image, mask) - _coarse(reference, mask)).mean(2)
    return float((apart * mask).sum() / mask.sum())


def _coarse(picture: Image, mask: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """[H, W, 3]: means of a picture over what lies in the mask."""

    def twice(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return blurred(blurred(values, COARSE), COARSE)

    weight = twice(mask) + 1e-4
    return np.stack([twice(picture[..., channel] * mask) / weight for channel in range(3)], 2)


def seam(image: Image, reference: Image, where: npt.NDArray[np.bool_]) -> float:
    """How much steeper a picture is there than the reference is, 0 to 255 a pixel."""

    def steep(picture: Image) -> npt.NDArray[np.float64]:
        down, across = np.gradient(picture.astype(np.float64).mean(2))
        return np.asarray(np.hypot(down, across))

    return float(np.maximum(steep(image) - steep(reference), 0)[where].mean())


def shown(studio: Studio, made: Mapping[str, Sequence[Portrait]]) -> float:
    """Share of edits that show what was asked."""
    fits, right = expression_reader.learned(), []
    for name, row in made.items():
        for one in row:
            marks = expressions.surface(studio.runtime.infer, one.pixels)
            right.append(marks is not None and expression_reader.shows(fits[name], expression_reader.features(marks)))
    return mean(right)


def as_in(studio: Studio, images: Sequence[Image], references: Sequence[Image]) -> dict[str, float]:
    """Of pictures that are to show what others show: share of judgements that say the same of both, on expressions, on background and light."""
    fits, same = expression_reader.learned(), []
    for one, other in zip(images, references, strict=True):
        marks = [expressions.surface(studio.runtime.infer, picture) for picture in (one, other)]
        given = [expression_reader.features(mark) for mark in marks if mark is not None]
        same += [len(given) == 2 and len({expression_reader.shows(fit, face) for face in given}) == 1 for fit in fits.values()]
    readers = attributes.learned()
    read = zip(
        *(attributes.seen(readers, [attributes.viewed(studio.runtime.infer, image) for image in row]) for row in (images, references)), strict=True
    )
    others = [one[about] == other[about] for one, other in read for about in attributes.READ["picture"]]
    return {"expression_following": mean(same), "words_following": mean(others)}


def worn(studio: Studio, made: Mapping[str, Sequence[Portrait]]) -> float:
    """Share of edits that show what was to be worn."""
    readers = attributes.learned()
    views = {name: [attributes.viewed(studio.runtime.infer, one.pixels) for one in row] for name, row in made.items()}
    return mean(found[name] == name for name, row in views.items() for found in attributes.seen(readers, row))


def turn(studio: Studio, made: Portrait, before: Shown) -> float:
    """Degrees by which the head turned to the viewer's right."""

    def yaw(picture: Image) -> float:
        found = seen(studio.runtime.infer, png(Shown(picture, {})), _size(studio), "picture")
        return in_space_of(found.shape[0], found.landmarks)[0]

    return yaw(made.pixels) - yaw(before.image)
