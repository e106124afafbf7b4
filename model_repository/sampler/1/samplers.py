"""One step of denoising, as pure functions of arrays. Needs no Triton."""

from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Prediction = Literal["v", "epsilon"]


def guided(predictions: Floats, weights: Floats) -> Floats:
    """The branches' predictions [R, ...] summed with their weights [R]; classifier-free guidance is (w, 1 - w). Ho and Salimans 2022, eq. 6."""
    return np.tensordot(weights, predictions, axes=1).astype(np.float32)


def ddim(sample: Floats, prediction: Floats, alpha: float, next_alpha: float, kind: Prediction) -> tuple[Floats, Floats]:
    """(the sample at the next step, without new noise; the clean one as expected now). Song et al. 2021, eq. 12; `alpha`: cumulated, 1 at the end."""
    signal, noise = np.float32(alpha**0.5), np.float32((1 - alpha) ** 0.5)
    if kind == "v":  # Salimans and Ho 2022, appendix D
        clean, dirt = signal * sample - noise * prediction, signal * prediction + noise * sample
    else:
        clean, dirt = (sample - noise * prediction) / signal, prediction
    return np.asarray(np.float32(next_alpha**0.5) * clean + np.float32((1 - next_alpha) ** 0.5) * dirt, np.float32), np.asarray(clean, np.float32)
