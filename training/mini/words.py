"""The captions to learn from: sentences as the pictures bring them, and loose fragments as people type them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from export.context import TEXT_TOKENS

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


def padded(said: Sequence[npt.NDArray[np.float16]]) -> tuple[Tensor, Tensor]:
    """States [n, 77, D] and mask [n, 77] of captions' states [tokens, D] each."""
    states, mask = torch.zeros(len(said), TEXT_TOKENS, said[0].shape[1]), torch.zeros(len(said), TEXT_TOKENS)
    for place, words in enumerate(said):
        states[place, : len(words)], mask[place, : len(words)] = torch.from_numpy(words.astype(np.float32)), 1
    return states, mask
