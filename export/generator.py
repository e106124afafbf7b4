"""All networks that make a portrait of the mini family, as one module: what training trains together and export takes apart."""

import torch
from torch import Tensor, nn

from export.context import (
    CROSS_TOKENS,
    FACE0_TOKENS,
    AppearanceEncoder,
    CrossFaceIdContext,
    Face0Context,
    FaceKeysValues,
    FaceMakeupContext,
    TextContext,
)
from export.controlnet import Control
from export.families import UnetShape
from export.unet import Unet, value_mask


class Generator(nn.Module):
    """UNet, context of the words, appearance encoder and the three faces' contexts, with one width S of keys and values; and the ControlNet of
    poses, whose context is a face's tokens."""

    def __init__(self, shape: UnetShape) -> None:
        super().__init__()
        width = shape.text_width
        self.unet = Unet(shape)
        mask = value_mask(self.unet.network)
        self.kv_width = len(mask)
        self.text = TextContext(width, self.kv_width)
        self.appearance = AppearanceEncoder()
        self.face0 = Face0Context(width)
        self.makeup = FaceMakeupContext(width)
        self.makeup_kv = FaceKeysValues(width, self.kv_width, mask)
        self.cross = CrossFaceIdContext(width)
        self.cross_kv = FaceKeysValues(width, self.kv_width, mask)
        self.pose = Control(shape, reference=True)

    def face0_tokens(self, states: Tensor, mask: Tensor, identity: Tensor, appearance: Tensor) -> Tensor:
        """The words' tokens [B, 77, D] with the face in the last three places."""
        return torch.cat([self.text.tokens(states, mask)[:, :-FACE0_TOKENS], self.face0(identity, appearance)], 1)

    def nobody(self, batch: int) -> Tensor:
        """Face tokens, or `id_kv`, of nobody: their keys and values are zeros."""
        return torch.zeros(batch, CROSS_TOKENS, self.kv_width)
