"""Changes of low rank in three forms, with the strength that is written beside them or in them, merged or refused."""

import json
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from torch import Tensor

from export.errors import DamagedData, InvalidRequest, Mismatch
from export.families import FAMILIES
from export.loaders import low_rank
from export.loaders.files import read
from export.loaders.formats import bring
from export.published import COMPONENTS
from tests.export import as_published
from tests.export.brought import SD15, part, pipeline, saved

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


SGM = {
    "unet.down_blocks.0.resnets.1.conv1": "lora_unet_input_blocks_2_0_in_layers_2",
    "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k": "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k",
    "unet.down_blocks.2.attentions.1.transformer_blocks.2.ff.net.2": "lora_unet_input_blocks_8_1_transformer_blocks_2_ff_net_2",
    "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0": "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_out_0",
    "unet.up_blocks.0.attentions.2.transformer_blocks.1.attn2.to_v": "lora_unet_output_blocks_2_1_transformer_blocks_1_attn2_to_v",
    "unet.up_blocks.1.attentions.0.transformer_blocks.0.ff.net.0.proj": "lora_unet_output_blocks_3_1_transformer_blocks_0_ff_net_0_proj",
    "text_encoder.text_model.encoder.layers.0.mlp.fc1": "lora_te1_text_model_encoder_layers_0_mlp_fc1",
    "text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj": "lora_te2_text_model_encoder_layers_0_self_attn_q_proj",
}
"""What kohya's trainer calls layers of SDXL: by the blocks of Stability AI's own code."""


def test_a_lora_of_kohya_for_sdxl_is_of_the_layers_that_it_means(tmp_path: Path) -> None:
    family = FAMILIES["sdxl"]
    with torch.device("meta"):
        known = {owner: COMPONENTS[owner](family).state_dict() for owner in ("unet", "text_encoder", "text_encoder_2")}
    tensors: dict[str, Tensor] = {}
    for place, (layer, name) in enumerate(SGM.items()):
        owner, _, rest = layer.partition(".")
        out, inner, *kernel = known[owner][f"{rest}.weight"].shape
        tensors |= {f"{name}.lora_down.weight": torch.ones(2, inner, *kernel), f"{name}.lora_up.weight": torch.ones(out, 2, *(1 for _ in kernel))}
        tensors[f"{name}.alpha"] = torch.tensor(float(place))
    path = saved(tmp_path / "x.safetensors", tensors)
    found = {f"{owner}.{layer}": pair for owner, parts in low_rank.change(family, read(path), path).items() for layer, pair in parts.items()}
    assert {layer: pair.factor for layer, pair in found.items()} == {layer: place / 2 for place, layer in enumerate(SGM)}


def test_a_lora_of_kohya_that_names_blocks_in_two_ways_is_refused(tmp_path: Path) -> None:
    both = {
        f"lora_unet_{block}_1_transformer_blocks_0_attn2_to_k.lora_{side}.weight": torch.ones(2, 2)
        for block in ("input_blocks_4", "down_blocks_1_attentions")
        for side in ("down", "up")
    }
    with pytest.raises(Mismatch, match=r"names blocks as Stability AI's code does \(lora_unet_input_blocks_4_1.*and as diffusers does"):
        low_rank.change(FAMILIES["sdxl"], both, tmp_path / "x.safetensors")


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
