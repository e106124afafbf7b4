"""Where the networks read arrays on the GPU, all but latents and steps is brought there once, and stays; stand-ins take the GPU's place."""

import numpy as np
from omokage.denoising import by_steps
from omokage.system import Arrays

from tests.denoiser.fakes import Asker, controlnet, denoiser, infer, job, task, unet
from tests.gpu import CuPy, OnGpu

EACH_STEP = ("sample", "timestep")


def lies_there(arrays: Arrays) -> None:
    assert {name for name, value in arrays.items() if not isinstance(value, OnGpu)} == set(EACH_STEP)


def test_latents_are_those_of_the_processor_and_contexts_are_brought_once() -> None:
    cupy = CuPy()

    def on_gpu(arrays: Arrays) -> Arrays:
        lies_there(arrays)
        return {name: value.view(OnGpu) for name, value in controlnet(arrays).items()}

    def fetched(arrays: Arrays) -> Arrays:
        lies_there(arrays)
        return unet(arrays)

    loop, _, _ = denoiser(unet=fetched, controlnet=on_gpu, where=cupy)
    tasks = [task(number, branches=2, steps=3 + number, pose=number != 1) for number in range(3)]
    askers = [Asker() for _ in tasks]
    brought = []
    for one, asker in zip(tasks, askers, strict=True):
        loop.submit(job(one, asker))
    while loop.step():
        brought.append(cupy.brought)
    for one, asker in zip(tasks, askers, strict=True):
        np.testing.assert_array_equal(asker.latents[0], by_steps(infer)(one, None))
    assert brought[0] > 0
    assert set(brought) == {brought[0]}  # nothing more in the steps that follow
