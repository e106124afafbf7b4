"""The UNet with hoisted keys and values is diffusers' own UNet."""

import pytest
import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from omokage import denoising
from torch import Tensor, nn

from export.context import CROSS_TOKENS, TEXT_TOKENS, FaceKeysValues
from export.controlnet import SEEN_ABOVE, Control, ControlNet, shared_columns
from export.families import UnetShape
from export.plain import PlainControlNet, PlainUnet, decouple
from export.unet import Unet, cross_attentions, plain_unet, value_mask

SHAPE = UnetShape(channels=(32, 64, 64), heads=(1, 2, 2))


def twins() -> tuple[UNet2DConditionModel, Unet, Tensor]:
    """(diffusers' UNet, ours with the same weights, the projection [S, D] that its layers had)."""
    torch.manual_seed(0)
    plain, ours = plain_unet(SHAPE).eval(), Unet(SHAPE).eval()
    ours.network.load_state_dict(
        {name: value for name, value in plain.state_dict().items() if ".attn2.to_k" not in name and ".attn2.to_v" not in name}
    )
    project = torch.cat([torch.cat([layer.to_k.weight, layer.to_v.weight]) for _, layer in cross_attentions(plain)])
    return plain, ours, project


def inputs(batch: int = 2) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Latents, steps, states of words, tokens of a face."""
    draw = torch.Generator().manual_seed(1)
    latent = torch.randn(batch, SHAPE.latent_channels, 32, 32, generator=draw)
    words = torch.randn(batch, TEXT_TOKENS, SHAPE.text_width, generator=draw)
    return latent, torch.tensor([10, 900])[:batch], words, torch.randn(batch, CROSS_TOKENS, SHAPE.text_width, generator=draw)


@torch.no_grad()
def test_with_words_alone_it_equals_diffusers() -> None:
    plain, ours, project = twins()
    latent, step, words, _ = inputs()
    nobody = torch.zeros(2, CROSS_TOKENS, ours.kv_width)
    assert project.shape == (ours.kv_width, SHAPE.text_width)
    torch.testing.assert_close(ours(latent, step, words @ project.T, nobody), plain(latent, step, words).sample, atol=1e-5, rtol=0)


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0])
@torch.no_grad()
def test_with_a_face_it_equals_decoupled_attention_at_every_scale(scale: float) -> None:
    plain, ours, project = twins()
    latent, step, words, face = inputs()
    face_kv = FaceKeysValues(SHAPE.text_width, ours.kv_width, value_mask(ours.network))
    decouple(plain, face_kv.project.weight, face, scale)
    found = ours(latent, step, words @ project.T, face_kv(face, torch.full((2,), scale)))
    torch.testing.assert_close(found, plain(latent, step, words).sample, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_face_changes_the_prediction() -> None:
    _, ours, project = twins()
    latent, step, words, face = inputs()
    id_kv = FaceKeysValues(SHAPE.text_width, ours.kv_width, value_mask(ours.network))(face, torch.ones(2))
    without = ours(latent, step, words @ project.T, torch.zeros_like(id_kv))
    assert (ours(latent, step, words @ project.T, id_kv) - without).abs().max() > 1e-3


@torch.no_grad()
def test_four_tokens_repeated_to_sixteen_act_as_the_four() -> None:
    _, ours, project = twins()
    latent, step, words, face = inputs()
    kv = FaceKeysValues(SHAPE.text_width, ours.kv_width, value_mask(ours.network))
    four = face[:, :4]
    found = [ours(latent, step, words @ project.T, kv(tokens, torch.ones(2))) for tokens in (four, four.repeat(1, 4, 1))]
    torch.testing.assert_close(*found, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_new_controlnet_adds_nothing_and_knows_the_unets_layers() -> None:
    _, ours, project = twins()
    control = ControlNet(SHAPE).eval()
    control.begin_as(ours)
    latent, step, words, _ = inputs()
    columns = shared_columns(ours, control)
    kv = words @ project.T
    residuals = control(latent, step, torch.rand(2, 3, 256, 256), kv[..., columns], torch.ones(2))
    assert all(not residual.any() for residual in residuals)
    nobody = torch.zeros(2, CROSS_TOKENS, ours.kv_width)
    torch.testing.assert_close(ours(latent, step, kv, nobody, *residuals), ours(latent, step, kv, nobody), atol=1e-6, rtol=0)


@torch.no_grad()
def test_a_controlnets_strength_is_a_factor_of_each_row() -> None:
    torch.manual_seed(2)
    control = ControlNet(SHAPE).eval()
    for parameter in control.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.05)  # the zero convolutions would hide everything
    latent, step, words, _ = inputs()
    given = (latent, step, torch.rand(2, 3, 256, 256), words[..., :1].expand(-1, -1, control.kv_width))
    full, scaled = control(*given, torch.ones(2)), control(*given, torch.tensor([0.5, 0.0]))
    for one, other in zip(full, scaled, strict=True):
        torch.testing.assert_close(other[0], one[0] * 0.5)
        assert not other[1].any()
        assert one.any()


PATCHED = UnetShape(channels=(32, 64), heads=(1, 2), attention=(True, True), patch=2, pooled=True)


@torch.no_grad()
def test_a_face_at_strength_0_is_nobody_also_where_its_values_go_in_with_the_step() -> None:
    torch.manual_seed(0)
    unet = Unet(PATCHED).eval()
    face = FaceKeysValues(384, unet.kv_width, value_mask(plain_unet(PATCHED)))
    sample, step, words = torch.randn(2, 8, 16, 16), torch.tensor([10, 800]), torch.randn(2, 77, unet.kv_width)
    tokens = torch.randn(2, CROSS_TOKENS, 384)
    nobody = unet(sample, step, words, torch.zeros(2, CROSS_TOKENS, unet.kv_width))
    torch.testing.assert_close(unet(sample, step, words, face(tokens, torch.zeros(2))), nobody, atol=1e-5, rtol=1e-5)
    assert (unet(sample, step, words, face(tokens, torch.ones(2))) - nobody).abs().max() > 1e-3


@torch.no_grad()
def test_a_patch_is_seen_as_one_cell_and_given_back_in_its_place() -> None:
    torch.manual_seed(0)
    unet = Unet(PATCHED).eval()
    assert unet.network.config["in_channels"] == 8 * 4
    seen: list[Tensor] = []
    unet.network.conv_in.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    sample = torch.randn(1, 8, 16, 16)
    found = unet(sample, torch.tensor([10]), torch.zeros(1, 77, unet.kv_width), torch.zeros(1, CROSS_TOKENS, unet.kv_width))
    assert found.shape == sample.shape
    torch.testing.assert_close(F.pixel_shuffle(seen[0], 2), sample)


@torch.no_grad()
def test_hoisted_networks_equal_diffusers_own_with_tokens_and_a_face_in_half_of_the_rows() -> None:
    torch.manual_seed(3)
    unet, control = Unet(PATCHED).eval(), Control(PATCHED, reference=True).eval()
    for parameter in control.controlnet.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.05)  # the zero convolutions would hide everything
    words_kv, face_kv = nn.Linear(384, unet.kv_width, bias=False), nn.Linear(384, unet.kv_width, bias=False)
    sample, step, reference = torch.randn(2, 8, 16, 16), torch.tensor([10, 800]), torch.randn(2, 8, 16, 16)
    words, face, condition = torch.randn(2, 77, 384), torch.randn(2, CROSS_TOKENS, 384), torch.rand(2, 3, 128, 128)
    face[1] = 0
    wanted = control.controlnet(sample, step, condition, control.project(face), torch.ones(2), reference)
    residuals = PlainControlNet(PATCHED, control)(sample, step, condition, face, reference)
    for found, one in zip(residuals, wanted, strict=True):
        torch.testing.assert_close(found, one, atol=1e-5, rtol=1e-4)
    plain = PlainUnet(PATCHED, unet, words_kv.weight, face_kv.weight)
    found = plain(sample, step, words, plain.attend(words, face), *wanted)
    torch.testing.assert_close(found, unet(sample, step, words_kv(words), face_kv(face), *wanted), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_a_controlnet_sees_a_reference_in_the_noisier_half_of_the_steps_only() -> None:
    torch.manual_seed(4)
    control = Control(PATCHED, reference=True).eval()
    for parameter in control.controlnet.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.05)
    sample, condition, face = torch.randn(1, 8, 16, 16), torch.rand(1, 3, 128, 128), torch.randn(1, CROSS_TOKENS, 384)
    references = torch.randn(2, 8, 16, 16)
    assert denoising.SEEN_ABOVE == SEEN_ABOVE, "recipes know it, too"
    for step, matters in ((900, True), (SEEN_ABOVE + 1, True), (SEEN_ABOVE, False), (100, False)):
        one, other = (
            control.controlnet(sample, torch.tensor([step]), condition, control.project(face), torch.ones(1), reference[None])[-1]
            for reference in references
        )
        assert torch.equal(one, other) != matters, step
