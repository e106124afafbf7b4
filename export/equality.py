"""`python -m export.equality`: the full-size UNet of a family with hoisted keys and values, and diffusers' own, on the same numbers."""

import argparse
import resource
import sys
from collections.abc import Sequence
from typing import get_args

import torch

from export.families import FAMILIES, Family, Precision
from export.precision import DTYPES
from export.published import projections, random
from export.unet import Unet, added_conditions

LATENT = 32  # cells of a side; the weights are as many at any


@torch.no_grad()
def difference(family: Family, precision: Precision = "fp32", latent: int = LATENT) -> tuple[float, float]:
    """(largest difference, largest number) of the two predictions, with random weights and words alone. The weights are in memory once."""
    torch.manual_seed(0)
    shape, dtype = family.unet, DTYPES[precision]
    plain = random(family, "unet", precision).eval()
    sample = torch.randn(1, shape.latent_channels, latent, latent, dtype=dtype)
    words, step = torch.randn(1, family.text_tokens, shape.text_width, dtype=dtype), torch.tensor([500])
    sizes = torch.tensor([[family.size, family.size, 0, 0, family.size, family.size]]).float()
    added = (torch.randn(1, shape.vector), sizes) if shape.vector else ()
    wanted = plain(sample, step, words, added_cond_kwargs=added_conditions(added)).sample
    text_kv = words @ projections(plain).T
    nobody = torch.zeros(1, family.face.cross_tokens, text_kv.shape[2], dtype=dtype)
    found = Unet(shape, plain)(sample, step, text_kv, nobody, *added)
    return float((found - wanted).abs().max()), float(wanted.abs().max())


def main(argv: Sequence[str] | None = None) -> int:
    """0; 1 where the two differ by more than rounding."""
    parser = argparse.ArgumentParser(prog="python -m export.equality", description=__doc__)
    parser.add_argument("--family", default="sd15", choices=[name for name, family in FAMILIES.items() if family.published])
    parser.add_argument("--precision", default="fp32", choices=get_args(Precision), help="of the weights: SDXL's take 10.3 or 5.1 GB (default: fp32)")
    parser.add_argument("--latent", type=int, default=LATENT, help=f"cells of a side (default: {LATENT})")
    given = parser.parse_args(argv)
    apart, largest = difference(FAMILIES[given.family], given.precision, given.latent)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{given.family} {given.precision}: {apart:.1e} apart, the largest number {largest:.2f}; {peak:.1f} GiB at most")  # noqa: T201
    return int(not apart <= {"fp32": 2e-5, "fp16": 2e-2}[given.precision] * max(largest, 1.0))


if __name__ == "__main__":
    sys.exit(main())
