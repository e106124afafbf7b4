"""Public weights: recognised by their tensors, taken to the last number, refused where they do not fit, hold code, or may not be used so."""

import json
import pickle
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from diffusers.models.attention_processor import Attention
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextModel

from export import published
from export.errors import DamagedData, InvalidRequest, Mismatch, MissingPiece
from export.families import Family
from export.loaders import low_rank
from export.loaders.files import read
from export.loaders.formats import Brought, bring
from export.published import COMPONENTS
from tests.export import as_published
from tests.export.narrow import NARROW

SD15, SDXL = NARROW["sd15"], NARROW["sdxl"]


@cache
def part(family: str, component: str) -> Any:
    """A component with random values; nothing is zero or one."""
    torch.manual_seed(len(component))
    found = COMPONENTS[component](NARROW[family])
    for name, value in found.state_dict().items():
        if value.is_floating_point():
            value.normal_(0, 0.1)
        if name.endswith("running_var"):
            value.abs_()
    return found


def saved(path: Path, tensors: dict[str, Tensor]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in tensors.items()}, path)
    return path


def assert_same(found: Brought, family: Family, component: str) -> None:
    wanted = part(family.name, component).state_dict()
    given = found.weights[component]
    assert {name for name in wanted if not name.endswith(("num_batches_tracked", "position_ids"))} == set(given)
    for name, value in given.items():
        torch.testing.assert_close(value, wanted[name], atol=0, rtol=0)


def pipeline(family: Family, folder: Path) -> Path:
    """A folder as diffusers saves it."""
    kinds = ["unet", "vae", "text_encoder", "controlnet", "image_encoder", "safety_checker", *(["text_encoder_2"] if len(family.clip) > 1 else [])]
    for component in kinds:
        tensors = part(family.name, component).state_dict()
        if component == "safety_checker":
            tensors = {name.replace("vision_model.", "vision_model.vision_model.", 1): value for name, value in tensors.items()}
        saved(folder / component / "model.safetensors", tensors)
    return folder


@pytest.mark.parametrize("family", [SD15, SDXL], ids=lambda family: family.name)
def test_a_folder_of_diffusers_is_taken_whole_whatever_its_files_are_called(family: Family, tmp_path: Path) -> None:
    folder = pipeline(family, tmp_path)
    (folder / "unet").rename(folder / "something")
    (folder / "something" / "model.safetensors").rename(folder / "something" / "else.safetensors")
    found = bring(family, [folder])
    for component in ("unet", "vae", "text_encoder", "controlnet", "image_encoder", "safety_checker"):
        assert_same(found, family, component)
    assert found.licences["unet"] == "diffusers: as whoever published the file says"


def test_what_diffusers_itself_saves_in_shards_and_older_names_is_taken(tmp_path: Path) -> None:
    part("sd15", "unet").save_pretrained(tmp_path / "unet", max_shard_size="100KB")
    assert len(list((tmp_path / "unet").glob("*.safetensors"))) > 1
    old = {}
    for name, value in part("sd15", "vae").state_dict().items():
        for now, before in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
            name = name.replace(now, before)
        old[name] = value
    saved(tmp_path / "vae" / "model.safetensors", old)
    found = bring(SD15, [tmp_path])
    assert_same(found, SD15, "unet")
    assert_same(found, SD15, "vae")
    next((tmp_path / "unet").glob("*-00002-*")).unlink()
    with pytest.raises(MissingPiece, match=r"unet lacks .*-00002-of-.*, which its index lists"):
        bring(SD15, [tmp_path])


@pytest.mark.parametrize("family", [SD15, SDXL], ids=lambda family: family.name)
def test_what_diffusers_and_transformers_save_today_is_taken(family: Family, tmp_path: Path) -> None:
    kinds = ["unet", "vae", "controlnet", "image_encoder", "safety_checker", *(["text_encoder_2"] if len(family.clip) > 1 else [])]
    for component in kinds:
        part(family.name, component).save_pretrained(tmp_path / component)
    words = part(family.name, "text_encoder")
    encoder = CLIPTextModel(words.config)
    names = {name.removeprefix("text_model.") for name in words.state_dict()} & encoder.state_dict().keys()
    assert names == encoder.state_dict().keys(), "the two are one network"
    encoder.load_state_dict({name: words.state_dict()[f"text_model.{name}"] for name in names})
    encoder.save_pretrained(tmp_path / "text_encoder")
    found = bring(family, [tmp_path])
    for component in (*kinds, "text_encoder"):
        assert_same(found, family, component)


