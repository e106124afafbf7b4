"""Published families: their networks are diffusers' and transformers' own, and have the tensors that the specs say."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from export import clip, face_tokens, published, specs
from export.controlnet import ControlNet, plain_controlnet
from export.equality import difference
from export.errors import InvalidRequest, MissingPiece
from export.families import FAMILIES, SD15, Family, Precision
from export.plain import decouple
from export.to_onnx import example
from export.unet import Unet, plain_unet
from tests.export.narrow import NARROW

FAMILY_NAMES = list(NARROW)


def same(found: Tensor, wanted: Tensor, atol: float = 1e-5) -> None:
    torch.testing.assert_close(found, wanted, atol=atol, rtol=0)


@torch.no_grad()
def awake(network: nn.Module) -> Any:
    """Nothing in it is zero, as a new ControlNet's way out is: that would hide everything."""
    draw = torch.Generator().manual_seed(3)
    for parameter in network.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=draw) * 0.08)
    return network.eval()


def given(family: Family) -> tuple[Tensor, Tensor, Tensor, Tensor, tuple[Tensor, ...]]:
    """Latents, steps, states of words, tokens of a face; vector and sizes, where there are such."""
    draw = torch.Generator().manual_seed(1)
    width = family.unet.text_width
    latent = torch.randn(2, 4, 16, 16, generator=draw)
    added = (torch.randn(2, family.unet.vector, generator=draw), torch.tensor([[64.0, 64, 0, 3, 64, 80]] * 2)) if family.unet.vector else ()
    return latent, torch.tensor([10, 900]), torch.randn(2, 77, width, generator=draw), torch.randn(2, 16, width, generator=draw), added


def conditions(added: tuple[Tensor, ...]) -> dict[str, Tensor]:
    return dict(zip(("text_embeds", "time_ids"), added, strict=True)) if added else {}


@pytest.mark.parametrize("name", FAMILY_NAMES)
@torch.no_grad()
def test_with_words_alone_the_unet_equals_diffusers(name: str) -> None:
    family = NARROW[name]
    latent, step, words, _, added = given(family)
    plain = awake(plain_unet(family.unet))
    wanted = plain(latent, step, words, added_cond_kwargs=conditions(added)).sample
    text_kv = face_tokens.WordsContext(published.projections(plain))(words)
    nobody = torch.zeros(2, 16, text_kv.shape[2])
    found = Unet(family.unet, plain)(latent, step, text_kv, nobody, *added)
    same(found, wanted)
    assert wanted.abs().max() > 0.1


@pytest.mark.parametrize("name", FAMILY_NAMES)
@torch.no_grad()
def test_with_a_face_the_unet_equals_decoupled_attention_at_every_scale(name: str) -> None:
    family = NARROW[name]
    latent, step, words, face, added = given(family)
    plain = awake(plain_unet(family.unet))
    pairs = awake(face_tokens.plain_projections(family.unet))
    context = face_tokens.FaceContext(family.unet, nn.Identity(), pairs, room=16)
    ours = Unet(family.unet, deepcopy(plain))
    text_kv = words @ published.projections(plain).T
    seen = []
    for scale in (0.0, 0.5, 1.0):
        decouple(plain, context.kv.project.weight, face, scale)
        seen.append(plain(latent, step, words, added_cond_kwargs=conditions(added)).sample)
        found = ours(latent, step, text_kv, context(face, torch.full((2,), scale)), *added)
        same(found, seen[-1])
    assert (seen[2] - seen[0]).abs().max() > 1e-3


