"""Networks as diffusers and transformers save them, one to a file or to several shards; a folder holds any of them."""

from collections.abc import Iterator
from pathlib import Path

from export.errors import MissingPiece
from export.loaders.files import described
from export.published import Tensors

MARKS = {
    "controlnet": ("controlnet_cond_embedding.conv_in.weight", "time_embedding.linear_1.weight"),
    "unet": ("time_embedding.linear_1.weight", "up_blocks.0.resnets.0.conv1.weight"),
    "vae": ("encoder.conv_in.weight", "decoder.conv_in.weight", "quant_conv.weight"),
    "safety_checker": ("concept_embeds", "special_care_embeds"),
    "image_encoder": ("vision_model.embeddings.class_embedding", "visual_projection.weight"),
    "text_encoder_2": ("text_model.embeddings.token_embedding.weight", "text_projection.weight"),
    "text_encoder": ("text_model.embeddings.token_embedding.weight",),
}
"""Component -> tensors that tell it from those further down."""
BARE, MODEL = "embeddings.token_embedding.weight", "text_model."
"""Of the first text encoder as transformers 5 saves it: without the name of the model that older ones put before all."""
OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""Of autoencoders that an older diffusers saved."""
SUFFIXES = (".safetensors", ".bin")


def component_of(tensors: Tensors) -> str | None:
    """Which component the tensors of a file are of."""
    if BARE in tensors:
        return "text_encoder"
    return next((component for component, marks in MARKS.items() if all(mark in tensors for mark in marks)), None)


def renamed(component: str, tensors: Tensors) -> Tensors:
    """With the names that the modules have today."""
    if component == "vae":
        return {_today(name): value.squeeze() if _today(name) != name else value for name, value in tensors.items()}
    if component == "safety_checker":
        return {name.replace("vision_model.vision_model.", "vision_model.", 1): value for name, value in tensors.items()}
    if BARE in tensors:
        return {MODEL + name: value for name, value in tensors.items()}
    return tensors


def _today(name: str) -> str:
    parts = name.split(".")
    return ".".join([*parts[:-2], OLD_ATTENTION.get(parts[-2], parts[-2]), parts[-1]]) if ".attentions." in name else name


def files(folder: Path) -> Iterator[list[Path]]:
    """What lies in a folder or its subfolders: lists of the shards of one network, or of one file.

    Of several copies (in half precision, as a pickle) the one is taken that diffusers takes: safetensors first, then the shortest name.
    Raises MissingPiece for a folder with none, or a shard that is not there; DamagedData for an index that is no JSON.
    """
    whole = sorted({path.parent for suffix in SUFFIXES for path in folder.rglob(f"*{suffix}")})
    if not whole:
        raise MissingPiece(f"{folder} has no weights: no file ends on {' or '.join(SUFFIXES)}")
    for place in whole:
        indices = sorted(place.glob("*.safetensors.index.json"), key=lambda path: len(path.name))
        if indices:
            shards = sorted({place / name for name in described(indices[0])["weight_map"].values()})
            missing = [shard.name for shard in shards if not shard.is_file()]
            if missing:
                raise MissingPiece(f"{place} lacks {', '.join(missing)}, which its index lists")
            yield shards
        else:
            found = [path for suffix in SUFFIXES for path in place.glob(f"*{suffix}")]
            yield [min(found, key=lambda path: (SUFFIXES.index(path.suffix), len(path.name)))]
