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


def likeness(portraits: Seen, asked: Floats, compared: Floats, *, distance: bool) -> Likeness:
    """Of portraits against `compared` [n, d], the same people's other shots, in the same order; `asked` [n, d] are real shots for comparison."""
    real = near(asked, compared, distance=distance)
    apart = ~np.eye(len(compared), dtype=bool)
    same, different = float(np.diag(real).mean()), float(real[apart].mean())
    found = np.array([vector is not None for vector in portraits])
    vectors = np.stack([np.zeros_like(compared[0]) if vector is None else vector for vector in portraits])
    made = near(vectors, compared, distance=distance)
    own = np.where(found, np.diag(made), different)
    first = found & (made.argmax(1) == np.arange(len(made)))
    return Likeness(
        (float(own.mean()) - different) / (same - different), float(own.mean()), same, different, float(first.mean()), int((~found).sum())
    )


def by_group(portraits: Seen, asked: Floats, compared: Floats, groups: list[str], *, distance: bool) -> dict[str, float]:
    """Normalised likeness of every group's people, on the scale of all."""
    whole = likeness(portraits, asked, compared, distance=distance)
    found = {}
    for group in sorted(set(groups)):
        places = [place for place, name in enumerate(groups) if name == group]
        own = [
            whole.different if (vector := portraits[place]) is None else float(near(vector[None], compared[place][None], distance=distance)[0, 0])
            for place in places
        ]
        found[group] = round((float(np.mean(own)) - whole.different) / (whole.same - whole.different), 4)
    return found
