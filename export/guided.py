"""Guidance inside the keys and values: one prediction with these is near to what takes two without."""

import torch
from torch import Tensor, nn

HIDDEN = 384
MOST_GUIDANCE = 5.0  # that it was taught


class _Changed(nn.Module):
    """Tokens [B, n, S], what all of them are about [B, H] and guidance [B] to what is added to the tokens; nothing at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, HIDDEN))
        self.leave = nn.Linear(HIDDEN, width)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, tokens: Tensor, about: Tensor) -> Tensor:
        return self.leave(nn.functional.silu(self.enter(tokens) + about[:, None]))  # type: ignore[no-any-return]


class GuidedContext(nn.Module):
    """`text_kv` [B, 77, S], `id_kv` [B, 16, S] and guidance [B] to the same two, changed so that the UNet predicts with them what classifier-free
    guidance makes of the prediction with the former and the one of no words and nobody. Guidance of 1 changes nothing.

    Guidance is distilled as Meng et al. 2023 do, but into the contexts and not into the UNet: so one UNet still serves all rows.
    """

    def __init__(self, kv_width: int) -> None:
        super().__init__()
        self.about = nn.Sequential(nn.Linear(2 * kv_width, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, HIDDEN))
        self.strength = nn.Sequential(nn.Linear(1, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, HIDDEN))
        self.words, self.face = _Changed(kv_width), _Changed(kv_width)

    def forward(self, text_kv: Tensor, id_kv: Tensor, guidance: Tensor) -> tuple[Tensor, Tensor]:
        more = guidance[:, None] - 1
        about = self.about(torch.cat([text_kv.mean(1), id_kv.mean(1)], 1)) + self.strength(more)
        return text_kv + more[..., None] * self.words(text_kv, about), id_kv + more[..., None] * self.face(id_kv, about)
