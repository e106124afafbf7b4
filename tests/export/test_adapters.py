"""Adapters and identity encoders are taken to the last number, and their licences are kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor

from export import published
from export.errors import InvalidRequest, Mismatch
from export.families import Family
from export.loaders.formats import bring
from tests.export.brought import SD15, SDXL, adapter, assert_same, part, saved

ADAPTERS = ["ip_adapter", "ip_adapter_plus", "faceid", "faceid_plus", "instantid"]


def low_ranks(family: Family) -> dict[str, Tensor]:
    """As IP-Adapter-FaceID has them: of every attention layer by its place."""
    draw = torch.Generator().manual_seed(5)
    found = {}
    layers = [layer for layer in part(family.name, "unet").modules() if isinstance(layer, Attention)]
    for place, layer in enumerate(layers):
        for side, linear in (("q", layer.to_q), ("k", layer.to_k), ("v", layer.to_v), ("out", layer.to_out[0])):
            found[f"{place}.to_{side}_lora.down.weight"] = torch.randn(2, linear.in_features, generator=draw)
            found[f"{place}.to_{side}_lora.up.weight"] = torch.randn(linear.out_features, 2, generator=draw)
    return found


@pytest.mark.parametrize("kind", ADAPTERS)
def test_adapters_are_taken_from_pickles_and_from_safetensors(kind: str, tmp_path: Path) -> None:
    family = SDXL if kind == "instantid" else SD15
    tensors = adapter(family, kind)
    torch.save(tensors, tmp_path / "one.bin")
    flat = {f"{group}.{name}": value for group, several in tensors.items() for name, value in several.items()}
    for path in (tmp_path / "one.bin", saved(tmp_path / "two.safetensors", flat)):
        found = bring(family, [path], noncommercial=True, plus=2)
        assert_same(found, family, f"{kind}.tokens")
        assert_same(found, family, f"{kind}.kv")


def test_face_makeup_brings_its_controlnet_and_changes_the_unet(tmp_path: Path) -> None:
    tensors = adapter(SD15, "faceid_plus")
    tensors["ip_adapter"] |= low_ranks(SD15)
    torch.save({**tensors, "controlnet": part("sd15", "controlnet").state_dict()}, tmp_path / "model.bin")
    base = saved(tmp_path / "unet.safetensors", part("sd15", "unet").state_dict())
    found = bring(SD15, [base, tmp_path / "model.bin"], noncommercial=True)
    for component in ("faceid_plus.tokens", "faceid_plus.kv", "controlnet"):
        assert_same(found, SD15, component)
    plain = part("sd15", "unet").state_dict()
    layers = [name for name, layer in part("sd15", "unet").named_modules() if isinstance(layer, Attention)]
    ranks = low_ranks(SD15)
    for place, side, layer in ((0, "q", "to_q"), (1, "k", "to_k"), (len(layers) - 1, "out", "to_out.0")):
        name = f"{layers[place]}.{layer}.weight"
        added = ranks[f"{place}.to_{side}_lora.up.weight"] @ ranks[f"{place}.to_{side}_lora.down.weight"]
        torch.testing.assert_close(found.weights["unet"][name], plain[name] + added)
    assert "changed by Face-MakeUp: non-commercial research only" in found.licences["unet"]
    assert published.module(SD15, "context_face_makeup", found.weights)


def test_which_faceid_plus_it_is_must_be_said_and_changes_what_is_built(tmp_path: Path) -> None:
    torch.save(adapter(SD15, "faceid_plus"), tmp_path / "plus.bin")
    with pytest.raises(InvalidRequest, match="the same tensors; say which: --faceid-plus 1 or 2"):
        bring(SD15, [tmp_path / "plus.bin"], noncommercial=True)
    given = torch.randn(1, 24), torch.randn(1, 5, 64), torch.ones(1), torch.ones(1)
    made = []
    for plus in (1, 2):
        found = bring(SD15, [tmp_path / "plus.bin"], noncommercial=True, plus=plus)
        made.append(published.module(SD15, "context_faceid_plus", found.weights, "fp32", found.variants)(*given))
    assert (made[0] - made[1]).abs().max() > 0.01


@pytest.mark.parametrize("kind", ["faceid", "faceid_plus", "instantid"])
def test_a_licence_without_commercial_use_must_be_accepted_and_is_kept(kind: str, tmp_path: Path) -> None:
    family = SDXL if kind == "instantid" else SD15
    torch.save(adapter(family, kind), tmp_path / "x.bin")
    with pytest.raises(InvalidRequest, match=r"non-commercial research only.*give --accept-noncommercial"):
        bring(family, [tmp_path / "x.bin"], plus=2)
    assert "non-commercial" in bring(family, [tmp_path / "x.bin"], noncommercial=True, plus=2).licences[f"{kind}.kv"]


def test_insightface_s_network_is_taken_where_its_licence_is_accepted(tmp_path: Path) -> None:
    torch.save(part("sd15", "identity_encoder").state_dict(), tmp_path / "backbone.pth")
    with pytest.raises(InvalidRequest, match=r"InsightFace's iresnet.*--accept-noncommercial"):
        bring(SD15, [tmp_path / "backbone.pth"])
    found = bring(SD15, [tmp_path / "backbone.pth"], noncommercial=True)
    assert_same(found, SD15, "identity_encoder")
    faces = torch.rand(2, 3, 32, 32) * 255
    torch.testing.assert_close(published.module(SD15, "identity_encoder", found.weights)(faces), part("sd15", "identity_encoder").eval()(faces))


def test_face0_s_projection_is_taken_by_our_own_names(tmp_path: Path) -> None:
    tokens = part("sd15", "face0.tokens").state_dict()
    base = saved(tmp_path / "unet.safetensors", part("sd15", "unet").state_dict())
    found = bring(SD15, [base, saved(tmp_path / "x.safetensors", {f"face0.tokens.{name}": value for name, value in tokens.items()})])
    assert_same(found, SD15, "face0.tokens")
    states, appearance = torch.randn(2, 77, 32), torch.randn(2, 5, 64)
    network = published.module(SD15, "context_face0", found.weights, "fp32")
    one, other = (network(states, torch.randn(2, 24), appearance) for _ in range(2))
    torch.testing.assert_close(one[:, :74], other[:, :74], atol=0, rtol=0)
    assert (one[:, 74:] - other[:, 74:]).abs().amax((0, 2)).min() > 0.01


def test_an_adapter_that_lacks_a_tensor_or_has_one_too_many_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    changes: list[tuple[Callable[[dict[str, dict[str, Tensor]]], object], str]] = [
        (lambda file: file["ip_adapter"].pop("3.to_k_ip.weight"), r"faceid\.kv is not that of sd15: 1 missing \(3\.to_k_ip\.weight\)"),
        (lambda file: file["image_proj"].pop("proj.0.bias"), "does not fit faceid.*Missing key"),
        (lambda file: file["image_proj"].update(more=torch.zeros(1)), "does not fit faceid.*Unexpected key"),
        (lambda file: file["ip_adapter"].update({"0.to_q_lora.down.weight": torch.zeros(2, 16)}), r"to_q_lora\.up\.weight is missing"),
    ]
    for change, says in changes:
        tensors = adapter(SD15, "faceid")
        change(tensors)
        torch.save(tensors, path)
        with pytest.raises(Mismatch, match=says):
            bring(SD15, [path], noncommercial=True)
