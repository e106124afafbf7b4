"""Checkpoints of Stable Diffusion 1 and SDXL in one file, by diffusers' own conversion."""

from typing import Any

import torch
from diffusers.loaders.single_file_utils import (
    convert_ldm_clip_checkpoint,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    convert_open_clip_checkpoint,
)

from export.errors import Mismatch
from export.families import Family
from export.published import Tensors, empty

UNET, AUTOENCODER = "model.diffusion_model.", "first_stage_model."
WORDS = ("cond_stage_model.transformer.", "conditioner.embedders.0.transformer.")
SECOND = "conditioner.embedders.1.model."
OF_SDXL = f"{UNET}label_emb.0.0.weight"  # takes the vector of the words


def recognised(tensors: Tensors) -> bool:
    return any(name.startswith(UNET) for name in tensors)


def components(family: Family, tensors: Tensors, where: str) -> dict[str, Tensors]:
    """UNet, and autoencoder and encoders of the words, as far as they are in it.

    Raises Mismatch for a file of another family, with tensors that nothing takes, or without one that names follow from.
    """
    if (OF_SDXL in tensors) != bool(family.unet.vector):
        of = "sdxl" if OF_SDXL in tensors else "sd15"
        raise Mismatch(f"{where} is of {of}, as its {UNET}* say, not of {family.name}: give --family {of}")
    found: dict[str, Tensors] = {}
    try:
        found["unet"] = convert_ldm_unet_checkpoint(dict(tensors), _config(family, "unet"))
        if any(name.startswith(AUTOENCODER) for name in tensors):
            levels = ("",) * len(_config(family, "vae")["block_out_channels"])
            found["vae"] = convert_ldm_vae_checkpoint(dict(tensors), {"down_block_types": levels, "up_block_types": levels})
        if any(name.startswith(WORDS) for name in tensors):
            found["text_encoder"] = convert_ldm_clip_checkpoint(dict(tensors))
        if any(name.startswith(SECOND) for name in tensors):
            with torch.device("meta"):
                second = empty(family, "text_encoder_2")
            found["text_encoder_2"] = convert_open_clip_checkpoint(second, dict(tensors), prefix=SECOND)
    except (KeyError, IndexError) as error:
        raise Mismatch(f"{where}: 1 missing ({error}), without which the others cannot be told") from None
    taken = {value.data_ptr() for part in ("unet", "vae") for value in found.get(part, {}).values()}
    left = [name for name, value in tensors.items() if name.startswith((UNET, AUTOENCODER)) and value.data_ptr() not in taken]
    if left:
        raise Mismatch(f"{where}: {len(left)} extra ({', '.join(left[:3])}{', …' if len(left) > 3 else ''}), which no {family.name} has")
    return found


def _config(family: Family, component: str) -> Any:
    """What diffusers' conversion reads shapes from."""
    with torch.device("meta"):
        return empty(family, component).config
