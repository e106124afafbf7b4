"""How the denoiser's networks are run: in its own process, by ONNX Runtime or as plans on the GPU, so that keys and values stay where they are; or by
Triton's engine models."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from omokage import engine, plan
from omokage.errors import InvalidRequest
from omokage.system import Arrays
from omokage.transport import inside_triton

Network = Callable[[Arrays], Arrays]

HERE, PLANS, TRITON = "here", "plans", "triton"
ASKED = "OMOKAGE_DENOISER"
"""The environment variable that says it instead of the config's parameter `networks`."""
ROWS_AT_ONCE = 8  # more take memory and win nothing: docs/architecture.md has the numbers


@dataclass(frozen=True)
class Networks:
    """`how`: one of the words above; `where`: the module whose arrays they take, numpy or CuPy; `warm`: batches to be run once beforehand, the
    largest among them, so that no more memory is wanted later; none where that is not possible yet."""

    how: str
    unet: Network
    controlnet: Network
    where: Any = np
    warm: tuple[int, ...] = ()


def chosen(asked: str, repository: Path, residuals: list[str]) -> Networks:
    """`residuals`: what the ControlNet gives, by name. Raises InvalidRequest for an unknown word, and for an engine that cannot be run."""
    asked = os.environ.get(ASKED) or asked
    if asked == HERE:
        return Networks(HERE, here(repository, "unet"), here(repository, "controlnet_pose"), warm=(1, 2, ROWS_AT_ONCE))
    if asked == TRITON:  # its models cannot be called before all are loaded
        return Networks(TRITON, by_triton("unet", ["prediction"]), by_triton("controlnet_pose", residuals))
    if asked == PLANS:
        return by_plans(repository)
    raise InvalidRequest(f"networks of the denoiser by {asked!r}; choose one of: {HERE}, {PLANS}, {TRITON}")


def lent(networks: Networks, config: str, repository: Path) -> dict[str, Network]:
    """What other processes call by the config of the CPU: arrays of numpy, of any thread."""
    if config != HERE:
        return {}
    if networks.how == HERE:
        return {"unet": networks.unet, "controlnet_pose": networks.controlnet}
    return {name: here(repository, name) for name in ("unet", "controlnet_pose")}


def here(repository: Path, name: str) -> Network:
    """The engine of a model of the same repository, a session of its own. Raises InvalidRequest for one that is not whole."""
    session = engine.opened(repository / name / "1" / "model.onnx", name)
    outputs = [port.name for port in session.get_outputs()]

    def run(arrays: Arrays) -> Arrays:
        rows = range(0, len(arrays["sample"]), ROWS_AT_ONCE)
        if len(rows) == 1:
            return dict(zip(outputs, session.run(outputs, arrays), strict=True))
        parts = [session.run(outputs, {key: value[row : row + ROWS_AT_ONCE] for key, value in arrays.items()}) for row in rows]
        return {key: np.concatenate([part[place] for part in parts]) for place, key in enumerate(outputs)}

    return run


def by_plans(repository: Path) -> Networks:
    """Not run on a GPU. Latents go there and predictions come back in every step; all else stays. Raises InvalidRequest."""
    gpu = plan.here()
    unet, controlnet = (plan.opened(repository / name / "1" / "model.plan", name, gpu) for name in ("unet", "controlnet_pose"))
    return Networks(PLANS, plan.fetched(gpu, unet), controlnet, gpu.arrays, plan.BATCHES)


def by_triton(name: str, outputs: list[str]) -> Network:
    """The engine model of that name."""
    return lambda arrays: inside_triton.infer(name, arrays, outputs)
