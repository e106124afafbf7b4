"""Stage `expression`: what the words say of a face's expression, as a change of its shape."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from omokage.pose import turned
from torch import Tensor, nn

from export.conditions import EYES, LIPS, FacePicture
from export.context import TEXT_TOKENS
from export.expression import WAYS, FaceExpression
from export.families import MARKS
from training.mini.autoencoder import SIZE
from training.mini.contexts import Arrays
from training.mini.corpus import Corpus, Indices, other_shot
from training.mini.loop import Image, Schedule
from training.mini.pictures import sheet, to_images
from training.mini.words import CAPTIONS

LEAST = 1e-4  # of the largest: a way that is shorter is none
SHOWN_WAYS = 6  # the first of them, whose numbers are told
FACING = (0.0, 0.0, 0.0)  # degrees


@dataclass(frozen=True, kw_only=True)
class ExpressionConfig:
    """Rows are pairs of shots of one person."""

    schedule: Schedule = Schedule(steps=3000, batch=96, learning_rate=1e-3, warmup=50, decay=0.8, average=0.995, weight_decay=0.05)
    no_words: float = 0.1
    finer: float = 2.0  # weight of the points of eyes and mouth, which go less far than the chin
    shown: int = 8
    judged: int = 5  # times over all held-out pictures


class ExpressionStage:
    """From the shape in one shot and the words of another to the shape there."""

    name = "expression"

    def __init__(self, config: ExpressionConfig, train: Corpus, held_out: Corpus, empty: npt.NDArray[np.float16]) -> None:
        """`empty` [tokens, 384]: the states of no words at all."""
        self.config, self.schedule = config, config.schedule
        self.train, self.held_out, self._empty = train, held_out, empty
        torch.manual_seed(config.schedule.seed)
        self._face = FaceExpression(train.states[0].shape[1])
        self.network: nn.Module = self._face
        self.heavy: tuple[nn.Module, ...] = ()
        _measure_ways(self._face, train, config.finer)

    def batch(self, draw: np.random.Generator) -> Arrays:
        return self.arrays(self.train, draw.choice(np.flatnonzero(self.train.found), self.schedule.batch), draw)

    def arrays(self, corpus: Corpus, chosen: Indices, draw: np.random.Generator) -> Arrays:
        """The words of the chosen pictures, their shapes `wanted` [n, 468, 3], those in other shots of the same people, and which these are."""
        before = np.array([other_shot(corpus, int(k), draw) for k in chosen])
        captions = [None if draw.random() < self.config.no_words else int(draw.integers(CAPTIONS)) for _ in chosen]
        return self.worded(corpus, chosen, captions) | {
            "before": torch.from_numpy(before),
            "shape": torch.from_numpy(corpus.shape[before]),
            "wanted": torch.from_numpy(corpus.shape[chosen]),
        }

    def worded(self, corpus: Corpus, chosen: Indices, captions: Sequence[int | None]) -> Arrays:
        """`states` [n, 77, 384] and `mask` [n, 77] of the pictures' captions, None: no words."""
        states = torch.zeros(len(chosen), TEXT_TOKENS, corpus.states[0].shape[1])
        mask = torch.zeros(len(chosen), TEXT_TOKENS)
        for place, (picture, caption) in enumerate(zip(chosen.tolist(), captions, strict=True)):
            words = self._empty if caption is None else corpus.words(picture, caption)
            states[place, : len(words)], mask[place, : len(words)] = torch.from_numpy(words.astype(np.float32)), 1
        return {"states": states, "mask": mask}

    def errors(self, batch: Arrays) -> tuple[Tensor, Tensor]:
        """[B, n] square distances along the ways of what is made from what is wanted, and of the shape as it was."""
        network = self._face
        wanted = network.along(batch["wanted"]) - network.along(batch["shape"])
        return (network.moves(batch["shape"], batch["states"], batch["mask"]) - wanted).square(), wanted.square()

    def loss(self, batch: Arrays, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        found, before = self.errors(batch)
        return found.mean(), {"left": (found.sum() / before.sum()).item()}

    def judge(self) -> tuple[dict[str, float], Image]:
        """What is left of the distance on people never trained on, over all and in the first ways; their heads as they were, as the words
        have them, and as they are in the picture of the words."""
        people, draw = self.held_out, np.random.default_rng(3)
        seen = np.flatnonzero(people.found)
        pairs = [self.errors(self.arrays(people, seen, draw)) for _ in range(self.config.judged)]
        found, before = (torch.stack(sums).mean((0, 1)) for sums in zip(*pairs, strict=True))
        numbers = {"left": float(found.sum() / before.sum())} | {f"left_{k}": float(found[k] / before[k].clamp_min(1e-6)) for k in range(SHOWN_WAYS)}
        chosen = seen[np.linspace(0, len(seen) - 1, self.config.shown).astype(int)]
        batch = self.arrays(people, chosen, np.random.default_rng(1))
        moved = self._face(batch["shape"], batch["states"], batch["mask"], torch.ones(len(chosen)))
        texture = torch.from_numpy(people.texture[batch["before"].numpy()]).float() / 255
        rows = [_heads(shape, texture) for shape in (batch["shape"], moved, batch["wanted"])]
        return {name: round(value, 4) for name, value in numbers.items()}, sheet([list(row) for row in rows])


def _heads(shapes: Tensor, texture: Tensor) -> Image:
    """[n, 256, 256, 3]: shapes [n, 468, 3] with textures, facing the camera."""
    landmarks = torch.from_numpy(np.stack([turned(shape, *FACING) for shape in shapes.numpy()]))
    return to_images(FacePicture(SIZE)(landmarks, texture)[1])


def _measure_ways(network: FaceExpression, corpus: Corpus, finer: float) -> None:
    """Give the network the principal components of how one person's shots differ; as many as there are, the others stay still."""
    seen = np.flatnonzero(corpus.found)
    shapes = torch.from_numpy(corpus.shape[seen]).flatten(1)
    person = torch.from_numpy(np.unique(corpus.seed[seen], return_inverse=True)[1])
    counts = person.bincount().float()[:, None]
    means = torch.zeros(len(counts), shapes.shape[1]).index_add_(0, person, shapes) / counts
    weight = torch.ones(MARKS, 3)
    weight[[*EYES, *LIPS]] = finer
    network.mean.copy_(shapes.mean(0))
    network.weight.copy_(weight.flatten())
    apart = (shapes - means[person]) * network.weight
    values, ways = torch.linalg.svd(apart, full_matrices=False)[1:]
    count = min(WAYS, int((values > LEAST * values[0]).sum()))
    network.ways.zero_()[:count] = ways[:count]
    network.spread.fill_(1)[:count] = values[:count] / (len(apart) - 1) ** 0.5
    network.reach.copy_(network.along(shapes).square().mean(0).sqrt().clamp_min(1))