def test_an_index_of_shards_that_is_no_json_is_told(tmp_path: Path) -> None:
    part("sd15", "unet").save_pretrained(tmp_path, max_shard_size="100KB")
    index = next(tmp_path.glob("*.index.json"))
    index.write_text(index.read_text()[:99])
    with pytest.raises(DamagedData, match="is cut off or damaged: it has no whole JSON"):
        bring(SD15, [tmp_path])


def test_weights_that_half_precision_does_not_hold_are_refused(tmp_path: Path) -> None:
    tensors = {name: value.clone() for name, value in part("sd15", "vae").state_dict().items()}
    tensors["decoder.conv_in.weight"][0, 0, 0, 0] = 70000.0
    found = bring(SD15, [saved(tmp_path / "x.safetensors", tensors)])
    with pytest.raises(Mismatch, match=r"vae of sd15 has weights beyond what fp16 holds, 65504, .*decoder\.conv_in\.weight"):
        published.module(SD15, "vae_decoder", found.weights, "fp16")
    published.module(SD15, "vae_decoder", found.weights, "fp32")


@pytest.mark.parametrize("family", [SD15, SDXL], ids=lambda family: family.name)
def test_a_single_file_is_taken_as_diffusers_converts_it(family: Family, tmp_path: Path) -> None:
    words = ["text_encoder", "text_encoder_2"][: len(family.clip)]
    encoders = [part(family.name, name) for name in words]
    tensors = as_published.single_file(part(family.name, "unet"), part(family.name, "vae"), encoders, family.unet.layers_per_block)
    path = saved(tmp_path / "x.safetensors", tensors)
    found = bring(family, [path])
    for component in ("unet", "vae", *words):
        assert_same(found, family, component)
    with pytest.raises(Mismatch, match=r"1 extra \(model\.diffusion_model\.new\.weight\)"):
        bring(family, [saved(path, {**tensors, "model.diffusion_model.new.weight": torch.zeros(3)})])
    other = SDXL if family is SD15 else SD15
    with pytest.raises(Mismatch, match=f"is of {family.name}, .* give --family {family.name}"):
        bring(other, [saved(path, tensors)])


ADAPTERS = ["ip_adapter", "ip_adapter_plus", "faceid", "faceid_plus", "instantid"]


def adapter(family: Family, kind: str) -> dict[str, dict[str, Tensor]]:
    return as_published.adapter(kind, part(family.name, f"{kind}.tokens"), part(family.name, f"{kind}.kv"))


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


ATTENTION = "unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_k"
LAYERS = {
    ATTENTION: (4, 1.0),
    "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0": (4, 1.0),
    "unet.mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj": (4, 1.0),
    "text_encoder.text_model.encoder.layers.0.mlp.fc1": (4, 1.0),
}


def lora(rank: int = 4) -> dict[str, tuple[Tensor, Tensor]]:
    draw = torch.Generator().manual_seed(7)
    found = {}
    for layer in LAYERS:
        owner, _, rest = layer.partition(".")
        weight = part("sd15", owner).get_submodule(rest).weight
        found[layer] = (torch.randn(rank, weight.shape[1], generator=draw), torch.randn(weight.shape[0], rank, generator=draw))
    return found


