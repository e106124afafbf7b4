"""Colours that words can name. Values are linear RGB, 0..1."""

import colorsys

import numpy as np

RGB = tuple[float, float, float]

CLOTH: dict[str, RGB] = {
    "black": (0.012, 0.012, 0.014),
    "white": (0.72, 0.72, 0.70),
    "grey": (0.19, 0.19, 0.20),
    "navy blue": (0.012, 0.022, 0.085),
    "blue": (0.04, 0.13, 0.48),
    "green": (0.04, 0.22, 0.07),
    "red": (0.46, 0.022, 0.03),
    "yellow": (0.72, 0.46, 0.05),
    "orange": (0.66, 0.20, 0.03),
    "purple": (0.17, 0.05, 0.30),
    "pink": (0.70, 0.26, 0.36),
    "brown": (0.14, 0.065, 0.03),
    "beige": (0.50, 0.40, 0.27),
}

HAIR: dict[str, RGB] = {
    "black": (0.018, 0.014, 0.012),
    "dark brown": (0.050, 0.028, 0.017),
    "brown": (0.115, 0.062, 0.033),
    "light brown": (0.235, 0.140, 0.075),
    "blonde": (0.52, 0.36, 0.18),
    "auburn": (0.165, 0.050, 0.024),
    "red": (0.34, 0.100, 0.034),
    "grey": (0.34, 0.335, 0.33),
    "white": (0.68, 0.67, 0.65),
    "blue": (0.03, 0.10, 0.34),
    "pink": (0.55, 0.13, 0.28),
}

FRAME: dict[str, RGB] = {
    "black": (0.01, 0.01, 0.01),
    "brown": (0.10, 0.045, 0.018),
    "silver": (0.45, 0.45, 0.46),
    "gold": (0.55, 0.36, 0.10),
    "red": (0.30, 0.02, 0.02),
    "transparent": (0.55, 0.53, 0.50),
}

EYES = ("blue", "bluegreen", "brown", "brownlight", "deepblue", "green", "grey", "ice", "lightblue")
EYE_WORDS = {
    "blue": "blue",
    "bluegreen": "blue-green",
    "brown": "brown",
    "brownlight": "light brown",
    "deepblue": "deep blue",
    "green": "green",
    "grey": "grey",
    "ice": "pale blue",
    "lightblue": "light blue",
}


def jittered(colour: RGB, draw: np.random.Generator) -> RGB:
    """The colour, a little lighter or darker and shifted in hue by at most a fiftieth, so that its name still fits."""
    hue, saturation, value = colorsys.rgb_to_hsv(*colour)
    hue = (hue + draw.uniform(-0.012, 0.012)) % 1
    red, green, blue = colorsys.hsv_to_rgb(hue, min(saturation * draw.uniform(0.92, 1.05), 1), value * draw.uniform(0.82, 1.15))
    return (float(red), float(green), float(blue))
