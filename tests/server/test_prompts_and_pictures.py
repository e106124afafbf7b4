"""Words to token numbers, pictures to files, poses to a square: the plain halves of the server's Python models."""

import hashlib
import io
import json

import numpy as np
import pictures
import prompts
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omokage.errors import InvalidRequest
from omokage.pixels import pixels
from omokage.pose import framed
from PIL import Image
from tokenizers import Tokenizer

from export.text_encoder import TOKENIZER, load_tokenizer, model_folder, token_ids


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return prompts.load(model_folder() / TOKENIZER)


@settings(max_examples=100, deadline=None)
@given(words=st.text(max_size=600))
def test_tokens_are_those_of_training_and_what_is_cut_is_the_end(tokenizer: Tokenizer, words: str) -> None:
    ids, mask, cut = prompts.encode(tokenizer, words)
    wanted_ids, wanted_mask = token_ids(load_tokenizer(), [words])
    np.testing.assert_array_equal(ids, wanted_ids)
    np.testing.assert_array_equal(mask, wanted_mask)
    assert words.endswith(cut)
    assert bool(cut) <= (int(mask.sum()) == prompts.TOKENS)


def test_what_is_cut_begins_where_reading_ended(tokenizer: Tokenizer) -> None:
    _, _, cut = prompts.encode(tokenizer, "hat " * 100)
    assert cut == "hat " * 25
    assert prompts.encode(tokenizer, "hat " * 75)[2] == ""


def test_a_text_without_end_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(InvalidRequest, match="the words have 20001 characters"):
        prompts.encode(tokenizer, "x" * 20_001)


def test_a_file_says_how_it_was_made_and_holds_the_very_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    with Image.open(io.BytesIO(pictures.png(image, {"seed": 3}))) as found:
        np.testing.assert_array_equal(np.asarray(found), image)
        assert json.loads(found.info["omokage"]) == {"seed": 3, "pixels_sha256": hashlib.sha256(b"RGB (9, 8) " + image.tobytes()).hexdigest()}


def test_pixels_are_rounded_and_held_in_their_range() -> None:
    picture = np.array([-1.5, -1, 0, 1, 1.5, 1 / 127.5], np.float32).reshape(1, 1, 6).repeat(3, 0)
    assert pixels(picture)[0, :, 0].tolist() == [0, 0, 128, 255, 255, 128]


@settings(max_examples=100, deadline=None)
@given(st.integers(64, 3000), st.integers(64, 3000), st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 0.9))
def test_a_pose_keeps_its_shape_and_lies_in_the_square_when_the_face_lies_in_the_photo(w: int, h: int, x: float, y: float, share: float) -> None:
    side = share * min(w, h)
    corner = np.array([x * (w - side), y * (h - side)])
    points = (corner + np.random.default_rng(0).random((5, 2)) * side).astype(np.float32)
    found = framed(points, np.array([*corner, side, side], np.float32), w, h)
    assert ((found > -1e-3) & (found < 1 + 1e-3)).all()
    factor = np.linalg.norm(points[0] - points[1]) / np.linalg.norm(found[0] - found[1])
    np.testing.assert_allclose(points - points[0], (found - found[0]) * factor, atol=0.02 * side + 0.1)
