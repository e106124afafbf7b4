"""Decoding YuNet's outputs, looking twice at a face, aligning it."""

import numpy as np
import pytest
from omokage import faces
from omokage.faces import Face, NoFace

DRAW = np.random.default_rng(0)


def outputs(cells: list[tuple[int, int, int, float]]) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """YuNet's outputs with faces of 80 pixels in the given (stride, column, row, score)."""
    found = {}
    for stride in faces.STRIDES:
        count = (faces.SIDE // stride) ** 2
        for kind, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            found[f"{kind}_{stride}"] = np.zeros((1, count, width), np.float32)
    for stride, column, row, score in cells:
        cell = row * (faces.SIDE // stride) + column
        found[f"cls_{stride}"][0, cell] = found[f"obj_{stride}"][0, cell] = score
        found[f"bbox_{stride}"][0, cell] = [0.5, 0.5, np.log(80 / stride), np.log(80 / stride)]
        found[f"kps_{stride}"][0, cell] = np.arange(10) / 10
    return found


def test_a_face_lies_where_its_cell_says() -> None:
    (face,) = faces.decoded(outputs([(16, 10, 20, 0.9)]), 2.0)
    assert face.score == pytest.approx(0.9)
    np.testing.assert_allclose(face.box, [(10.5 * 16 - 40) / 2, (20.5 * 16 - 40) / 2, 40, 40], rtol=1e-5)
    np.testing.assert_allclose(face.points[0], [10 * 16 / 2, 20.1 * 16 / 2], rtol=1e-5)


def test_weak_faces_are_left_out_and_one_seen_twice_is_one() -> None:
    assert faces.decoded(outputs([(8, 3, 3, 0.5)]), 1.0) == []
    assert len(faces.decoded(outputs([(16, 10, 20, 0.9), (16, 11, 20, 0.8), (16, 30, 20, 0.7)]), 1.0)) == 2


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], "no face was found"),
        ([Face(np.array([0, 0, 47, 60], np.float32), np.zeros((5, 2), np.float32), 0.9)], "the face is 47 pixels wide, it must be 48 or more"),
    ],
)
def test_without_a_usable_face_it_says_what_to_send(found: list[Face], says: str) -> None:
    with pytest.raises(NoFace) as refused:
        faces.largest(found)
    assert says in str(refused.value)
    assert "send" in str(refused.value)


@pytest.mark.parametrize("shape", [(256, 256), (100, 300), (900, 50), (1, 1)])
def test_a_letterboxed_photo_keeps_its_shape(shape: tuple[int, int]) -> None:
    photo = np.full((*shape, 3), 200, np.uint8)
    picture, scale = faces.letterboxed(photo)
    assert picture.shape == (1, 3, 640, 640)
    height, width = (round(side * scale) for side in shape)
    assert picture[0, :, :height, :width].min() == 200
    assert picture.sum() == 200 * 3 * max(height, 1) * max(width, 1)


def test_alignment_undoes_any_turn_scale_and_move() -> None:
    angle, scale = 0.7, 2.3
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (faces.TEMPLATE @ turn.T + [40, -7]).astype(np.float32)
    fit = faces.similarity(moved, faces.TEMPLATE)
    np.testing.assert_allclose(moved @ fit[:, :2].T + fit[:, 2], faces.TEMPLATE, atol=1e-3)


@pytest.mark.parametrize("shape", [(256, 256), (1500, 900), (90, 400)])
def test_the_second_look_shows_the_face_in_four_sizes_and_knows_where(shape: tuple[int, int]) -> None:
    photo = np.zeros((*shape, 3), np.uint8)
    left, top, width, height = shape[1] // 2, shape[0] // 3, 40, 50
    photo[top : top + height, left : left + width] = 255
    picture, tiles = faces.tiled(photo, Face(np.array([left, top, width, height], np.float32), np.zeros((5, 2), np.float32), 0.9))
    for tile, wide in zip(tiles, faces.WIDTHS, strict=True):
        column, row = tile.place.astype(int)
        rows, columns = np.nonzero(picture[0, 0, row : row + faces.TILE, column : column + faces.TILE] > 127)
        assert rows.max() - rows.min() + 1 == pytest.approx(wide, abs=3)
        inside = np.array([columns.min() + column, rows.min() + row])
        np.testing.assert_allclose((inside - tile.place) / tile.scale + tile.origin, [left, top], atol=1.5 / tile.scale)


def test_the_points_are_the_mean_over_the_sizes_that_show_the_face() -> None:
    photo, face = np.zeros((256, 256, 3), np.uint8), Face(np.array([80, 80, 80, 80], np.float32), np.zeros((5, 2), np.float32), 0.9)
    _, tiles = faces.tiled(photo, face)

    def detect(picture: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
        assert picture.shape == (1, 3, 640, 640)
        return outputs([(16, 9, 9, 0.9), (16, 29, 9, 0.8)])  # in the middle of the first two tiles

    points = faces.steadied(photo, face, detect).points
    seen = [(np.array([column * 16, 9.1 * 16]) - tile.place) / tile.scale + tile.origin for tile, column in zip(tiles, (9, 29), strict=False)]
    np.testing.assert_allclose(points[0], np.mean(seen, 0), rtol=1e-5)


def test_a_face_that_the_second_look_does_not_find_keeps_its_points() -> None:
    face = Face(np.array([80, 80, 80, 80], np.float32), np.ones((5, 2), np.float32), 0.9)
    assert faces.steadied(np.zeros((256, 256, 3), np.uint8), face, lambda _: outputs([])) is face
