"""Backgrounds, painted at 256 pixels in linear light and scaled to the picture: they are out of focus anyway."""

import colorsys
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from training.people import colours
from training.people.lights import Light

SIZE = 256
Floats = npt.NDArray[np.float32]
Painter = Callable[[np.random.Generator, str], Floats]
_ROWS, _COLUMNS = (np.mgrid[0:SIZE, 0:SIZE] / SIZE).astype(np.float32)
COLOUR_NAMES = ("grey", "blue", "green", "red", "yellow", "orange", "purple", "pink", "brown", "beige")


def _flat(colour: object) -> Floats:
    return np.ones((SIZE, SIZE, 3), np.float32) * np.asarray(colour, np.float32)


def _blur(image: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def _hsv(hue: float, saturation: float, value: float) -> tuple[float, ...]:
    return tuple(float(x) ** 2.2 for x in colorsys.hsv_to_rgb(hue % 1, saturation, value))


def _point(draw: np.random.Generator, top: float = 0, bottom: float = 1) -> tuple[int, int]:
    return int(draw.integers(SIZE)), int(draw.uniform(top, bottom) * SIZE)


def plain(draw: np.random.Generator, colour: str) -> Floats:
    return _flat(colours.jittered(colours.CLOTH[colour], draw)) * 1.1


def gradient(draw: np.random.Generator, colour: str) -> Floats:
    glow = np.exp(-((_COLUMNS - 0.5 - draw.normal(0, 0.1)) ** 2 + (_ROWS - 0.45) ** 2) / 0.18)
    return np.asarray(_flat(colours.jittered(colours.CLOTH[colour], draw)) * (0.30 + 1.0 * glow[..., None]), np.float32)


def white_wall(draw: np.random.Generator, colour: str) -> Floats:
    del colour
    shade = 1 - draw.uniform(0, 0.3) * (_COLUMNS if draw.random() < 0.5 else 1 - _COLUMNS)
    return np.asarray(_flat((0.78, 0.77, 0.75)) * shade[..., None], np.float32)


def black(draw: np.random.Generator, colour: str) -> Floats:
    del colour
    return _flat(draw.uniform(0.002, 0.008))


def city(draw: np.random.Generator, colour: str) -> Floats:
    del colour
    image = _flat((0.03, 0.035, 0.06)) * (1.5 - _ROWS[..., None])
    for _ in range(45):
        disc = np.zeros((SIZE, SIZE, 3), np.float32)
        tone = np.array(_hsv(draw.choice([0.08, 0.1, 0.13, 0.58, 0.95, 0.35]), draw.uniform(0.2, 0.9), 1)) * draw.uniform(0.08, 0.6)
        cv2.circle(disc, _point(draw), int(draw.integers(4, 15)), tuple(map(float, tone)), -1)
        image += disc
    return _blur(image, 2.2)


def garden(draw: np.random.Generator, colour: str) -> Floats:
    del colour
    horizon = draw.uniform(0.2, 0.5)
    image = _flat((0.10, 0.18, 0.06))
    image[: int(horizon * SIZE)] = np.array((0.55, 0.68, 0.85)) * draw.uniform(0.5, 1)
    for _ in range(70):
        tone = np.array((0.13, 0.28, 0.06)) * draw.uniform(0.3, 2) * np.array([draw.uniform(0.7, 1.5), 1, draw.uniform(0.6, 1.4)])
        cv2.circle(image, _point(draw, horizon * 0.4), int(draw.integers(8, 34)), tuple(map(float, tone)), -1)
    return _blur(image, 6)


def room(draw: np.random.Generator, colour: str) -> Floats:
    del colour
    image = _flat(np.array((0.55, 0.48, 0.40)) * draw.uniform(0.4, 1))
    for _ in range(9):
        left, top = (int(x) for x in draw.integers(-40, SIZE, 2))
        width, height = (int(x) for x in draw.integers(30, 130, 2))
        hue = draw.uniform(0.02, 0.15) if draw.random() < 0.7 else draw.random()
        cv2.rectangle(image, (left, top), (left + width, top + height), _hsv(hue, draw.uniform(0.1, 0.6), draw.uniform(0.15, 0.9)), -1)
    return _blur(image, 8)


def bookshelf(draw: np.random.Generator, colour: str) -> Floats:
    del colour
    image = _flat((0.06, 0.035, 0.02))
    shelf = int(draw.integers(52, 78))
    for top in range(-int(draw.integers(0, shelf)), SIZE, shelf):
        left = 0
        while left < SIZE:
            width, height = int(draw.integers(6, 18)), int(draw.uniform(0.66, 0.9) * shelf)
            tone = _hsv(draw.random(), draw.uniform(0.2, 0.7), draw.uniform(0.2, 0.75))
            cv2.rectangle(image, (left, top + shelf - 5 - height), (left + width - 2, top + shelf - 6), tone, -1)
            left += width
        cv2.rectangle(image, (0, top + shelf - 5), (SIZE, top + shelf), (0.16, 0.09, 0.045), -1)
    return _blur(image, 2.6)


def bricks(draw: np.random.Generator, colour: str) -> Floats:
    del colour
    image = _flat((0.30, 0.28, 0.26))
    height, width = int(draw.integers(18, 28)), int(draw.integers(44, 64))
    for row, top in enumerate(range(0, SIZE, height)):
        for left in range(-(row % 2) * width // 2, SIZE, width):
            tone = np.array((0.26, 0.075, 0.045)) * draw.uniform(0.65, 1.35)
            cv2.rectangle(image, (left + 2, top + 2), (left + width - 2, top + height - 2), tuple(map(float, tone)), -1)
    return _blur(image, 1.8)


def beach(draw: np.random.Generator, colour: str) -> Floats:
    del colour
    sea, sand = draw.uniform(0.38, 0.52), draw.uniform(0.62, 0.78)
    image = _flat((0.36, 0.58, 0.90)) * (0.75 + 0.5 * _ROWS[..., None])
    image[int(sea * SIZE) :] = (0.05, 0.22, 0.34)
    image[int(sand * SIZE) :] = (0.58, 0.46, 0.30)
    return _blur(image, 4)


def sunset(draw: np.random.Generator, colour: str) -> Floats:
    del colour
    high, low = np.array((0.10, 0.08, 0.28)), np.array((0.95, 0.36, 0.10))
    mix = np.clip(_ROWS * draw.uniform(1.2, 1.7), 0, 1)[..., None] ** 1.3
    image = np.asarray(high * (1 - mix) + low * mix, np.float32)
    image[int(draw.uniform(0.74, 0.86) * SIZE) :] = (0.03, 0.02, 0.03)
    return _blur(image, 5)


def snow(draw: np.random.Generator, colour: str) -> Floats:
    del colour
    image = _flat((0.50, 0.60, 0.74))
    image[int(draw.uniform(0.5, 0.65) * SIZE) :] = (0.80, 0.84, 0.90)
    for _ in range(16):
        foot = _point(draw, 0.5, 0.62)
        tree = np.array([(foot[0] - 16, foot[1]), (foot[0] + 16, foot[1]), (foot[0], foot[1] - int(draw.integers(40, 110)))], np.int32)
        cv2.fillPoly(image, [tree], (0.05, 0.09, 0.07))
    image = _blur(image, 3.4)
    for _ in range(60):
        cv2.circle(image, _point(draw), int(draw.integers(1, 3)), (0.9, 0.92, 0.95), -1)
    return _blur(image, 0.9)


def office(draw: np.random.Generator, colour: str) -> Floats:
    del colour
    image = _flat((0.42, 0.43, 0.44))
    left = int(draw.integers(-30, 60))
    for window in range(left, SIZE, 92):
        cv2.rectangle(image, (window, 24), (window + 78, 150), (0.85, 0.95, 1.1), -1)
        for slat in range(24, 150, 9):
            cv2.rectangle(image, (window, slat), (window + 78, slat + 3), (0.46, 0.48, 0.50), -1)
    cv2.rectangle(image, (0, int(draw.integers(196, 226))), (SIZE, SIZE), (0.20, 0.14, 0.09), -1)
    return _blur(image, 3.0)


PAINTERS: dict[str, tuple[Painter, tuple[str, ...]]] = {
    "plain": (plain, ("plain {colour} background", "plain {colour} backdrop")),
    "gradient": (gradient, ("{colour} studio backdrop", "softly lit {colour} studio backdrop")),
    "white wall": (white_wall, ("white wall", "plain white wall")),
    "black": (black, ("black background", "plain black background")),
    "city": (city, ("blurred city lights", "city lights at night")),
    "garden": (garden, ("blurred garden", "green garden")),
    "room": (room, ("blurred room", "room out of focus")),
    "bookshelf": (bookshelf, ("bookshelf", "shelves full of books")),
    "bricks": (bricks, ("brick wall", "red brick wall")),
    "beach": (beach, ("beach", "sandy beach with the sea")),
    "sunset": (sunset, ("sunset sky", "orange sunset sky")),
    "snow": (snow, ("snowy landscape", "snowy forest")),
    "office": (office, ("office", "office with windows")),
}


def paint(name: str, colour: str, seed: int, light: Light, size: int) -> Floats:
    """The background [size, size, 3], linear light, tinted by the light of the shot."""
    image = PAINTERS[name][0](np.random.default_rng(seed), colour)
    tint = np.array(light.ambient) * 0.5 + np.array(light.key) * 0.5
    tint = tint / tint.max() * (0.45 + 0.55 * min(light.power / 2.5, 1.2))
    image = np.clip(image * (0.35 + 0.65 * tint) * 0.95, 0, 4).astype(np.float32)
    return image if size == SIZE else np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
