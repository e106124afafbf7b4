"""Do portraits show what was asked in words? One thing is asked at a time, of people that nobody trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
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
"""By attribute, the kinds that are asked for; seen by the network of `attributes`."""


@dataclass(frozen=True)
class Wish:
    """`kind`: the kind of an attribute that is to be seen; of an expression its own name."""

    about: str
    kind: str
    words: str


def wishes(count: int) -> list[Wish]:
    """So many of each thing, its phrasings in turns."""
    found = []
    for about, phrasings in EXPRESSIONS.items():
        found += [Wish(about, about, f"a portrait of a person {phrasings[k % len(phrasings)]}") for k in range(count)]
    for about, kinds in ATTRIBUTES.items():
        options = list(kinds.items())
        found += [Wish(about, kind, f"a portrait of a person, {words}") for kind, words in (options[k % len(options)] for k in range(count))]
    return found


def followed(runtime: InProcess, asked: Sequence[Wish], portraits: Sequence[Image]) -> dict[str, float]:
    """Share of the portraits that show what was asked, by what it is about. A portrait without a face shows no expression."""
    fits, reader = expressions.learned(), attributes.learned()
    said = attributes.read(reader, portraits)
    shown: dict[str, list[bool]] = {}
    for wish, image, seen in zip(asked, portraits, said, strict=True):
        if wish.about in EXPRESSIONS:
            marks = expressions.surface(runtime.infer, image)
            right = marks is not None and expressions.shows(fits[wish.about], expressions.features(marks))
        else:
            right = seen[wish.about] == wish.kind
        shown.setdefault(wish.about, []).append(right)
    return {about: round(float(np.mean(values)), 4) for about, values in shown.items()}
