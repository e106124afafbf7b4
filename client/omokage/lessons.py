"""What each photo teaches of a person: the picture's latents, its words, and the head as each other photo shows it, laid where it lies here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omokage.pose import fitted
from omokage.seen import Seen, floats
from omokage.system import Floats, Infer, Words
from omokage.texts import text

AROUND_HEAD = 0.1  # how much what lies beyond the head counts, beside 1 for the head


@dataclass(frozen=True)
class Lesson:
    """`latent` [1, C, h, w] of the photo; its `words`; `condition` [1, 3, H, W] and, by the photo they come from, `reference` latents of a head laid
    there [n, C, h, w] and what they `cover` [n, 1, h, w]; `importance` [1, 1, h, w] of errors."""

    latent: Floats
    words: Words
    condition: Floats
    reference: Floats
    cover: Floats
    importance: Floats


def lesson(infer: Infer, picture: Seen, words: str, others: Sequence[Seen]) -> Lesson:
    """Of one photo and what it shows in words; `others`: the photos whose heads are laid there. Raises whatever `infer` raises."""
    placed = fitted(picture.shape[0], picture.landmarks)[None]
    drawn = [infer("condition_pose", {"placed_landmarks": placed, "texture": other.texture}) for other in others]
    said = infer("encode_prompt", {"words": text(words)})
    cover = np.concatenate([one["cover"] for one in drawn])
    return Lesson(
        latent=infer("vae_encoder", {"picture": floats(picture.square)})["latent"],
        words=Words(said["states"], said["mask"], said["text_kv"]),
        condition=drawn[0]["condition"],
        reference=np.concatenate([infer("vae_encoder", {"picture": one["laid"]})["latent"] for one in drawn]),
        cover=cover,
        importance=np.float32(AROUND_HEAD) + np.float32(1 - AROUND_HEAD) * cover.mean(0, keepdims=True),
    )
