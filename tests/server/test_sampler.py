"""Schedules and samplers of the server against diffusers' on the same predictions."""

from typing import Any

import numpy as np
import pytest
import samplers
import schedule
import torch
from diffusers import DDIMScheduler
from omokage.denoising import timesteps

FAMILIES: dict[str, dict[str, Any]] = {
    "cosine": {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction"},
    "scaled_linear": {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "prediction_type": "epsilon"},
}


def reference(name: str) -> DDIMScheduler:
    return DDIMScheduler(**FAMILIES[name], timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=True)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_schedule_is_diffusers_own(name: str) -> None:
    np.testing.assert_allclose(schedule.SCHEDULES[name](), reference(name).alphas_cumprod.numpy(), atol=1e-6)


@pytest.mark.parametrize("steps", [1, 4, 20, 50])
@pytest.mark.parametrize("name", FAMILIES)
def test_ddim_walks_as_diffusers_does(name: str, steps: int) -> None:
    other, alphas = reference(name), schedule.SCHEDULES[name]()
    other.set_timesteps(steps)
    walk = timesteps(steps)
    assert walk == other.timesteps.tolist()
    draw = np.random.default_rng(steps)
    ours = draw.normal(size=(4, 8, 8)).astype(np.float32)
    theirs = torch.from_numpy(ours)
    for place, step in enumerate(walk):
        predicted = (0.5 * ours if name == "cosine" else ours * np.float32((1 - alphas[step]) ** 0.5)).astype(np.float32)
        following = alphas[walk[place + 1]] if place + 1 < steps else 1.0
        theirs = other.step(torch.from_numpy(predicted), torch.tensor(int(step)), theirs).prev_sample
        ours, _ = samplers.ddim(ours, predicted, alphas[step], following, "v" if name == "cosine" else "epsilon")
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5 * max(1.0, float(np.abs(ours).max())))


def test_guidance_is_a_weighted_sum_of_the_branches() -> None:
    predictions = np.stack([np.full((2, 2), 3.0), np.full((2, 2), 1.0)]).astype(np.float32)
    assert samplers.guided(predictions, np.array([2.5, -1.5], np.float32)).tolist() == [[6.0, 6.0], [6.0, 6.0]]
