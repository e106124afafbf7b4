"""Networks compiled before they are trained."""

from collections.abc import Sequence

import torch
from torch import nn

from export.unet import Unet

USUAL_LIMIT = 8  # torch's, of how often one piece of code is compiled


def blocks(unet: Unet) -> tuple[nn.Module, ...]:
    """What takes a UNet's time: its blocks down, in the middle and up. Compiled as a whole, torch 2.13 makes it give nan on the CPU."""
    network = unet.network
    return (*network.down_blocks, network.mid_block, *network.up_blocks)


def compile_all(networks: Sequence[nn.Module]) -> None:
    """Each for itself, on its first use, for the shapes that it sees then; blocks share their code, which is compiled anew for each."""
    torch._dynamo.config.recompile_limit = max(USUAL_LIMIT, 4 * len(networks))
    for network in networks:
        network.compile(dynamic=False)
