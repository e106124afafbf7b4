"""Stage `light`: what the words say of the light, as a change of a head's texture."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from export.even import EvenLight, changed
from export.light import CELLS, FaceLight, colours
from training.mini.contexts import Arrays
from training.mini.corpus import Corpus
from training.mini.even import face_cells
from training.mini.expression import heads
from training.mini.loop import Image
from training.mini.ways import WaysConfig, WaysStage

AT_ONCE = 256  # textures
LIGHT = WaysConfig(schedule=replace(WaysConfig().schedule, steps=1200, weight_decay=0.2))
"""Light is hidden better than expressions: after some more steps it is learned by heart."""


def light_stage(config: WaysConfig, even: EvenLight, train: Corpus, held_out: Corpus, empty: npt.NDArray[np.float16]) -> WaysStage:
    """`even`: as the stage of that name left it; it stays as it is. `empty` [tokens, D]: the states of no words at all."""
    torch.manual_seed(config.schedule.seed)
    network = FaceLight(train.states[0].shape[1])
    network.even.load_state_dict(even.state_dict())
    network.even.requires_grad_(False)
    network.weight.copy_(face_cells(CELLS).flatten().repeat(3))
    network.mean.copy_(mean_light(train))

    @torch.no_grad()
    def values(corpus: Corpus) -> tuple[Tensor, Tensor]:
        """[n, 432] each: of evened heads, and of heads as they are."""
        pairs = [(network.light(changed(part, even.both_ways(part))), network.light(part)) for part in all_textures(corpus)]
        evened, own = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        return evened, own

    def show(people: Corpus, batch: Arrays) -> list[Image]:
        before, wanted = (torch.from_numpy(people.texture[batch[which].numpy()]).float() / 255 for which in ("before", "chosen"))
        lit = network(before, batch["states"], batch["mask"], torch.ones(len(before)))
        shape = torch.from_numpy(people.shape[batch["before"].numpy()])
        return [heads(shape, texture) for texture in (before, lit, wanted)]

    return WaysStage("light", config, network, values, show, train, held_out, empty)


def all_textures(corpus: Corpus) -> Iterator[Tensor]:
    """All of them, some at once: [n, 3, 192, 192] in 0..1."""
    for part in np.array_split(corpus.texture, max(1, len(corpus) // AT_ONCE)):
        yield torch.from_numpy(part).float() / 255


def mean_light(corpus: Corpus) -> Tensor:
    """[432]: the mean over the heads that have something in a cell; over nobody's grey, which counts nowhere, 0."""
    found = [(own * values, own) for values, own in map(colours, all_textures(corpus))]
    total, count = (torch.cat(parts).sum(0) for parts in zip(*found, strict=True))
    return total / count.clamp_min(1)
