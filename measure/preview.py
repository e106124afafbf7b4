"""`python -m measure.preview`: the colours of latents, fitted to what the decoder makes of them; `export/families.py` keeps the numbers."""

import sys

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from measure.in_process import InProcess
from training.people.person import person
from training.people.render import Renderer
from training.people.shot import shot

PEOPLE, HELD_OUT = range(96), range(1_000_000, 1_000_016)  # of training, and people nobody trained on
SIZE = 256
Floats = npt.NDArray[np.float32]


def seen(runtime: InProcess, renderer: Renderer, seed: int) -> tuple[Floats, Floats]:
    """(latents of a rendered portrait [cells, C], the decoder's mean colours of the same cells [cells, 3] in -1..1)."""
    who = person(seed)
    picture = renderer.picture(who, shot(who, 0)).image.astype(np.float32).transpose(2, 0, 1)[None] / np.float32(127.5) - 1
    latent = runtime.infer("vae_encoder", {"picture": picture})["latent"]
    decoded = runtime.infer("vae_decoder", {"latent": latent})["picture"]
    return latent[0].reshape(len(latent[0]), -1).T, means(decoded, latent.shape[2]).reshape(3, -1).T


def means(picture: Floats, side: int) -> Floats:
    """[1, 3, H, W] to the mean colours of `side` by `side` cells [3, side, side]."""
    cell = picture.shape[2] // side
    return np.asarray(picture[0].reshape(3, side, cell, side, cell).mean((2, 4)))


def gathered(runtime: InProcess, renderer: Renderer, seeds: range) -> tuple[Floats, Floats]:
    found = [seen(runtime, renderer, seed) for seed in tqdm(seeds, "people", disable=not sys.stderr.isatty())]
    latents, colours = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return np.concatenate([latents, np.ones((len(latents), 1), np.float32)], 1), colours


def main() -> int:
    runtime, renderer = InProcess(), Renderer(SIZE)
    latents, colours = gathered(runtime, renderer, PEOPLE)
    weights = np.linalg.lstsq(latents, colours, rcond=None)[0]
    latents, colours = gathered(runtime, renderer, HELD_OUT)
    rounded = np.round(weights, 4)
    for row in rounded:
        print("(" + ", ".join(f"{value:.4f}" for value in row) + "),")
    left = 1 - ((latents @ rounded - colours) ** 2).sum() / ((colours - colours.mean(0)) ** 2).sum()
    print(f"of people nobody trained on: {left:.3f} of the variance, {np.abs(latents @ rounded - colours).mean() * 127.5:.1f} of 255 off on average")
    return 0


if __name__ == "__main__":
    sys.exit(main())
