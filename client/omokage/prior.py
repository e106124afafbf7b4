"""What was learned of one person beyond what encoders see in photos: a low-rank change of the words' projection, and tokens of the person's own."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from omokage.system import Floats, Words

TOKENS = 3  # of the person, in the last places of the words
RANK = 4


@dataclass(frozen=True)
class Prior:
    """`token_kv` [1, 3, S]: keys and values in the last places of the words; `down` [1, D, R] and `up` [1, R, S]: the words' states times both are
    added to their keys and values (Hu et al. 2022, eq. 3); `face_kv` [1, N, S]: added to the face's."""

    token_kv: Floats
    down: Floats
    up: Floats
    face_kv: Floats

    @classmethod
    def of(cls, found: Mapping[str, Floats]) -> Self:
        return cls(**{one.name: found[one.name] for one in fields(cls)})

    def said(self, words: Words, scale: float) -> Floats:
        """Keys and values [1, T, S] of words, as they are for this person."""
        states = words.states * words.mask[..., None]
        changed = words.text_kv + np.float32(scale) * (states @ self.down @ self.up)
        changed[:, -TOKENS:] += np.float32(scale) * self.token_kv
        return np.asarray(changed, np.float32)

    def seen(self, id_kv: Floats, scale: float) -> Floats:
        """Keys and values [1, N, S] of the face."""
        return np.asarray(id_kv + np.float32(scale) * self.face_kv, np.float32)


def shapes(about: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Of a server's family, without the first 1."""
    width, kv_width = about["text_width"], about["kv_width"]
    return {"token_kv": (TOKENS, kv_width), "down": (width, RANK), "up": (RANK, kv_width), "face_kv": (about["face_tokens"], kv_width)}


def begun(about: Mapping[str, Any], seed: int = 0) -> Prior:
    """One that changes nothing: of the low-rank change the second half is zero, as Hu et al. 2022 begin."""
    nothing = {name: np.zeros((1, *shape), np.float32) for name, shape in shapes(about).items()}
    down = np.random.default_rng(seed).standard_normal(nothing["down"].shape).astype(np.float32)
    return Prior.of(nothing | {"down": down * np.float32(about["text_width"] ** -0.5)})
