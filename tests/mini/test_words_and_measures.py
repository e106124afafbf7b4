"""Captions of fragments say only what is true; measures measure."""

import cv2
import numpy as np
import pytest
import torch
from omokage import faces

from training.mini import measures, noise
from training.mini.likeness import aligned
from training.mini.words import AT_MOST, CAPTIONS, captions, fragments
from training.people.captions import captions as sentences
from training.people.person import person
from training.people.shot import shot

STATEMENTS = {"who": "young man", "hair": "short black hair", "expression": "smiling gently", "background": "beach", "outfit": "a red sweater"}


def test_fragments_are_statements_of_the_picture_and_nothing_else() -> None:
    for seed in range(200):
        said = fragments(STATEMENTS, np.random.default_rng(seed)).split(", ")
        assert 1 <= len(said) <= AT_MOST
        for piece in said:
            assert any(words in piece for words in STATEMENTS.values()), piece


def test_fragments_leave_things_out_and_change_their_order() -> None:
    found = {fragments(STATEMENTS, np.random.default_rng(seed)) for seed in range(100)}
    assert len(found) > 60
    assert any("beach" not in text for text in found)


@pytest.mark.assets
def test_a_picture_has_five_captions_the_same_every_time() -> None:
    who = person(5)
    taken = shot(who, 2)
    record = {"captions": sentences(who, taken), "person": {"seed": 5}, "shot": {"seed": 2}}
    assert captions(record) == captions(record)
    assert len(captions(record)) == len(set(captions(record))) == CAPTIONS


def test_psnr_and_ssim_of_equal_and_of_shifted_pictures() -> None:
    picture = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.8
    assert measures.ssim(picture, picture).tolist() == pytest.approx([1, 1])
    assert measures.psnr(picture, picture + 0.1).tolist() == pytest.approx([20, 20], abs=1e-3)
    assert measures.ssim(picture, picture.flip(3)).max() < 0.3


def test_a_grey_copy_has_lost_all_colour() -> None:
    picture = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    colours = measures.chroma(picture)
    assert measures.slope(colours, colours) == pytest.approx(1)
    assert measures.slope(colours, measures.chroma(picture.mean(1, keepdim=True).expand(-1, 3, -1, -1))) == pytest.approx(0, abs=1e-6)


def test_steps_cover_the_whole_range_gather_in_the_middle_and_do_not_leave_out_the_noisiest() -> None:
    """In a portrait of 20 steps two are in the noisiest tenth, and what lies where is decided there."""
    steps = noise.draw_steps(20_000, torch.Generator().manual_seed(0)).float()
    assert steps.min() < 50
    assert steps.max() == 999
    assert ((steps > 250) & (steps < 750)).float().mean() > 0.45
    assert (steps > 900).float().mean() > 0.07


def test_where_another_head_is_shown_errors_count_as_those_of_clean_latents_below_the_middle() -> None:
    alphas = noise.scheduler().alphas_cumprod
    steps = torch.tensor([100, 300, 450, 700, 999])
    weights = noise.evened(steps, alphas)
    assert weights[3:].tolist() == [1, 1]
    wrong = torch.full((5, 1, 1, 1), 0.1)  # of clean latents; v is off by this over the noise's share
    of_v = (wrong / (1 - alphas[steps]).sqrt()[:, None, None, None]).square().flatten()
    torch.testing.assert_close((weights * of_v)[:3], torch.full((3,), 0.02))


def test_a_perfect_prediction_brings_the_latents_back() -> None:
    truth = torch.randn(1, 8, 4, 4, generator=torch.Generator().manual_seed(1))
    alphas = noise.scheduler().alphas_cumprod

    def predict(latent: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
        signal, dirt = alphas[step].sqrt()[:, None, None, None], (1 - alphas[step]).sqrt()[:, None, None, None]
        found: torch.Tensor = signal * (latent - signal * truth) / dirt - dirt * truth
        return found

    start = torch.randn(1, 8, 4, 4, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(noise.sample(predict, start, 20), truth, atol=1e-3, rtol=0)


def test_a_face_aligned_with_gradients_is_the_server_s() -> None:
    draw = np.random.default_rng(0)
    picture = np.asarray(cv2.GaussianBlur(draw.integers(0, 256, (256, 256, 3), np.uint8), (9, 9), 0), np.uint8)
    points = (faces.TEMPLATE + draw.normal(0, 3, (5, 2)) + [70, 60]).astype(np.float32)
    wanted = faces.aligned(picture, points)
    found = aligned(torch.from_numpy(picture).permute(2, 0, 1)[None].float(), torch.from_numpy(points)[None], 256)
    assert float(np.abs(found[0].numpy() - wanted).mean()) < 0.5


def test_the_clean_latents_of_the_right_prediction_are_the_latents() -> None:
    alphas = noise.scheduler().alphas_cumprod
    latent, step = torch.randn(4, 8, 4, 4), torch.tensor([0, 300, 600, 999])
    noisy, wanted = noise.noised(latent, latent, step, alphas, torch.Generator().manual_seed(0))
    torch.testing.assert_close(noise.clean(noisy, wanted, step, alphas), latent, atol=1e-4, rtol=1e-4)
