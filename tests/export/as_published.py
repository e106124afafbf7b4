"""diffusers' modules to files as people have them: the other way round than export/loaders."""

import re
from collections.abc import Callable

import torch
from diffusers.loaders.single_file_utils import DIFFUSERS_TO_LDM_MAPPING
from torch import Tensor, nn

Tensors = dict[str, Tensor]
RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0", "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}  # fmt: skip
INNER = re.compile(r"(down|up|mid)_blocks?\.?(\d*)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)")


def single_file(unet: nn.Module, vae: nn.Module, encoders: list[nn.Module], layers: int) -> Tensors:
    """The UNet, autoencoder and encoders of the words in one checkpoint; `layers`: of a block."""
    found = {f"model.diffusion_model.{_unet(name, layers, unet)}": value for name, value in unet.state_dict().items()}
    for name, value in vae.state_dict().items():
        other = _autoencoder(name, len(vae.config["block_out_channels"]))  # type: ignore[index]
        found[f"first_stage_model.{other}"] = value[..., None, None] if value.dim() == 2 else value
    first = "cond_stage_model.transformer." if len(encoders) == 1 else "conditioner.embedders.0.transformer."
    found |= {first + name: value for name, value in encoders[0].state_dict().items()}
    for second in encoders[1:]:
        found |= {f"conditioner.embedders.1.model.{name}": value for name, value in _open_clip(second.state_dict()).items()}
    return {name: value.clone() for name, value in found.items()}


def _unet(name: str, layers: int, unet: nn.Module) -> str:
    """A tensor of the UNet by its name in the original code."""
    known = DIFFUSERS_TO_LDM_MAPPING["unet"]
    top = {**known["layers"], **known["addition_embed_type"]}
    if name in top:
        return str(top[name])
    where, place, kind, index, rest = re.match(
        r"(down|up|mid)_blocks?\.?(\d*)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)", name
    ).groups()  # type: ignore[union-attr]
    part, _, ending = rest.rpartition(".")
    rest = f"{RESNET[part]}.{ending}" if kind == "resnets" else rest
    if where == "mid":
        return f"middle_block.{1 if kind == 'attentions' else 2 * int(index)}.{rest}"
    if kind == "downsamplers":
        return f"input_blocks.{(int(place) + 1) * (layers + 1)}.0.op.{ending}"
    if kind == "upsamplers":
        attends = hasattr(unet.up_blocks[int(place)], "attentions")  # type: ignore[index]
        return f"output_blocks.{int(place) * (layers + 1) + layers}.{2 if attends else 1}.conv.{ending}"
    first, blocks = (1, "input_blocks") if where == "down" else (0, "output_blocks")
    return f"{blocks}.{first + int(place) * (layers + 1) + int(index)}.{0 if kind == 'resnets' else 1}.{rest}"


def _autoencoder(name: str, levels: int) -> str:
    name = re.sub(r"up_blocks\.(\d+)", lambda found: f"up.{levels - 1 - int(found[1])}", name).replace("down_blocks", "down")
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}", name).replace("mid_block.attentions.0", "mid.attn_1")
    for ours, theirs in (
        ("resnets", "block"), ("conv_shortcut", "nin_shortcut"), ("downsamplers.0", "downsample"), ("upsamplers.0", "upsample"),
        ("conv_norm_out", "norm_out"), ("group_norm", "norm"), ("to_out.0", "proj_out"), ("to_", ""),
    ):  # fmt: skip
        name = name.replace(ours, theirs)
    return name


