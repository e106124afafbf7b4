"""What a picture shows, pixel by pixel: face parsing."""

from typing import NamedTuple

import numpy as np

from omokage.plate import Mask
from omokage.system import Floats, Infer

PARSED = ("background", "skin", "hair", "beard", "clothes", "glasses", "hat", "earring")
"""What the network tells apart; eyes, brows, lips and what is between those are skin."""
ON_HEADS = ("hair", "beard", "glasses", "hat", "earring")


class Parsed(NamedTuple):
    """`shares` [8, H, W] in 0..1: how far a pixel shows each of PARSED; they sum to 1."""

    shares: Floats

    def share(self, *names: str) -> Floats:
        """[H, W] in 0..1: how far pixels show any of these."""
        return np.asarray(sum(self.shares[PARSED.index(name)] for name in names), np.float32)

    def most(self, *names: str) -> Mask:
        """[H, W]: which pixels show one of these rather than anything else."""
        return np.asarray(np.isin(self.shares.argmax(0), [PARSED.index(name) for name in names]), np.bool_)


def parsed(infer: Infer, picture: Floats) -> Parsed:
    """Of a picture [1, 3, S, S] in -1..1. Raises whatever `infer` raises."""
    return Parsed(np.asarray(infer("face_parsing", {"picture": picture})["parts"][0], np.float32))
