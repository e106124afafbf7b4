"""What is recorded of a portrait is what its networks were given, in as many of its steps as asked for."""

from pathlib import Path

import numpy as np
from omokage.system import Arrays

from measure.in_process import Run
from measure.trajectories import Recorder, written


def plain(model: str) -> Run:
    return lambda given: {"prediction": given["sample"] + 1}


def given(step: int) -> Arrays:
    return {"sample": np.full((2, 3), step, np.float32), "weight": np.ones(2)}


def test_some_steps_of_every_portrait_are_kept_and_nothing_else_of_them() -> None:
    recorder = Recorder({"unet": ["sample"]}, plain, calls=3)
    unet, decoder = recorder("unet"), recorder("vae_decoder")
    for _ in range(2):
        recorder.begin(10)
        for step in range(10):
            inputs = given(step)
            np.testing.assert_array_equal(unet(inputs)["prediction"], step + 1)
            inputs["sample"] += 100  # what is kept is what was given then
        decoder(given(0))
        steps = [call["sample"][0, 0] for call in recorder.kept["unet"]]
        assert len(steps) == len(set(steps)) == 3
        assert set(steps) <= set(range(10))
        assert all(set(call) == {"sample"} for call in recorder.kept["unet"])
        assert list(recorder.kept) == ["unet"]


def test_rows_of_all_calls_are_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "unet" / "calibration.npz"
    assert written(path, [given(1), given(2)]) == 4
    with np.load(path) as data:
        np.testing.assert_array_equal(data["sample"][:, 0], [1, 1, 2, 2])
    assert [file.name for file in path.parent.iterdir()] == ["calibration.npz"]
