"""Contexts of faces: how many tokens, what the scales do, and how one begins as another."""

import torch

from export.context import CROSS_TOKENS, MAKEUP_TOKENS, CrossFaceIdContext, Face0Context, FaceKeysValues, FaceMakeupContext
from export.families import UnetShape
from export.unet import Unet, value_mask

IDENTITY, APPEARANCE = torch.nn.functional.normalize(torch.randn(2, 128)), torch.randn(2, 98, 256)
WIDTH = 64


def test_every_context_gives_its_tokens() -> None:
    assert Face0Context(WIDTH)(IDENTITY, APPEARANCE).shape == (2, 3, WIDTH)
    assert CrossFaceIdContext(WIDTH)(IDENTITY, APPEARANCE).shape == (2, CROSS_TOKENS, WIDTH)
    found = FaceMakeupContext(WIDTH)(IDENTITY, APPEARANCE, torch.ones(2))
    assert found.shape == (2, CROSS_TOKENS, WIDTH)
    torch.testing.assert_close(found[:, :MAKEUP_TOKENS], found[:, -MAKEUP_TOKENS:])


def test_without_structure_the_appearance_does_not_count() -> None:
    context = FaceMakeupContext(WIDTH)
    torch.testing.assert_close(context(IDENTITY, APPEARANCE, torch.zeros(2)), context(IDENTITY, -APPEARANCE, torch.zeros(2)))
    assert not torch.allclose(context(IDENTITY, APPEARANCE, torch.ones(2)), context(IDENTITY, -APPEARANCE, torch.ones(2)))


def test_sixteen_tokens_begin_as_the_four() -> None:
    four, sixteen = FaceMakeupContext(WIDTH), CrossFaceIdContext(WIDTH)
    sixteen.begin_as(four)
    torch.testing.assert_close(sixteen.made(IDENTITY, APPEARANCE, torch.zeros(2)), four(IDENTITY, APPEARANCE, torch.zeros(2)))


def test_the_identity_scale_is_a_factor_on_the_values_alone() -> None:
    mask = value_mask(Unet(UnetShape(channels=(16, 32), heads=(2, 4), attention=(True, True), text_width=WIDTH)).network)
    context = FaceKeysValues(WIDTH, len(mask), mask)
    tokens = torch.randn(2, CROSS_TOKENS, WIDTH)
    full, half = context(tokens, torch.ones(2)), context(tokens, torch.full((2,), 0.5))
    torch.testing.assert_close(half, torch.where(mask.bool(), full / 2, full))
