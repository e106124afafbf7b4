"""What others have published of whole portraits on GPUs, to be set beside the floors. Standard library only."""

from dataclasses import dataclass

from engines.gpus import Gpu


@dataclass(frozen=True)
class Anchor:
    """`milliseconds`: from words to picture, one at a time, with guidance and without a ControlNet; `source`: where it is published."""

    family: str
    gpu: str
    precision: str
    steps: int
    milliseconds: float
    source: str


MODEL_OPTIMIZER = "NVIDIA/TensorRT-Model-Optimizer, examples/benchmark.md: SDXL base 1.0 at 1024 x 1024, TensorRT 9.3"
ANCHORS = (
    Anchor("sdxl", "RTX 4090", "int8", 30, 2058, MODEL_OPTIMIZER),
    Anchor("sdxl", "RTX 4090", "fp8", 30, 2161, MODEL_OPTIMIZER),
    Anchor("sdxl", "RTX 4090", "fp16", 30, 2161 * 1.14, f"{MODEL_OPTIMIZER}, by the factor given for fp8"),
    Anchor("sdxl", "L40S", "int8", 30, 2339, MODEL_OPTIMIZER),
    Anchor("sdxl", "L40S", "fp8", 30, 2168, MODEL_OPTIMIZER),
    Anchor("sdxl", "L40S", "fp16", 30, 2168 * 1.35, f"{MODEL_OPTIMIZER}, by the factor given for fp8"),
)


def of(family: str, gpus: tuple[Gpu, ...]) -> list[tuple[Anchor, Gpu]]:
    """Those of a family, on GPUs whose data are known."""
    return [(anchor, gpu) for anchor in ANCHORS for gpu in gpus if (anchor.family, anchor.gpu) == (family, gpu.name)]
