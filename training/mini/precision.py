"""In which precision networks are trained: what is faster, once for all processes of a team."""

import time

import torch

from training.mini.team import Team

SIDE, TIMES = 768, 5  # of the products that are timed
CLEARLY = 1.3  # times as fast
_chosen = {"half": False}


def fast() -> torch.autocast:
    """Products in bfloat16 where `choose` found that faster, in single precision elsewhere."""
    return torch.autocast("cpu", torch.bfloat16, enabled=_chosen["half"])


def choose(team: Team) -> None:
    """Before training: the first process times both. Of two processors with instructions for bfloat16 one was 1.6 times as fast with it, the other
    half as fast. Raises TeamBroke."""
    _chosen["half"] = team.agreed(team.rank == 0 and half_is_faster())[0]


def half_is_faster() -> bool:
    return torch.cpu._is_avx512_bf16_supported() and _seconds(torch.float32) > CLEARLY * _seconds(torch.bfloat16)


def _seconds(kind: torch.dtype) -> float:
    """The shortest time of a product of square matrices."""
    one = torch.ones(SIDE, SIDE, dtype=kind)
    found = []
    for _ in range(TIMES):
        began = time.perf_counter()
        torch.mm(one, one)
        found.append(time.perf_counter() - began)
    return min(found)
