"""People whose words say of a head which of its states it is in, and nothing else."""

import numpy as np
import numpy.typing as npt

from training.mini.corpus import Corpus
from training.mini.words import CAPTIONS

WIDTH = 16  # of the words' states
EMPTY = np.full((2, WIDTH), 0.1, np.float16)
LOUD = 4  # the state that is said


def worded(person: npt.NDArray[np.int64], said: npt.NDArray[np.int64], shape: npt.NDArray[np.float64], texture: npt.NDArray[np.uint8]) -> Corpus:
    """A corpus of pictures of `person` [n], whose captions all say `said` [n], by which of the states is loud; shapes [n, 468, 3] and textures
    [n, 3, 192, 192]."""
    states = np.zeros((len(person) * CAPTIONS, WIDTH), np.float16)
    states[np.arange(len(states)), np.repeat(said, CAPTIONS)] = LOUD
    starts = np.arange(len(person))[:, None] * CAPTIONS + np.arange(CAPTIONS + 1)
    rest = dict.fromkeys(("face", "head", "landmarks", "points", "keypoints", "region", "soft", "latent"), np.zeros(0))
    return Corpus(
        seed=person,
        identity=np.ones((len(person), 128), np.float32),
        shape=shape.astype(np.float32),
        texture=texture,
        found=np.ones(len(person), bool),
        states=(states,),
        starts=starts.astype(np.int32),
        shard=np.zeros(len(person), np.int32),
        **rest,  # type: ignore[arg-type]
    )
