"""Words to what the text encoder reads. Needs no Triton."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from omokage.errors import InvalidRequest
from tokenizers import Tokenizer

TOKENS = 77
MOST_CHARACTERS = 20_000
Numbers = npt.NDArray[np.int64]


def load(path: Path) -> Tokenizer:
    """Cuts nothing by itself: what does not fit is to be told."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.enable_padding(length=TOKENS)
    return tokenizer


def encode(tokenizer: Tokenizer, words: str) -> tuple[Numbers, Numbers, str]:
    """(token numbers [1, 77], mask [1, 77], the words that the encoder does not hold). Raises InvalidRequest for a text without end."""
    if len(words) > MOST_CHARACTERS:
        raise InvalidRequest(f"the words have {len(words)} characters, at most {MOST_CHARACTERS} are read; say it shorter")
    found = tokenizer.encode(words)
    ids, cut = list(found.ids), ""
    if len(ids) > TOKENS:
        cut = words[found.offsets[TOKENS - 1][0] :]
        ids = [*ids[: TOKENS - 1], ids[-1]]  # the last one ends the text
    mask = (list(found.attention_mask) + [0] * TOKENS)[:TOKENS]
    return np.array([ids], np.int64), np.array([mask], np.int64), cut
