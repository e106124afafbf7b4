"""How much noise at which step, and how a picture comes out of it."""

from collections.abc import Callable

import torch
from diffusers import DDIMScheduler
from torch import Tensor

STEPS = 1000
NOISY_FROM = 0.6  # of the steps
Predict = Callable[[Tensor, Tensor], Tensor]  # latents [B, C, h, w] and steps [B] -> v


def scheduler() -> DDIMScheduler:
    """The mini family's: cosine (Nichol and Dhariwal 2021), v-prediction (Salimans and Ho 2022)."""
    return DDIMScheduler(
        num_train_timesteps=STEPS,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
    )


def draw_steps(batch: int, noise: torch.Generator) -> Tensor:
    """[B] steps. Half of them mostly where signal and noise are about equal: the ratio of noise to signal is log-normal (Esser et al. 2024, 3.1).

    That leaves 3 % of the steps to the first tenth of the way from noise to a picture, and there it is decided what lies where. So the others are
    evenly spread over the noisier part.
    """
    angle = torch.atan(torch.exp(torch.randn(batch, generator=noise))) / (torch.pi / 2)
    noisy = 1 - (1 - NOISY_FROM) * torch.rand(batch, generator=noise)
    share = torch.where(torch.rand(batch, generator=noise) < 0.5, angle, noisy)
    return (share * STEPS).long().clamp(0, STEPS - 1)


def noised(latent: Tensor, step: Tensor, alphas: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
    """(noisy latents, v to predict), both [B, C, h, w]; `alphas` [1000]: the scheduler's cumulated ones."""
    extra = torch.randn(latent.shape, generator=noise)
    signal, dirt = alphas[step].sqrt()[:, None, None, None], (1 - alphas[step]).sqrt()[:, None, None, None]
    return signal * latent + dirt * extra, signal * extra - dirt * latent


def clean(noisy: Tensor, prediction: Tensor, step: Tensor, alphas: Tensor) -> Tensor:
    """The clean latents [B, C, h, w] that a predicted v means. Salimans and Ho 2022, appendix D."""
    signal, dirt = alphas[step].sqrt()[:, None, None, None], (1 - alphas[step]).sqrt()[:, None, None, None]
    return signal * noisy - dirt * prediction


@torch.no_grad()
def sample(predict: Predict, start: Tensor, steps: int) -> Tensor:
    """DDIM from noise [B, C, h, w] to clean latents."""
    plan = scheduler()
    plan.set_timesteps(steps)
    latent = start
    for step in plan.timesteps:
        latent = plan.step(predict(latent, step.repeat(len(latent))), step, latent).prev_sample
    return latent
