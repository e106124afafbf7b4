"""Stage `characters`: how the faces of all people vary together, so that people can be invented."""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from export.character import HALF
from export.context import AppearanceEncoder
from export.families import FaceShape
from training.mini.corpus import Corpus
from training.mini.errors import MissingPiece

AT_ONCE = 64  # pictures
SHARES = (1.0, 1.0, 0.3, 1.0)  # of identity, appearance, shape and texture in what the components are to explain


def fitted(corpus: Corpus, appearance: AppearanceEncoder, face: FaceShape) -> dict[str, Tensor]:
    """`mean` [D] and `ways` [n, D] of `export.character.Character`: principal components of the people's mean faces, each kind of number brought to
    one variance first. Raises MissingPiece for fewer people than components."""
    people = means(corpus, [corpus.identity, _appearances(corpus, appearance), corpus.shape.reshape(len(corpus), -1), _textures(corpus)])
    if len(people[0]) <= face.character:
        raise MissingPiece(f"the corpus has {len(people[0])} people; {face.character} components need more: render more pictures")
    centre = [part.mean(0) for part in people]
    loud = [share / np.sqrt(part.var(0).sum()) for part, share in zip(people, SHARES, strict=True)]
    spread = np.concatenate([(part - mean) * gain for part, mean, gain in zip(people, centre, loud, strict=True)], 1)
    _, values, ways = np.linalg.svd(spread, full_matrices=False)
    ways = ways[: face.character] * values[: face.character, None] / np.sqrt(len(spread) - 1)
    ways = ways / np.repeat(loud, [part.shape[1] for part in people])
    return {"mean": torch.from_numpy(np.concatenate(centre)).float(), "ways": torch.from_numpy(ways).float()}


def means(corpus: Corpus, parts: list[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
    """[people, k] each, over the pictures where the detector found a face."""
    seen = np.flatnonzero(corpus.found)
    seen = seen[np.argsort(corpus.seed[seen], kind="stable")]
    _, firsts, counts = np.unique(corpus.seed[seen], return_index=True, return_counts=True)
    return [np.add.reduceat(part[seen], firsts) / counts[:, None].astype(np.float32) for part in parts]


def _textures(corpus: Corpus) -> npt.NDArray[np.float32]:
    """[n, 3 * 96 * 96] in 0..1, at half the side."""
    smaller = [F.avg_pool2d(torch.from_numpy(corpus.texture[start : start + AT_ONCE]).float(), HALF) for start in range(0, len(corpus), AT_ONCE)]
    return torch.cat(smaller).flatten(1).div(255).numpy()


@torch.no_grad()
def _appearances(corpus: Corpus, network: AppearanceEncoder) -> npt.NDArray[np.float32]:
    """[n, tokens * width]."""
    rows = []
    for start in range(0, len(corpus), AT_ONCE):
        crops = [torch.from_numpy(images[start : start + AT_ONCE]).permute(0, 3, 1, 2).float() for images in (corpus.face, corpus.head)]
        rows.append(network(*crops).flatten(1).numpy())
    return np.concatenate(rows)