@pytest.mark.parametrize("form", list(as_published.FORMS))
def test_lora_of_all_three_forms_is_merged_several_with_weights(form: str, tmp_path: Path) -> None:
    alpha = 2.0 if form == "kohya" else 4.0  # the others say none: as much as the rank
    one, other = lora(), {layer: (down + 1, up) for layer, (down, up) in lora().items()}
    path, second = (saved(tmp_path / name / "x.safetensors", as_published.FORMS[form](pairs, alpha)) for name, pairs in (("a", one), ("b", other)))
    folder = pipeline(SD15, tmp_path / "base")
    found = bring(SD15, [folder], [(path, 0.75), (second, -0.25)])
    for layer, (down, up) in one.items():
        owner, _, rest = layer.partition(".")
        change = alpha / 4 * (0.75 * up @ down - 0.25 * up @ other[layer][0])
        torch.testing.assert_close(found.weights[owner][f"{rest}.weight"], part("sd15", owner).state_dict()[f"{rest}.weight"] + change)
    before = part("sd15", "unet").state_dict()
    for name in before.keys() - {f"{layer.removeprefix('unet.')}.weight" for layer in LAYERS}:
        torch.testing.assert_close(found.weights["unet"][name], before[name], atol=0, rtol=0)
    assert found.licences["unet"].count("changed by LoRA x.safetensors") == 2


def factors(path: Path) -> dict[str, float]:
    """How strongly each layer of a file is merged, whose products of up and down are 1."""
    return {layer: pair.factor for parts in low_rank.change(SD15, read(path), path).values() for layer, pair in parts.items()}


K, OUT = ATTENTION.removeprefix("unet."), "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0"
WRITTEN = {"r": 4, "lora_alpha": 8, "use_rslora": False, "alpha_pattern": {r"attn1\.to_out\.0": 2}}


def test_the_strength_of_a_lora_is_what_diffusers_itself_notes_in_its_file(tmp_path: Path) -> None:
    layers = {
        f"{layer.removeprefix('unet.')}.lora_{side}.weight": value for layer, pair in lora().items() for side, value in zip("AB", pair, strict=True)
    }
    unet = {name: value for name, value in layers.items() if not name.startswith("text_encoder.")}
    words = {name.removeprefix("text_encoder.text_model."): value for name, value in layers.items() if name not in unet}
    StableDiffusionPipeline.save_lora_weights(
        tmp_path, unet, words, unet_lora_adapter_metadata=WRITTEN, text_encoder_lora_adapter_metadata={"lora_alpha": 16, "use_rslora": True}
    )
    (path,) = tmp_path.glob("*.safetensors")
    found = factors(path)
    assert (found[K], found[OUT]) == (2.0, 0.5)
    assert found["text_model.encoder.layers.0.mlp.fc1"] == 8.0, "16 by the root of 4"


@pytest.mark.parametrize(
    ("written", "k", "out"), [(WRITTEN, 2.0, 0.5), ({"lora_alpha": 8, "use_rslora": True}, 4.0, 4.0), ({"lora_alpha": None}, 1.0, 1.0)]
)
def test_the_strength_of_a_lora_is_what_peft_writes_beside_it(tmp_path: Path, written: dict[str, object], k: float, out: float) -> None:
    path = saved(tmp_path / "adapter_model.safetensors", as_published.peft(lora(), 4.0))
    (tmp_path / "adapter_config.json").write_text(json.dumps(written))
    assert (factors(path)[K], factors(path)[OUT]) == (k, out)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ('{"lora_alpha": 8', DamagedData, "it has no whole JSON"),
        ("[8]", DamagedData, "a JSON object is wanted it has list"),
        ('{"use_dora": true}', InvalidRequest, "was trained with use_dora"),
        ('{"lora_alpha": "much"}', InvalidRequest, "has no numbers where they belong"),
    ],
)
def test_a_lora_whose_strength_cannot_be_read_is_refused(tmp_path: Path, text: str, error: type[Exception], says: str) -> None:
    path = saved(tmp_path / "adapter_model.safetensors", as_published.peft(lora(), 4.0))
    (tmp_path / "adapter_config.json").write_text(text)
    with pytest.raises(error, match=says):
        factors(path)


