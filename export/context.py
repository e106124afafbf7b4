"""Who and what, as keys and values for the UNet: one network for the words, one for each system's face.

A face is an identity vector [B, 128] (SFace, unit length) and appearance tokens [B, 98, 256]: 49 of the aligned face, 49 of the head. `identity_mean`
and `identity_std` [128] are measured on the training people: rendered faces lie in a narrow cone, and its middle says nothing.
"""

import torch
from diffusers.models.embeddings import IPAdapterPlusImageProjectionBlock
from torch import Tensor, nn

IDENTITY_WIDTH = 128
APPEARANCE_WIDTH, FACE_PART = 256, 49
APPEARANCE_TOKENS = 2 * FACE_PART  # of the face, then of the head
TEXT_TOKENS = 77
FACE0_TOKENS, MAKEUP_TOKENS, CROSS_TOKENS = 3, 4, 16
LOUD = 4.0  # three tokens among 77 are not heard otherwise: nothing of the face was learned in 56,000 pictures
HEADS = {"dim_head": 32, "heads": 8, "ffn_ratio": 4}


class TextContext(nn.Module):
    """States of the text encoder [B, 77, 384] and mask [B, 77] (1 where there is a token) to keys and values [B, 77, S], 0 where there is none."""

    def __init__(self, width: int, kv_width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.project = nn.Linear(width, kv_width, bias=False)

    def tokens(self, states: Tensor, mask: Tensor) -> Tensor:
        """[B, 77, 384] -> [B, 77, 384], what is projected; 0 where there is no token."""
        normed: Tensor = self.norm(states)
        return (normed + self.widen(normed)) * mask[..., None]  # type: ignore[no-any-return]

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        return self.project(self.tokens(states, mask))  # type: ignore[no-any-return]


class AppearanceEncoder(nn.Module):
    """An aligned face and the whole head, each [B, 3, 112, 112], RGB 0..255, to appearance tokens [B, 98, 256]."""

    def __init__(self) -> None:
        super().__init__()
        widths = (32, 64, 128, APPEARANCE_WIDTH)
        layers: list[nn.Module] = []
        before = 3
        for width in widths:
            layers += [
                nn.Conv2d(before, width, 3, 2, 1),
                nn.GroupNorm(8, width),
                nn.SiLU(),
                nn.Conv2d(width, width, 3, 1, 1),
                nn.GroupNorm(8, width),
                nn.SiLU(),
            ]
            before = width
        self.layers = nn.Sequential(*layers)
        self.place = nn.Parameter(torch.randn(1, APPEARANCE_TOKENS, APPEARANCE_WIDTH) * 0.02)

    def forward(self, face: Tensor, head: Tensor) -> Tensor:
        parts = [self.layers(crop / 127.5 - 1).flatten(2).transpose(1, 2) for crop in (face, head)]
        return torch.cat(parts, 1) + self.place


class _Face(nn.Module):
    """What all face contexts know of identity vectors."""

    identity_mean: Tensor
    identity_std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("identity_mean", torch.zeros(IDENTITY_WIDTH))
        self.register_buffer("identity_std", torch.full((IDENTITY_WIDTH,), IDENTITY_WIDTH**-0.5))

    def standard(self, identity: Tensor) -> Tensor:
        return (identity - self.identity_mean) / self.identity_std


class Face0Context(_Face):
    """A face to three tokens [B, 3, D] that overwrite the last three of the words. Valevski et al. 2023: four layers, ReLU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        before = IDENTITY_WIDTH + 2 * APPEARANCE_WIDTH
        self.layers = nn.Sequential(
            nn.Linear(before, 2 * width), nn.ReLU(), nn.Linear(2 * width, 2 * width), nn.ReLU(), nn.Linear(2 * width, 2 * width), nn.ReLU(),
            nn.Linear(2 * width, FACE0_TOKENS * width),
        )  # fmt: skip
        self.norm = nn.LayerNorm(width)
        nn.init.constant_(self.norm.weight, LOUD)

    def forward(self, identity: Tensor, appearance: Tensor) -> Tensor:
        both = torch.cat([self.standard(identity), appearance[:, :FACE_PART].mean(1), appearance[:, FACE_PART:].mean(1)], 1)
        return self.norm(self.layers(both).unflatten(1, (FACE0_TOKENS, -1)))  # type: ignore[no-any-return]


class _FaceTokens(_Face):
    """A face to tokens [B, n, D], x + s·y: x from the identity, y what x finds in the appearance, s the structure scale [B].

    The shape of IP-Adapter-FaceID-PlusV2. The identity goes straight through: with a resampler of learned queries, that had it among what they look
    at, nothing of it was learned in 56,000 pictures.
    """

    def __init__(self, width: int, tokens: int, depth: int = 2) -> None:
        super().__init__()
        self.tokens = tokens
        self.first = nn.Sequential(nn.Linear(IDENTITY_WIDTH, 2 * IDENTITY_WIDTH), nn.GELU(), nn.Linear(2 * IDENTITY_WIDTH, tokens * width))
        self.norm = nn.LayerNorm(width)
        self.enter = nn.Linear(APPEARANCE_WIDTH, width)
        self.blocks = nn.ModuleList(IPAdapterPlusImageProjectionBlock(width, **HEADS) for _ in range(depth))
        self.leave = nn.Linear(width, width)
        self.norm_out = nn.LayerNorm(width)

    def made(self, identity: Tensor, appearance: Tensor, structure_scale: Tensor) -> Tensor:
        first = self.norm(self.first(self.standard(identity)).unflatten(1, (self.tokens, -1)))
        seen, found = self.enter(appearance), first
        for block in self.blocks:
            found = block(seen, found, found)
        return first + structure_scale[:, None, None] * self.norm_out(self.leave(found))  # type: ignore[no-any-return]


class FaceMakeupContext(_FaceTokens):
    """Four tokens, as Face-MakeUp (Dai et al. 2025) has them.

    They are repeated to [B, 16, D]: a softmax over copies gives each token the weight it had, so rows of all systems fit into one batch.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, MAKEUP_TOKENS)

    def forward(self, identity: Tensor, appearance: Tensor, structure_scale: Tensor) -> Tensor:
        return self.made(identity, appearance, structure_scale).repeat(1, CROSS_TOKENS // MAKEUP_TOKENS, 1)


class CrossFaceIdContext(_FaceTokens):
    """Sixteen tokens, as InstantID (Wang et al. 2024) and CrossFaceID have them."""

    def __init__(self, width: int) -> None:
        super().__init__(width, CROSS_TOKENS)

    def forward(self, identity: Tensor, appearance: Tensor) -> Tensor:
        return self.made(identity, appearance, torch.ones_like(identity[:, 0]))

    @torch.no_grad()
    def begin_as(self, other: FaceMakeupContext) -> None:
        """Start from what the four tokens know: each four times."""
        known = other.state_dict()
        for name in ("first.2.weight", "first.2.bias"):
            known[name] = known[name].repeat(CROSS_TOKENS // MAKEUP_TOKENS, *[1] * (known[name].dim() - 1))
        self.load_state_dict(known)


class FaceKeysValues(nn.Module):
    """Face tokens [B, 16, D] to `id_kv` [B, 16, S]; values times the identity scale [B]."""

    value_mask: Tensor  # [S]

    def __init__(self, width: int, kv_width: int, value_mask: Tensor) -> None:
        super().__init__()
        self.project = nn.Linear(width, kv_width, bias=False)
        self.register_buffer("value_mask", value_mask, persistent=False)  # [S], 1 where a value is, 0 where a key is

    def forward(self, tokens: Tensor, identity_scale: Tensor) -> Tensor:
        scale = 1 + (identity_scale[:, None, None] - 1) * self.value_mask
        return self.project(tokens) * scale  # type: ignore[no-any-return]
