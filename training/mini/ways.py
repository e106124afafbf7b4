"""Stages that learn how words change a head: from its values in one shot, and the words of another, to the values there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from export.ways import Ways
from training.mini.contexts import Arrays
from training.mini.corpus import Corpus, Indices, other_shot
from training.mini.loop import Image, Schedule
from training.mini.pictures import sheet
from training.mini.words import CAPTIONS, padded

LEAST = 1e-4  # of the largest: a way that is shorter is none
SHOWN_WAYS = 6  # the first of them, whose numbers are told
Values = Callable[[Corpus], tuple[Tensor, Tensor]]
"""[n, d] each, of all pictures: as a head is given, and as it is wanted."""
Show = Callable[[Corpus, Arrays], list[Image]]
"""Rows of pictures: heads as they were, as the words have them, and as they are in the picture of the words, of people and a batch of them."""


@dataclass(frozen=True, kw_only=True)
class WaysConfig:
    """Rows are pairs of shots of one person."""

    schedule: Schedule = Schedule(steps=3000, batch=96, learning_rate=1e-3, warmup=50, decay=0.8, average=0.995, weight_decay=0.05)
    no_words: float = 0.1
    shown: int = 8
    judged: int = 5  # times over all held-out pictures


class WaysStage:
    """Train on one corpus, judge on another of other people."""

    def __init__(
        self,
        name: str,
        config: WaysConfig,
        network: Ways,
        values: Values,
        show: Show,
        train: Corpus,
        held_out: Corpus,
        empty: npt.NDArray[np.float16],
    ) -> None:
        """`empty` [tokens, D]: the states of no words at all. The network's `weight` is set, its ways are measured here."""
        self.name, self.config, self.schedule = name, config, config.schedule
        self.train, self.held_out, self._empty, self._show = train, held_out, empty, show
        self._head = network
        self.network: nn.Module = network
        self.heavy: tuple[nn.Module, ...] = ()
        self._values = {id(corpus): values(corpus) for corpus in (train, held_out)}
        measure_ways(network, self._values[id(train)][1][torch.from_numpy(train.found)], train.seed[train.found])

    def batch(self, draw: np.random.Generator) -> Arrays:
        return self.arrays(self.train, draw.choice(np.flatnonzero(self.train.found), self.schedule.batch), draw)

    def arrays(self, corpus: Corpus, chosen: Indices, draw: np.random.Generator) -> Arrays:
        """The words of the `chosen` pictures, the values `wanted` [n, d] there, those in other shots of the same people, and which these are."""
        before = np.array([other_shot(corpus, int(k), draw) for k in chosen])
        captions = [None if draw.random() < self.config.no_words else int(draw.integers(CAPTIONS)) for _ in chosen]
        places = {"chosen": torch.from_numpy(chosen), "before": torch.from_numpy(before)}
        given, wanted = self._values[id(corpus)]
        return self.worded(corpus, chosen, captions) | places | {"values": given[places["before"]], "wanted": wanted[places["chosen"]]}

    def worded(self, corpus: Corpus, chosen: Indices, captions: Sequence[int | None]) -> Arrays:
        """`states` [n, 77, D] and `mask` [n, 77] of the pictures' captions, None: no words."""
        said = [
            self._empty if caption is None else corpus.words(picture, caption) for picture, caption in zip(chosen.tolist(), captions, strict=True)
        ]
        states, mask = padded(said)
        return {"states": states, "mask": mask}

    def errors(self, batch: Arrays) -> tuple[Tensor, Tensor]:
        """[B, n] square distances along the ways of what is made from what is wanted, and of the head as it was."""
        network = self._head
        wanted = network.along(batch["wanted"]) - network.along(batch["values"])
        return (network.moves(batch["values"], batch["states"], batch["mask"]) - wanted).square(), wanted.square()

    def loss(self, batch: Arrays, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        found, before = self.errors(batch)
        return found.mean(), {"left": (found.sum() / before.sum()).item()}

    def judge(self) -> tuple[dict[str, float], Image]:
        """What is left of the distance on people never trained on, over all and in the first ways; some of their heads."""
        people, draw = self.held_out, np.random.default_rng(3)
        seen = np.flatnonzero(people.found)
        pairs = [self.errors(self.arrays(people, seen, draw)) for _ in range(self.config.judged)]
        found, before = (torch.stack(sums).mean((0, 1)) for sums in zip(*pairs, strict=True))
        numbers = {"left": float(found.sum() / before.sum())} | {f"left_{k}": float(found[k] / before[k].clamp_min(1e-6)) for k in range(SHOWN_WAYS)}
        chosen = seen[np.linspace(0, len(seen) - 1, self.config.shown).astype(int)]
        rows = self._show(people, self.arrays(people, chosen, np.random.default_rng(1)))
        return {name: round(value, 4) for name, value in numbers.items()}, sheet([list(row) for row in rows])


def measure_ways(network: Ways, values: Tensor, person: npt.NDArray[np.int64]) -> None:
    """Give a network the principal components of how shots of one `person` [n] differ in their values [n, d]; as many as there are, the others stay
    still."""
    values, own = values.flatten(1), torch.from_numpy(np.unique(person, return_inverse=True)[1])
    counts = own.bincount().float()[:, None]
    means = torch.zeros(len(counts), values.shape[1]).index_add_(0, own, values) / counts
    network.mean.copy_(values.mean(0))
    apart = (values - means[own]) * network.weight
    lengths, ways = torch.linalg.svd(apart, full_matrices=False)[1:]
    count = min(len(network.ways), int((lengths > LEAST * lengths[0]).sum()))
    network.ways.zero_()[:count] = ways[:count]
    network.spread.fill_(1)[:count] = lengths[:count] / (len(apart) - 1) ** 0.5
    network.reach.copy_(network.along(values).square().mean(0).sqrt().clamp_min(1))
