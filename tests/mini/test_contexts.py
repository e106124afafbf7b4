"""What the UNet is told of a batch is what the exported context networks say of its rows, one by one."""

from dataclasses import replace

import torch
from torch import Tensor

from export.families import UnetShape
from export.generator import Generator
from training.mini.contexts import SYSTEMS, contexts

SHAPE = replace(UnetShape(), channels=(32, 64, 64), heads=(1, 2, 2))
PARTS = {name: slice(k, k + 1) for k, name in enumerate(SYSTEMS)}


def drawn(tokens: int) -> dict[str, Tensor]:
    torch.manual_seed(1)
    mask = torch.zeros(4, 77)
    for row in range(4):
        mask[row, : tokens - row] = 1
    return {
        "states": torch.randn(4, 77, 384) * mask[..., None],
        "mask": mask,
        "identity": torch.randn(4, 128),
        "face": torch.rand(4, 112, 112, 3) * 255,
        "head": torch.rand(4, 112, 112, 3) * 255,
    }


def check(tokens: int) -> None:
    network = Generator(SHAPE).eval()
    given = drawn(tokens)
    with torch.no_grad():
        found = contexts(network, given, PARTS)
        whole = network.text(given["states"], given["mask"])
        appearance = network.appearance(*(given[crop].permute(0, 3, 1, 2) for crop in ("face", "head")))
        with_face = network.face0_tokens(given["states"], given["mask"], given["identity"], appearance)
        one = torch.ones(4)
        makeup = network.makeup_kv(network.makeup(given["identity"], appearance, one), one)
        cross = network.cross_kv(network.cross(given["identity"], appearance), one)
    torch.testing.assert_close(found.text_kv[[0, 2, 3]], whole[[0, 2, 3]], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.text_kv[1], network.text.project(with_face)[1], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.id_kv[2], makeup[2], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.id_kv[3], cross[3], atol=1e-4, rtol=1e-4)
    assert not found.id_kv[:2].any()


def test_short_words_are_computed_without_their_padding_and_come_out_the_same() -> None:
    check(20)


def test_words_that_fill_all_places_give_their_last_ones_to_face0() -> None:
    check(77)
