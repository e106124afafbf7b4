"""Stage `expression`: what the words say of a face's expression, as a change of its shape."""

import numpy as np
import numpy.typing as npt
import torch
from omokage.pose import turned
from torch import Tensor

from export.conditions import EYES, LIPS, FacePicture
from export.expression import FAINT, FaceExpression
from export.families import MARKS
from training.mini.contexts import Arrays
from training.mini.corpus import Corpus
from training.mini.loop import Image
from training.mini.pictures import SIZE, to_images
from training.mini.ways import WaysConfig, WaysStage

FINER = 2.0  # weight of the points of eyes and mouth, which go less far than the chin
FACING = (0.0, 0.0, 0.0)  # degrees


def expression_stage(config: WaysConfig, train: Corpus, held_out: Corpus, empty: npt.NDArray[np.float16]) -> WaysStage:
    """`empty` [tokens, D]: the states of no words at all."""
    torch.manual_seed(config.schedule.seed)
    network = FaceExpression(train.states[0].shape[1])
    network.weight.reshape(MARKS, 3)[[*EYES, *LIPS]] = FINER

    def show(people: Corpus, batch: Arrays) -> list[Image]:
        before, wanted = (torch.from_numpy(people.shape[batch[which].numpy()]) for which in ("before", "chosen"))
        network.listen(*[torch.from_numpy(empty).float()] * (1 + len(FAINT)))
        moved = network(before, batch["states"], batch["mask"], torch.ones(len(before)))
        texture = torch.from_numpy(people.texture[batch["before"].numpy()]).float() / 255
        return [heads(shape, texture) for shape in (before, moved, wanted)]

    def values(corpus: Corpus) -> tuple[Tensor, Tensor]:
        shape = torch.from_numpy(corpus.shape).flatten(1)
        return shape, shape

    return WaysStage("expression", config, network, values, show, train, held_out, empty)


def heads(shapes: Tensor, texture: Tensor) -> Image:
    """[n, 256, 256, 3]: shapes [n, 468, 3] with textures, facing the camera."""
    landmarks = torch.from_numpy(np.stack([turned(shape, *FACING) for shape in shapes.numpy()]))
    return to_images(FacePicture(SIZE)(landmarks, texture)[1])
