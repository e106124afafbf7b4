"""Likeness by what people look like: no group is to be served worse."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from measure.people import Sitter

AXES: dict[str, Callable[[Sitter], str]] = {
    "age": lambda sitter: str(sitter.enrolled.record["person"]["age_group"]),
    "sex": lambda sitter: str(sitter.enrolled.record["person"]["sex"]),
    "skin tone": lambda sitter: str(sitter.enrolled.record["person"]["skin_tone"]),
    "group": lambda sitter: sitter.group,
}


def by_axis(people: Sequence[Sitter], values: Sequence[float]) -> dict[str, Any]:
    """Mean of one value a person in every group of every axis, with how many people it has, and by how much the worst group lies below the mean.

    Groups of a single person are listed and do not count as the worst.
    """
    mean = float(np.mean(values))
    found: dict[str, Any] = {}
    for axis, group_of in AXES.items():
        groups: dict[str, list[float]] = {}
        for sitter, value in zip(people, values, strict=True):
            groups.setdefault(group_of(sitter), []).append(value)
        means = {name: float(np.mean(several)) for name, several in sorted(groups.items())}
        worst = min((value for name, value in means.items() if len(groups[name]) > 1), default=mean)
        found[axis] = {
            "likeness": {name: round(value, 4) for name, value in means.items()},
            "people": {name: len(groups[name]) for name in means},
            "worst_below_mean": round(mean - worst, 4),
        }
    return found
