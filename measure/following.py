"""Do portraits show what was asked in words? One thing is asked at a time, of people that nobody trained on."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from omokage import expression_reader
from omokage.faces import Image

from measure import attributes, expressions
from measure.in_process import InProcess

EXPRESSIONS = {
    "smile": ("smiling", "smiling with teeth showing"),
    "open mouth": ("with an open mouth", "laughing with an open mouth"),
    "closed eyes": ("with closed eyes", "with the eyes closed"),
    "raised brows": ("with raised brows", "raising the eyebrows"),
}
"""What is asked for, as one may say it; seen from landmarks."""
ATTRIBUTES = {
    "light side": {"left": "dramatic side light from the left", "right": "hard side light from the right"},
    "background": {
        "beach": "in front of a sandy beach with the sea",
        "bookshelf": "in front of shelves full of books",
        "snow": "in front of a snowy landscape",
        "bricks": "in front of a brick wall",
        "garden": "in front of a green garden",
    },
    "glasses": {"glasses": "wearing round black glasses", "sunglasses": "wearing sunglasses"},
    "hat": {"hat": "wearing a black beanie"},
}
"""By attribute, the kinds that are asked for; seen by the networks of `attributes`."""


@dataclass(frozen=True)
class Wish:
    """`kind`: the kind of an attribute that is to be seen; of an expression its own name. `number`: which one of those about the same thing."""

    about: str
    kind: str
    words: str
    number: int


def wishes(expressions: int, others: int) -> list[Wish]:
    """So many of each expression, and of each other thing; their phrasings in turns."""
    found = []
    for about, phrasings in EXPRESSIONS.items():
        found += [Wish(about, about, f"a portrait of a person {phrasings[k % len(phrasings)]}", k) for k in range(expressions)]
    for about, kinds in ATTRIBUTES.items():
        options = list(kinds.items())
        turns = [options[k % len(options)] for k in range(others)]
        found += [Wish(about, kind, f"a portrait of a person, {words}", k) for k, (kind, words) in enumerate(turns)]
    return found


def shown(runtime: InProcess, asked: Sequence[Wish], portraits: Sequence[Image]) -> list[bool]:
    """Whether each portrait shows what was asked. One without a face shows no expression, and nothing worn."""
    fits, readers = expression_reader.learned(), attributes.learned()
    said = attributes.seen(readers, [attributes.viewed(runtime.infer, image) for image in portraits])
    found = []
    for wish, image, seen in zip(asked, portraits, said, strict=True):
        if wish.about in EXPRESSIONS:
            marks = expressions.surface(runtime.infer, image)
            right = marks is not None and expression_reader.shows(fits[wish.about], expression_reader.features(marks))
        else:
            right = seen[wish.about] == wish.kind
        found.append(right)
    return found


def by_thing(asked: Sequence[Wish], right: Sequence[bool]) -> dict[str, float]:
    """Share of the portraits that show what was asked, by what it is about."""
    found: dict[str, list[bool]] = {}
    for wish, one in zip(asked, right, strict=True):
        found.setdefault(wish.about, []).append(one)
    return {about: round(float(np.mean(values)), 4) for about, values in found.items()}


def in_the_mean(asked: Sequence[Wish], right: Sequence[bool]) -> dict[str, Any]:
    """`expression_following` and `words_following`, means over the things, and `following` by thing."""
    shares = by_thing(asked, right)
    faces, others = ([value for about, value in shares.items() if (about in EXPRESSIONS) == kind] for kind in (True, False))
    return {"expression_following": round(float(np.mean(faces)), 4), "words_following": round(float(np.mean(others)), 4), "following": shares}


def loss_error(asked: Sequence[Wish], right: Sequence[bool], best: Sequence[bool]) -> float:
    """Standard error of what is lost of expression following. Wishes of one number are of one person and seed, so they count once, by their mean."""
    lost: dict[int, list[float]] = defaultdict(list)
    for wish, one, other in zip(asked, right, best, strict=True):
        if wish.about in EXPRESSIONS:
            lost[wish.number].append(float(other) - float(one))
    means = [float(np.mean(values)) for values in lost.values()]
    return round(float(np.std(means, ddof=1) / np.sqrt(len(means))), 4)
