"""A family's networks as modules whose `forward` takes and gives exactly the tensors of its spec, in that order."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from export.autoencoder import Autoencoder
from export.character import Character
from export.clothes import Clothes
from export.conditions import FacePicture, SoftPicture
from export.controlnet import Control
from export.errors import Mismatch, MissingPiece
from export.expression import FAINT, FaceExpression
from export.face_parsing import FaceParsing
from export.families import AutoencoderShape, Family
from export.generator import Generator
from export.gradient import UnetGradient
from export.guided import GuidedContext
from export.harmonizer import Harmonizer
from export.light import FaceLight
from export.overlay import FaceOverlay
from export.text_encoder import TextEncoder, encode, load_tokenizer
from export.texture import FaceTexture


@dataclass(frozen=True)
class Parts:
    """All trained modules of a family."""

    family: Family
    autoencoder: Autoencoder
    expression: FaceExpression
    light: FaceLight
    overlay: FaceOverlay
    clothes: Clothes
    generator: Generator
    shading: Control
    guided: GuidedContext
    harmonizer: Harmonizer
    parsing: FaceParsing
    character: Character


WEIGHTS = "weights.safetensors"
TRAINED = {
    "autoencoder": f"decoder/{WEIGHTS}",
    "expression": f"expression/{WEIGHTS}",
    "light": f"light/{WEIGHTS}",
    "overlay": f"overlay/{WEIGHTS}",
    "clothes": f"clothes/{WEIGHTS}",
    "generator": f"generator/{WEIGHTS}",
    "shading": f"shading/{WEIGHTS}",
    "guided": f"guided/{WEIGHTS}",
    "harmonizer": f"harmonizer/{WEIGHTS}",
    "parsing": f"parsing/{WEIGHTS}",
    "character": f"characters/{WEIGHTS}",
}
"""Module -> the file of its stage."""


def untrained(family: Family) -> Parts:
    """All modules of a family with their first weights."""
    unet = family.unet
    assert isinstance(family.autoencoder, AutoencoderShape), "published families are built by export/published.py"
    guided = GuidedContext(unet.kv_width(whole=True))
    autoencoder, words = Autoencoder(family.autoencoder), unet.text_width
    return Parts(
        family,
        autoencoder,
        FaceExpression(words),
        FaceLight(words),
        FaceOverlay(words),
        Clothes(),
        Generator(unet),
        Control(unet),
        guided,
        Harmonizer(),
        FaceParsing(),
        Character(family.face),
    )


def trained(family: Family, folder: Path, generator: str = "generator") -> Parts:
    """All modules with the weights that the stages of `python -m training.mini` left in a folder; `generator`: the stage whose generator is taken.

    Raises MissingPiece for a stage that left none, Mismatch for weights of another shape than the family's.
    """
    parts = untrained(family)
    for part, file in (TRAINED | {"generator": f"{generator}/{WEIGHTS}"}).items():
        path = folder / file
        if not path.exists():
            raise MissingPiece(f"{path} is not there; train that stage first: `python -m training.mini {path.parent.name}`")
        try:
            getattr(parts, part).load_state_dict(load_file(path))
        except RuntimeError as error:
            raise Mismatch(
                f"{path} is not of the shape of the family {family.name} ({str(error).splitlines()[1].strip()[:120]}); train with the shape in "
                "`export/families.py`, or bring that to what was trained, in the change that releases it"
            ) from None
    listen(parts)
    return parts


def listen(parts: Parts) -> None:
    """Tell the network of expressions what no words are, and what faint ones; after its weights are there."""
    parts.expression.listen(*(encode(TextEncoder(), load_tokenizer(), [words])[0] for words in ("", *FAINT)))


class Call(nn.Module):
    """A function of some modules as a module, so that it can be exported."""

    def __init__(self, function: Callable[..., Tensor | tuple[Tensor, ...]], *owners: nn.Module) -> None:
        super().__init__()
        self.owners = nn.ModuleList(owners)
        self._function = function

    def forward(self, *tensors: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self._function(*tensors)


def _context_face0(parts: Parts) -> nn.Module:
    generator = parts.generator

    def run(states: Tensor, mask: Tensor, identity: Tensor, appearance: Tensor) -> Tensor:
        return generator.text.project(generator.face0_tokens(states, mask, identity, appearance))  # type: ignore[no-any-return]

    return Call(run, generator.text, generator.face0)


def _context_face_makeup(parts: Parts) -> nn.Module:
    generator, pose = parts.generator, parts.generator.pose.project

    def run(identity: Tensor, appearance: Tensor, structure_scale: Tensor, identity_scale: Tensor) -> tuple[Tensor, Tensor]:
        tokens = generator.makeup(identity, appearance, structure_scale)
        return generator.makeup_kv(tokens, identity_scale), pose(tokens)

    return Call(run, generator.makeup, generator.makeup_kv, pose)


def _context_crossfaceid(parts: Parts) -> nn.Module:
    generator, pose = parts.generator, parts.generator.pose.project

    def run(identity: Tensor, appearance: Tensor, identity_scale: Tensor) -> tuple[Tensor, Tensor]:
        tokens = generator.cross(identity, appearance)
        return generator.cross_kv(tokens, identity_scale), pose(tokens)

    return Call(run, generator.cross, generator.cross_kv, pose)


def _context_shading(parts: Parts) -> nn.Module:
    text, project = parts.generator.text, parts.shading.project

    def run(states: Tensor, mask: Tensor) -> Tensor:
        return project(text.tokens(states, mask))  # type: ignore[no-any-return]

    return Call(run, text, project)


MODULES: dict[str, Callable[[Parts], nn.Module]] = {
    "text_encoder": lambda parts: TextEncoder(),
    "appearance_encoder": lambda parts: parts.generator.appearance,
    "face_texture": lambda parts: FaceTexture(),
    "character": lambda parts: parts.character,
    "face_expression": lambda parts: parts.expression,
    "face_light": lambda parts: parts.light,
    "face_overlay": lambda parts: parts.overlay,
    "context_text": lambda parts: parts.generator.text,
    "context_face0": _context_face0,
    "context_face_makeup": _context_face_makeup,
    "context_crossfaceid": _context_crossfaceid,
    "context_guided": lambda parts: parts.guided,
    "unet": lambda parts: parts.generator.unet,
    "unet_gradient": lambda parts: UnetGradient(parts.generator.unet),
    "condition_pose": lambda parts: FacePicture(parts.family.size, parts.clothes),
    "condition_shading": lambda parts: SoftPicture(),
    "context_shading": _context_shading,
    "controlnet_pose": lambda parts: parts.generator.pose.controlnet,
    "controlnet_shading": lambda parts: parts.shading.controlnet,
    "vae_encoder": lambda parts: Call(parts.autoencoder.encode, parts.autoencoder),
    "vae_decoder": lambda parts: Call(parts.autoencoder.decode, parts.autoencoder),
    "harmonizer": lambda parts: parts.harmonizer,
    "face_parsing": lambda parts: parts.parsing,
}


@torch.no_grad()
def module(parts: Parts, name: str) -> nn.Module:
    """A network by its name, ready to run."""
    return MODULES[name](parts).eval()
