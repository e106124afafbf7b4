"""Noise that a seed decides, on every machine and in every language: a counter-based generator and a formula."""

import numpy as np
import numpy.typing as npt


def normal(seed: int, shape: tuple[int, ...], stream: int = 0) -> npt.NDArray[np.float32]:
    """Standard normal numbers of a shape. Philox 4x64-10 (Salmon et al. 2011) keyed by (seed, stream), then Box and Muller (1958).

    Raw words are taken in pairs; the top 53 bits of each make the uniform numbers, the first in (0, 1], the second in [0, 1).
    """
    count = int(np.prod(shape))
    words = np.random.Philox(key=np.array([seed, stream], np.uint64)).random_raw(2 * ((count + 1) // 2))
    uniform = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    radius, angle = np.sqrt(-2 * np.log(1 - uniform[0::2])), 2 * np.pi * uniform[1::2]
    both = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)
    return np.asarray(both[:count].reshape(shape), np.float32)
