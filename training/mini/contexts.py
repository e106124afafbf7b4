"""Who and what of a batch, as the UNet wants it."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from export.context import CROSS_TOKENS, FACE0_TOKENS, TEXT_TOKENS
from export.generator import Generator

Arrays = dict[str, Tensor]
Parts = dict[str, slice]
"""Which rows of a batch are of which system; they lie in the order of SYSTEMS."""
SYSTEMS = ("words", "face0", "makeup", "cross")
"""What a row of a batch is conditioned on beside its words: nobody's face, or a face by one of the three contexts."""


class Contexts(NamedTuple):
    """Tokens, and the UNet's keys and values made of them."""

    text_tokens: Tensor  # [B, 77, D], face0's face among them
    face_tokens: Tensor  # [B, 16, D], zeros for nobody
    text_kv: Tensor  # [B, 77, S]
    id_kv: Tensor  # [B, 16, S]


def size(part: slice) -> int:
    return int(part.stop - part.start)


def contexts(network: Generator, arrays: Arrays, parts: Parts) -> Contexts:
    """The networks' view of `states` [B, 77, 384] with `mask` [B, 77], `identity` [B, 128], `face` and `head` [B, 112, 112, 3]."""
    states, mask, identity = arrays["states"], arrays["mask"], arrays["identity"]
    face0, makeup, cross = (parts[name] for name in SYSTEMS[1:])
    text_tokens, text_kv = _words(network, states, mask)
    ones, nobody = torch.ones(len(states)), network.nobody(makeup.start)
    face_tokens, id_kv = [nobody.new_zeros(makeup.start, CROSS_TOKENS, text_tokens.shape[2])], [nobody]
    if size(face0):
        three = network.face0(identity[face0], _appearance(network, arrays, face0))
        text_tokens = _ending(text_tokens, face0, three)
        text_kv = _ending(text_kv, face0, network.text.project(three))
    if size(makeup):
        face_tokens.append(network.makeup(identity[makeup], _appearance(network, arrays, makeup), ones[makeup]))
        id_kv.append(network.makeup_kv(face_tokens[-1], ones[makeup]))
    if size(cross):
        face_tokens.append(network.cross(identity[cross], _appearance(network, arrays, cross)))
        id_kv.append(network.cross_kv(face_tokens[-1], ones[cross]))
    return Contexts(text_tokens, torch.cat(face_tokens), text_kv, torch.cat(id_kv))


def _words(network: Generator, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens [B, 77, D] with their keys and values [B, 77, S]; what lies behind the longest words is zeros and is not computed."""
    longest = int(mask.sum(1).max())
    tokens = network.text.tokens(states[:, :longest], mask[:, :longest])
    rest = (0, 0, 0, TEXT_TOKENS - longest)
    return F.pad(tokens, rest), F.pad(network.text.project(tokens), rest)


def _ending(values: Tensor, part: slice, three: Tensor) -> Tensor:
    """[B, 77, n] with the last three places of a part's rows replaced."""
    replaced = torch.cat([values[part, :-FACE0_TOKENS], three.to(values.dtype)], 1)
    return torch.cat([values[: part.start], replaced, values[part.stop :]])


def _appearance(network: Generator, arrays: Arrays, part: slice) -> Tensor:
    crops = [arrays[name][part].permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last) for name in ("face", "head")]
    return network.appearance(*crops)  # type: ignore[no-any-return]
