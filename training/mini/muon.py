"""Muon (Jordan et al. 2024): steps along the orthogonalised momentum of a matrix, here also of convolutions, in fp32."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

QUINTIC = (3.4445, -4.7750, 2.0315)  # coefficients of the Newton-Schulz iteration
ITERATIONS = 5


def orthogonalised(matrix: Tensor) -> Tensor:
    """The matrix [m, n] with all singular values brought near 1.

    The iteration runs on the Gram matrix [m, m]: all its factors are polynomials of it and commute, which saves most of the work where n is large.
    """
    turned = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if turned else matrix
    wide = wide / wide.norm().clamp(min=1e-7)
    gram = wide @ wide.T
    whole = torch.eye(len(gram))
    a, b, c = QUINTIC
    for _ in range(ITERATIONS):
        factor = a * torch.eye(len(gram)) + b * gram + c * (gram @ gram)
        gram = factor @ gram @ factor
        whole = factor @ whole
    found: Tensor = whole @ wide
    return found.T if turned else found


class Muon(torch.optim.Optimizer):
    """For weights of two or more dimensions; all but the first are taken as one. The step's size matches AdamW's (Liu et al. 2025, eq. 4)."""

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float, *, momentum: float = 0.95, weight_decay: float = 0.01) -> None:
        super().__init__(parameters, {"lr": learning_rate, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum: Tensor = state["momentum"].mul_(group["momentum"]).add_(weight.grad)
                ahead = weight.grad + group["momentum"] * momentum
                flat = orthogonalised(ahead.flatten(1))
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(flat.view(weight.shape), alpha=-group["lr"] * 0.2 * max(flat.shape) ** 0.5)


class MuonWithAdam:
    """Muon for the inner matrices, AdamW for all else, as one optimizer."""

    def __init__(self, network: nn.Module, learning_rate: float, *, weight_decay: float, inner: tuple[str, ...]) -> None:
        """`inner`: beginnings of the names of the parts whose matrices Muon takes; vectors and learned tokens stay with AdamW in any case."""
        named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
        matrices = [p for name, p in named if p.ndim >= 2 and name.endswith("weight") and name.startswith(inner)]
        taken = {id(p) for p in matrices}
        others = [p for _, p in named if id(p) not in taken]
        self.parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(others, learning_rate, betas=(0.9, 0.99), weight_decay=weight_decay, foreach=True)
        ]
        if matrices:
            self.parts.append(Muon(matrices, learning_rate, weight_decay=weight_decay))

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return [group for part in self.parts for group in part.param_groups]

    def zero_grad(self, *, set_to_none: bool = True) -> None:
        for part in self.parts:
            part.zero_grad(set_to_none=set_to_none)

    def step(self) -> None:
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for part, saved in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(saved)