def test_a_lora_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    base = saved(tmp_path / "unet.safetensors", part("sd15", "unet").state_dict())
    down, up = lora()[ATTENTION]
    path = tmp_path / "x.safetensors"
    for pairs, says in (
        ({ATTENTION: (torch.randn(4, 99), up)}, r"by \[\d+, 4\] times \[4, 99\], but that is .*; it is of another family"),
        ({"unet.mid_block.attentions.9.transformer_blocks.0.attn2.to_k": (down, up)}, "attentions.9.*which is not there"),
        ({"text_encoder.text_model.encoder.layers.0.mlp.fc1": (down, up)}, "changes text_encoder, but weights were given of unet"),
    ):
        with pytest.raises((Mismatch, InvalidRequest), match=says):
            bring(SD15, [base], [(saved(path, as_published.peft(pairs, 4.0)), 1.0)])
    half = as_published.peft({ATTENTION: (down, up)}, 4.0)
    half.pop(next(iter(half)))
    with pytest.raises(Mismatch, match="1 tensors are of no pair of down and up"):
        bring(SD15, [base], [(saved(path, half), 1.0)])
    with pytest.raises(InvalidRequest, match=r"is a LoRA; give it as --lora"):
        bring(SD15, [path])
    with pytest.raises(InvalidRequest, match="is no LoRA of kohya's, diffusers' or PEFT's form"):
        bring(SD15, [base], [(base, 1.0)])


def test_missing_extra_and_misshapen_tensors_are_listed(tmp_path: Path) -> None:
    tensors = dict(part("sd15", "unet").state_dict())
    for name in [name for name in tensors if name.startswith("up_blocks.1.resnets.1")][:5]:
        del tensors[name]
    tensors["surplus.weight"] = torch.zeros(2)
    tensors["conv_in.weight"] = torch.zeros(16, 9, 3, 3)  # as a UNet for inpainting has
    path = saved(tmp_path / "x.safetensors", tensors)
    with pytest.raises(Mismatch) as caught:
        bring(SD15, [path])
    text = str(caught.value)
    assert re.search(r"5 missing \((up_blocks\.1\.resnets\.1\.[a-z0-9_.]+(, )?){5}\)", text)
    assert "1 extra (surplus.weight)" in text
    assert "1 misshapen (conv_in.weight: [16, 9, 3, 3], wanted [16, 4, 3, 3])" in text


def test_weights_of_another_family_are_told_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("export.loaders.fit.FAMILIES", NARROW)
    for mine, other in ((SD15, SDXL), (SDXL, SD15)):
        path = saved(tmp_path / "x.safetensors", part(other.name, "unet").state_dict())
        with pytest.raises(Mismatch, match=f"its unet is not that of {mine.name}: .*; it is of {other.name}: give --family {other.name}"):
            bring(mine, [path])


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


class Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('it ran')",))


def test_files_that_are_cut_off_hold_code_or_are_of_no_known_format_are_refused(tmp_path: Path) -> None:
    whole = saved(tmp_path / "whole.safetensors", part("sd15", "vae").state_dict())
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(DamagedData, match=r"cut\.safetensors is cut off or damaged"):
        bring(SD15, [cut])
    torch.save({"x": torch.zeros(1000)}, tmp_path / "whole.bin")
    (tmp_path / "cut.bin").write_bytes((tmp_path / "whole.bin").read_bytes()[:-600])
    with pytest.raises(DamagedData, match=r"cut\.bin is cut off"):
        bring(SD15, [tmp_path / "cut.bin"])
    torch.save({"image_proj": Code()}, tmp_path / "code.bin")
    (tmp_path / "code.pkl").write_bytes(pickle.dumps(Code(), protocol=2))
    for name in ("code.bin", "code.pkl"):
        with pytest.raises(InvalidRequest, match="no pickle of tensors alone, so it is not opened"):
            bring(SD15, [tmp_path / name])
    with pytest.raises(InvalidRequest, match=r"x\.safetensors is of no known format: its 1 tensors begin with weight"):
        bring(SD15, [saved(tmp_path / "x.safetensors", {"weight": torch.zeros(2)})])
    with pytest.raises(MissingPiece, match="is not there"):
        bring(SD15, [tmp_path / "nothing.safetensors"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingPiece, match="has no weights"):
        bring(SD15, [tmp_path / "empty"])
    with pytest.raises(InvalidRequest, match="brings vae, which another file has brought"):
        bring(SD15, [whole, whole])