@pytest.mark.parametrize("name", FAMILY_NAMES)
@torch.no_grad()
def test_the_controlnet_equals_diffusers_and_fits_the_unet(name: str) -> None:
    family = NARROW[name]
    latent, step, _, face, added = given(family)
    plain = awake(plain_controlnet(family.unet))
    picture = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(2))
    down, middle = plain(latent, step, face, picture, added_cond_kwargs=conditions(added), return_dict=False)
    kv = face @ published.projections(plain).T
    found = ControlNet(family.unet, plain)(latent, step, picture, kv, torch.tensor([1.0, 0.5]), *added)
    for one, wanted in zip(found, (*down, middle), strict=True):
        same(one, wanted * torch.tensor([1.0, 0.5])[:, None, None, None])
        assert wanted.any()
    shapes = [(channels, 16 // coarser, 16 // coarser) for channels, coarser in family.unet.residuals()]
    assert [tuple(one.shape[1:]) for one in found] == shapes


DIFFERENT = {"sdxl": ["text_encoder", "unet", "controlnet_pose", "context_crossfaceid"], "sd15": published.names(SD15)}


@pytest.mark.parametrize(("family", "name"), [(family, name) for family, names in DIFFERENT.items() for name in names])
@torch.no_grad()
def test_every_network_takes_and_gives_what_its_spec_says(family: str, name: str) -> None:
    spec = specs.network(NARROW[family], name)
    found = published.module(NARROW[family], name)(*example(spec, {"batch": 2}))
    several = found if isinstance(found, tuple) else (found,)
    kinds = {"fp32": torch.float32, "fp16": torch.float16}
    assert [one.dtype for one in several] == [kinds[tensor.dtype] for tensor in spec.outputs]
    assert [tuple(one.shape) for one in several] == [tensor.shape("opt") for tensor in spec.outputs]
    assert all(one.isfinite().all() for one in several)


@torch.no_grad()
def test_words_are_what_the_published_pipelines_take_of_clip() -> None:
    ids = torch.randint(0, 49000, (2, 77), generator=torch.Generator().manual_seed(0))
    ids[0, 9:], ids[1, 30:] = clip.END, clip.END
    second = torch.where(torch.arange(77) > torch.tensor([[9], [30]]), 0, ids)
    first, both = ([awake(clip.plain_words(shape)) for shape in NARROW[name].clip] for name in FAMILY_NAMES)
    wanted = first[0].text_model(ids)
    both[0].text_projection = nn.Identity()  # only for the asking: it has none
    same(clip.Words(first)(ids), wanted.last_hidden_state)
    one, other = (encoder(numbers, output_hidden_states=True) for encoder, numbers in zip(both, (ids, second), strict=True))
    states, vector = clip.Words(both)(ids, second)
    same(states, torch.cat([one.hidden_states[-2], other.hidden_states[-2]], -1))
    same(vector, other.text_embeds)


@torch.no_grad()
def test_looks_and_safety_are_what_clip_says_of_normal_pixels() -> None:
    shape = NARROW["sd15"].looks
    assert shape
    pixels = torch.rand(3, 3, shape.picture, shape.picture, generator=torch.Generator().manual_seed(0)) * 255
    normal = (pixels / 255 - torch.tensor(clip.MEAN)[:, None, None]) / torch.tensor(clip.DEVIATION)[:, None, None]
    pictures, safety = awake(clip.plain_pictures(shape)), awake(clip.plain_safety(shape))
    wanted = pictures(normal, output_hidden_states=True)
    tokens, vector = clip.Looks(pictures)(pixels)
    same(tokens, wanted.hidden_states[-2], 1e-4)
    same(vector, wanted.image_embeds, 1e-4)
    for strictness in (-0.3, -0.1, 0.0, 0.1):
        safety.concept_embeds_weights.fill_(strictness)
        _, refused = safety.forward_onnx(normal, torch.zeros(3, 1))
        assert (clip.Safety(safety)(pixels) > 0).tolist() == refused.tolist()


@torch.no_grad()
def test_faces_become_the_tokens_of_diffusers_projections() -> None:
    family = NARROW["sdxl"]
    draw = torch.Generator().manual_seed(0)
    raw, appearance = torch.randn(2, 24, generator=draw) * 9, torch.randn(2, 5, 64, generator=draw)
    plus = awake(face_tokens.plain_faceid_plus(family))
    plus.clip_embeds, plus.shortcut, plus.shortcut_scale = appearance[:, None], True, 0.7
    unit = nn.functional.normalize(raw, dim=1)
    found = face_tokens.FaceIdPlusTokens(plus, shortcut=True)(raw, appearance, torch.full((2,), 0.7))
    same(found, plus(unit))
    plus.shortcut = False
    same(face_tokens.FaceIdPlusTokens(plus, shortcut=False)(raw, appearance, torch.ones(2)), plus(unit))
    plain = awake(face_tokens.plain_faceid(family))
    same(face_tokens.FaceIdTokens(plain)(raw), plain(unit))
    resampler = awake(face_tokens.plain_instantid(family))
    assert face_tokens.ResampledIdentity(resampler)(raw).shape == (2, 16, family.unet.text_width)
    same(face_tokens.ResampledIdentity(resampler)(raw), resampler(raw[:, None]))


@torch.no_grad()
def test_the_autoencoder_of_sdxl_computes_in_single_precision_and_in_half_where_that_is_asked_for() -> None:
    assert [published.precision_of(FAMILIES[name], "vae_decoder") for name in ("sd15", "sdxl")] == ["fp16", "fp32"]

    def halves(precision: Precision) -> bool:
        return torch.float16 in {weight.dtype for weight in published.module(NARROW["sdxl"], "vae_decoder", precision=precision).parameters()}

    assert (halves("fp32"), halves("fp16")) == (False, True)


def test_half_precision_says_nearly_what_single_does() -> None:
    family, name = NARROW["sdxl"], "unet"
    spec = specs.network(family, name)
    weights = {"unet": plain_unet(family.unet).state_dict()}
    whole, half = (published.module(family, name, weights, precision) for precision in ("fp32", "fp16"))
    inputs = example(spec, {"batch": 2})
    wanted = whole(*inputs)
    assert (half(*inputs) - wanted).abs().max() < 0.02 * wanted.abs().max()
    norms = [part for part in half.modules() if isinstance(part, nn.GroupNorm | nn.LayerNorm)]
    assert {part.weight.dtype for part in norms} == {torch.float32}


PUBLISHED_SIZES = [
    ("sd15", "unet", 859_520_964),
    ("sd15", "controlnet", 361_279_120),
    ("sd15", "vae", 83_653_863),
    ("sd15", "text_encoder", 123_060_480),
    ("sd15", "image_encoder", 632_076_800),
    ("sdxl", "text_encoder_2", 694_659_840),
    ("sdxl", "unet", 2_567_463_684),
]


@pytest.mark.parametrize(("family", "component", "parameters"), PUBLISHED_SIZES)
def test_full_size_components_have_as_many_parameters_as_the_published_ones(family: str, component: str, parameters: int) -> None:
    with torch.device("meta"):
        found = published.empty(FAMILIES[family], component)
    assert sum(one.numel() for one in found.parameters()) == parameters


def test_cross_attention_layers_are_as_many_and_as_wide_as_published() -> None:
    widths = {name: FAMILIES[name].unet.attention_widths(whole=True) for name in FAMILY_NAMES}
    assert {name: len(found) for name, found in widths.items()} == {"sd15": 16, "sdxl": 70}
    assert {name: FAMILIES[name].unet.kv_width(whole=True) for name in FAMILY_NAMES} == {"sd15": 24_960, "sdxl": 166_400}


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(InvalidRequest, match="sd15 has no network 'harmonizer'; choose one of: text_encoder, "):
        published.module(NARROW["sd15"], "harmonizer")
    with pytest.raises(MissingPiece, match="unet of sd15 needs weights of its unet; got those of: vae"):
        published.module(NARROW["sd15"], "unet", {"vae": {}})


def test_the_command_that_compares_full_size_unets_compares(monkeypatch: pytest.MonkeyPatch) -> None:
    apart, largest = difference(NARROW["sdxl"], latent=8)
    assert apart < 1e-5 < largest
    monkeypatch.setattr("export.equality.Unet", lambda shape, plain: lambda sample, *_: sample)
    assert difference(NARROW["sdxl"], latent=8)[0] > 1e-3


@pytest.mark.large
def test_the_full_size_unet_of_sd15_equals_diffusers() -> None:
    """3.8 GiB, 17 s of one core."""
    apart, largest = difference(SD15)
    assert apart < 2e-5
    assert largest > 0.1
