"""The captions to learn from: sentences as the pictures bring them, and loose fragments as people type them."""

from typing import Any

import numpy as np

LEADS: dict[str, tuple[str, ...]] = {
    "background": ("in front of {}", "{} behind", "background: {}", "{}"),
    "outfit": ("wearing {}", "in {}", "{}"),
    "hat": ("wearing {}", "with {}", "{}"),
    "glasses": ("wearing {}", "with {}", "{}"),
    "earrings": ("wearing {}", "with {}"),
    "makeup": ("with {}", "wearing {}"),
    "hair": ("with {}", "{}"),
    "beard": ("with {}", "{}"),
    "skin": ("with {}", "{}"),
    "eyes": ("with {}", "{}"),
    "who": ("a portrait of a {}", "a {}", "{}", "photo of a {}"),
}
AT_MOST = 6  # statements of a caption of fragments
SENTENCES = 3  # of the captions, the others are fragments
CAPTIONS = 5


def fragments(statements: dict[str, str], draw: np.random.Generator) -> str:
    """A few of the statements in any order, each as one might type it."""
    count = min(len(statements), 1 + int(draw.integers(AT_MOST)))
    chosen = draw.permutation(sorted(statements))[:count]
    said = []
    for about in chosen:
        leads = LEADS.get(str(about), ("{}",))
        said.append(leads[int(draw.integers(len(leads)))].format(statements[str(about)]))
    return ", ".join(said)


def captions(record: dict[str, Any]) -> list[str]:
    """Five captions of a picture: one long sentence, two short ones, two of fragments; the same for the same record."""
    given = record["captions"]
    draw = np.random.default_rng([record["person"]["seed"], record["shot"]["seed"], 11])
    return [given["long"][0], *given["short"][: SENTENCES - 1], *(fragments(given["statements"], draw) for _ in range(CAPTIONS - SENTENCES))]
