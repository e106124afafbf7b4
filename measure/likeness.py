"""How like a person portraits are, by a recognizer: between what strangers and what real shots of one person reach."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Seen = list[Floats | None]
"""A vector each, None where no face was found."""


@dataclass(frozen=True)
class Likeness:
    """`similarity` is the mean to another shot of the person; `normalised` is 0 at `different` and 1 at `same`, which real shots reach."""

    normalised: float
    similarity: float
    same: float
    different: float
    first: float  # share whose nearest of all people is the right one
    unfound: int  # portraits without a face; they count as strangers and as ranked wrong

    def rounded(self) -> dict[str, float]:
        return {name: round(value, 4) for name, value in vars(self).items()}


def near(one: Floats, other: Floats, *, distance: bool) -> Floats:
    """[n, m] similarity of vectors [n, d] and [m, d]: minus the Euclidean distance (dlib's), or the cosine of unit vectors (SFace's)."""
    if not distance:
        return np.asarray(one @ other.T, np.float32)
    return np.asarray(-np.sqrt(np.maximum((one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T, 0)), np.float32)


def each(portraits: Seen, asked: Floats, compared: Floats, *, distance: bool) -> Floats:
    """[n] normalised likeness of every portrait; one without a face has 0."""
    same, different = _ends(asked, compared, distance=distance)
    found = [
        0.0 if vector is None else (float(near(vector[None], own[None], distance=distance)[0, 0]) - different) / (same - different)
        for vector, own in zip(portraits, compared, strict=True)
    ]
    return np.array(found, np.float32)


def likeness(portraits: Seen, asked: Floats, compared: Floats, *, distance: bool) -> Likeness:
    """Of portraits against `compared` [n, d], the same people's other shots, in the same order; `asked` [n, d] are real shots for comparison."""
    same, different = _ends(asked, compared, distance=distance)
    found = np.array([vector is not None for vector in portraits])
    made = near(np.stack([np.zeros_like(compared[0]) if vector is None else vector for vector in portraits]), compared, distance=distance)
    normalised = float(each(portraits, asked, compared, distance=distance).mean())
    first = found & (made.argmax(1) == np.arange(len(made)))
    return Likeness(normalised, different + normalised * (same - different), same, different, float(first.mean()), int((~found).sum()))


def _ends(asked: Floats, compared: Floats, *, distance: bool) -> tuple[float, float]:
    """Mean similarity of two real shots of (one person, different people)."""
    real = near(asked, compared, distance=distance)
    return float(np.diag(real).mean()), float(real[~np.eye(len(compared), dtype=bool)].mean())