def _open_clip(tensors: Tensors) -> Tensors:
    """transformers' encoder of words as OpenCLIP has it."""
    names = {
        "text_model.embeddings.position_embedding.weight": "positional_embedding",
        "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
        "text_model.final_layer_norm.weight": "ln_final.weight",
        "text_model.final_layer_norm.bias": "ln_final.bias",
    }
    found = {"text_projection": tensors["text_projection.weight"].T.contiguous(), "logit_scale": torch.ones(())}
    for name, value in tensors.items():
        if name in names:
            found[names[name]] = value
        elif ".layers." in name:
            other = name.replace("text_model.encoder.layers.", "transformer.resblocks.")
            for ours, theirs in (("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"), ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj")):
                other = other.replace(ours, theirs)
            if ".q_proj." in other:
                together = torch.cat([tensors[name.replace("q_proj", part)] for part in ("q_proj", "k_proj", "v_proj")])
                found[other.replace("self_attn.q_proj.", "attn.in_proj_")] = together
            elif ".k_proj." not in other and ".v_proj." not in other:
                found[other.replace("self_attn", "attn")] = value
    return found


IMAGE = {
    "ip_adapter": (("image_embeds", "proj"),),
    "faceid": (("ff.net.0.proj", "proj.0"), ("ff.net.2", "proj.2")),
    "faceid_plus": (("proj.net.0.proj", "proj.0"), ("proj.net.2", "proj.2")),
}


def adapter(kind: str, tokens: nn.Module, pairs: nn.Module) -> dict[str, Tensors]:
    """The file of an adapter: `image_proj`, by the original names, and `ip_adapter`."""
    image = tokens.state_dict()
    found: Tensors = {}
    for name, value in image.items():
        other = name
        for ours, theirs in IMAGE.get(kind, ()):
            other = other.replace(ours, theirs) if name.startswith(ours) else other
        if re.match(r"layers\.\d+\.", name):
            for ours, theirs in (
                (".ln0", ".0.norm1"), (".ln1", ".0.norm2"), (".attn.to_out.0", ".0.to_out"), (".attn.to_q", ".0.to_q"),
                (".ff.0", ".1.0"), (".ff.1.net.0.proj", ".1.1"), (".ff.1.net.2", ".1.3"),
            ):  # fmt: skip
                other = other.replace(ours, theirs)
        if "attn.to_v" in name:
            continue
        if "attn.to_k" in name:
            other, value = other.replace(".attn.to_k", ".0.to_kv"), torch.cat([value, image[name.replace("to_k", "to_v")]])
        if kind == "faceid_plus" and not name.startswith(("proj.", "norm.")):
            other = f"perceiver_resampler.{other}"
        found[other] = value
    return {"image_proj": found, "ip_adapter": dict(pairs.state_dict())}


Form = Callable[[dict[str, tuple[Tensor, Tensor]], float], Tensors]
"""Layer of the UNet or of the encoder of words, with its owner -> (down, up), and alpha -> a file's tensors."""


def kohya(pairs: dict[str, tuple[Tensor, Tensor]], alpha: float) -> Tensors:
    found: Tensors = {}
    for layer, (down, up) in pairs.items():
        owner, _, rest = layer.partition(".")
        name = f"{'lora_unet' if owner == 'unet' else 'lora_te'}_{rest.replace('.', '_')}"
        found |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.alpha": torch.tensor(alpha)}
    return found


def diffusers(pairs: dict[str, tuple[Tensor, Tensor]], _: float) -> Tensors:
    found: Tensors = {}
    for layer, (down, up) in pairs.items():
        attention = re.sub(r"\.(to_[qkv]|to_out\.0)$", lambda one: f".processor.{one[1].removesuffix('.0')}_lora", layer)
        stem = attention if attention != layer else f"{layer}.lora"
        found |= {f"{stem}.down.weight": down, f"{stem}.up.weight": up}
    return found


def peft(pairs: dict[str, tuple[Tensor, Tensor]], _: float) -> Tensors:
    named = {f"base_model.model.{layer}": pair for layer, pair in pairs.items()}
    return {f"{layer}.lora_{side}.weight": value for layer, pair in named.items() for side, value in zip("AB", pair, strict=True)}


FORMS: dict[str, Form] = {"kohya": kohya, "diffusers": diffusers, "peft": peft}
