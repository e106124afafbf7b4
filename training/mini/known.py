"""Rows of a batch whose noisy picture has a head from another shot of the person in it."""

from torch import Tensor

from training.mini.contexts import Arrays


def known_rows(arrays: Arrays) -> Tensor:
    """[B] whether a row is one."""
    return arrays["covered"].flatten(1).amax(1) > 0
