"""What GPUs can do at most, as published: dense; GeForce with sums in 16 bits, which are twice as fast there. Standard library only.

With sums in 32 bits (165 of the RTX 4090's 330) what is published of SDXL was faster than the floor: TensorRT sums in 16 bits where it may.

Compared with public collections of specifications, not with the data sheets themselves: L40S, RTX 4090 and H100 in full; L4 to 4 %; of A10
and RTX 5090 the bandwidth, and the arithmetic as it follows from what is published of other precisions.
"""

from dataclasses import dataclass

BYTES = {"fp16": 2, "fp8": 1, "int8": 1}
"""Precision -> bytes of a weight."""


@dataclass(frozen=True)
class Gpu:
    """`peak`: 10^12 operations a second by precision, a multiply-add being two; `bandwidth`: 10^9 bytes a second of its memory."""

    name: str
    bandwidth: float
    peak: dict[str, float]


GPUS = (
    Gpu("L4", 300, {"fp16": 121, "fp8": 242, "int8": 242}),
    Gpu("A10", 600, {"fp16": 125, "int8": 250}),
    Gpu("L40S", 864, {"fp16": 362, "fp8": 733, "int8": 733}),
    Gpu("RTX 4090", 1008, {"fp16": 330, "fp8": 661, "int8": 661}),
    Gpu("RTX 5090", 1792, {"fp16": 419, "fp8": 838, "int8": 838}),
    Gpu("H100 SXM", 3350, {"fp16": 989, "fp8": 1979, "int8": 1979}),
)
