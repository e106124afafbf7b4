"""Where a picture looks at the tokens that were learned of a person: so the network itself says what belongs to the person (Liu et al. 2024)."""

import numpy as np

from omokage import noise
from omokage.denoising import slope
from omokage.prior import TOKENS
from omokage.sitting import Sitting
from omokage.system import Arrays, Floats, scalar

LOOKS = (150, 300, 450, 600)  # steps whose noise is added: with less the tokens tell little, with more there is nothing to see


def to_the_person(sitting: Sitting, latent: Floats, condition: Floats) -> Floats:
    """[1, 1, h, w]: how much each cell of latents [1, C, h, w] looks at the person's tokens, in the mean of LOOKS. `condition`: any drawing; it has
    no strength here."""
    schedule, rows, branch = sitting.schedule, len(LOOKS), sitting.wished[0]
    first = noise.normal(sitting.seed, latent.shape)
    levels = zip((schedule.signal(step) for step in LOOKS), (schedule.noise(step) for step in LOOKS), strict=True)
    every = {"text_kv": branch.text_kv, "id_kv": branch.id_kv, "pose_kv": branch.pose_kv, "condition": condition}
    given: Arrays = {name: np.repeat(value, rows, 0) for name, value in every.items() if value is not None}
    given |= {
        "sample": np.concatenate([np.float32(signal) * latent + np.float32(dirt) * first for signal, dirt in levels]),
        "timestep": np.array(LOOKS, np.int64),
        "reference": np.zeros((rows, *latent.shape[1:]), np.float32),
        "strength": np.repeat(scalar(0.0), rows),
        "target": np.zeros((rows, *latent.shape[1:]), np.float32),
        "importance": np.zeros((rows, 1, *latent.shape[2:]), np.float32),
    }
    found = slope(sitting.infer, given)
    looks = found["attention"][:, -TOKENS:].sum(1).mean(0)
    side = round(len(looks) ** 0.5)
    more = latent.shape[-1] // side
    return np.asarray(np.repeat(np.repeat(looks.reshape(side, side), more, 0), more, 1)[None, None], np.float32)
