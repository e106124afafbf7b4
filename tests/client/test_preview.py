"""Coarse previews are near what the decoder makes of the same latents."""

import io
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from omokage import preview
from PIL import Image

from export.families import FAMILIES

REPOSITORY = Path(__file__).parents[2]
MINI = FAMILIES["mini"]


def test_there_is_a_row_for_every_channel_and_one_for_none() -> None:
    assert np.shape(MINI.preview) == (MINI.unet.latent_channels + 1, 3)


def test_a_coarse_preview_has_a_pixel_a_cell_and_its_colours() -> None:
    colours = [[0.5, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]]
    latent = np.zeros((1, 2, 4, 6), np.float32)
    latent[0, 0, 1, 2], latent[0, 1, 3, 5] = 1, 1
    found = preview.coarse(latent, colours)
    assert found.shape == (4, 6, 3)
    assert found[0, 0].tolist() == [128, 128, 255]
    assert found[1, 2].tolist() == [191, 128, 255]
    assert found[3, 5].tolist() == [128, 0, 255]
    with Image.open(io.BytesIO(preview.file(found))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), found)


@pytest.mark.released
@pytest.mark.parametrize("name", ["sample.jpg", "people.webp"])
def test_the_mini_family_s_colours_are_the_decoder_s_on_the_whole(name: str) -> None:
    with Image.open(REPOSITORY / "docs" / "img" / name) as picture:
        shown = np.asarray(picture.convert("RGB").crop((0, 0, 512, 512)).resize((256, 256)), np.float32)
    given = shown.transpose(2, 0, 1)[None] / np.float32(127.5) - 1
    encoder, decoder = (
        onnxruntime.InferenceSession(str(REPOSITORY / "weights" / "mini" / f"{network}.onnx"), providers=["CPUExecutionProvider"])
        for network in ("vae_encoder", "vae_decoder")
    )
    latent = encoder.run(None, {"picture": given})[0]
    decoded = decoder.run(None, {"latent": latent})[0][0]
    means = (decoded.reshape(3, 32, 8, 32, 8).mean((2, 4)).transpose(1, 2, 0) + 1) * 127.5
    found = preview.coarse(latent, MINI.preview).astype(np.float32)
    assert np.abs(found - means).mean() < 16
    assert np.corrcoef(found.ravel(), means.ravel())[0, 1] > 0.9
