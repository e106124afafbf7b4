"""The skin of a person: MakeHuman's maps blended over heritage and age, then brought to the person's tone."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from training.people import assets
from training.people.assets import Floats
from training.people.person import Person

SIZE = 512  # pixels of the maps
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
TONE_LUMINANCE = {"very light": 0.46, "light": 0.36, "medium": 0.265, "tan": 0.18, "brown": 0.105, "dark": 0.055}
"""Mean luminance of the face, linear, 0..1."""
AGE_KNOTS = (28, 48, 70)  # years at which the young, middle-aged and old maps hold alone


@lru_cache(maxsize=1)
def _maps() -> dict[str, tuple[str, ...]]:
    """Texture names by `AGE_HERITAGE_SEX`."""
    found: dict[str, list[str]] = {}
    for name in assets.load().texture_names:
        if name.startswith("skins/"):
            found.setdefault(name.split("/")[1], []).append(name)
    return {key: tuple(sorted(names)) for key, names in found.items()}


@lru_cache(maxsize=40)
def _linear(name: str) -> Floats:
    image = assets.load().texture(name)[..., :3]
    if image.shape[0] != SIZE:
        image = np.asarray(cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray((image.astype(np.float32) / 255) ** 2.2, np.float32)


@lru_cache(maxsize=1)
def _face() -> npt.NDArray[np.bool_]:
    return np.asarray(cv2.resize(assets.load().mask("face"), (SIZE, SIZE)) > 128)


def _age_shares(age: int) -> dict[str, float]:
    shares = [np.interp(age, AGE_KNOTS, [float(k == j) for j in range(3)]) for k in range(3)]
    return dict(zip(("young", "middleage", "old"), map(float, shares), strict=True))


def texture(person: Person) -> npt.NDArray[np.uint8]:
    """[512, 512, 4] sRGB-like (gamma 2.2) RGBA in the layout of the body's texture coordinates."""
    blend = np.zeros((SIZE, SIZE, 3), np.float32)
    total = 0.0
    sex = "female" if person.sex == "woman" else "male"
    for age, age_share in _age_shares(person.age).items():
        for heritage, share in person.heritage.items():
            weight = age_share * share
            if weight > 0.03:
                names = _maps()[f"{age}_{heritage}_{sex}"]
                blend += weight * _linear(names[person.skin_variant % len(names)])
                total += weight
    blend /= total
    lightness, red, yellow = person.skin_shift
    mean = float((blend[_face()] @ LUMINANCE).mean())
    gain = TONE_LUMINANCE[person.skin_tone] / mean * np.exp(lightness)
    # Darker skin is redder and more saturated than a light map scaled down would be.
    hue = np.array([1.0 + red - 0.02 * np.log(gain), 1.0, 1.0 - yellow + 0.06 * np.log(gain)], np.float32)
    coloured = np.clip(blend * gain * hue, 0, 1) ** (1 / 2.2)
    return np.dstack([coloured * 255 + 0.5, np.full((SIZE, SIZE), 255)]).astype(np.uint8)
