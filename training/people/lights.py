"""Light set-ups, as data. Directions are seen from the camera: azimuth 0 in front, positive to the viewer's right."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.people.colours import RGB

SIDE_FROM_DEG = 40.0  # from this azimuth on, the words say which side the light comes from


@dataclass(frozen=True)
class Light:
    """A key light with a shadow, a fill light without, and light from all around."""

    words: tuple[str, ...]
    azimuth: float  # degrees, before the shot's side is applied
    elevation: float  # degrees above the eyes
    key: RGB
    power: float
    ambient: RGB
    ambient_power: float
    fill: RGB = (0.0, 0.0, 0.0)  # from the other side
    rim: float = 0.3
    softness: float = 2.0  # width of the shadow's edge

    @property
    def has_side(self) -> bool:
        return abs(self.azimuth) >= SIDE_FROM_DEG

    def direction(self, side: int) -> npt.NDArray[np.float64]:
        """[3] unit vector from the face towards the key light, in camera space (x right, y up, z to the camera)."""
        azimuth, elevation = np.deg2rad([self.azimuth * side, self.elevation])
        return np.array([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])


LIGHTS: dict[str, Light] = {
    "studio": Light(("soft studio light", "soft even studio lighting"), 26, 32, (1, 0.97, 0.93), 2.0, (0.55, 0.57, 0.60), 0.75, softness=3.0),
    "window": Light(("warm window light", "warm light through a window"), 62, 22, (1, 0.78, 0.54), 2.9, (0.46, 0.40, 0.37), 0.55),
    "overcast": Light(("soft overcast daylight", "grey overcast light"), 15, 65, (0.90, 0.95, 1), 1.5, (0.60, 0.66, 0.74), 1.0, softness=4.0),
    "sun": Light(("bright sunlight", "bright daylight"), 28, 50, (1, 0.96, 0.88), 3.4, (0.55, 0.68, 0.90), 0.75, rim=0.2, softness=0.9),
    "side": Light(("dramatic side light", "hard side light"), 78, 14, (1, 0.94, 0.87), 3.4, (0.30, 0.32, 0.37), 0.55, rim=0.5, softness=1.1),
    "evening": Light(("dim evening light", "low evening light"), -34, 18, (1, 0.68, 0.42), 1.7, (0.28, 0.28, 0.40), 0.60, rim=1.2),
    "golden": Light(("golden hour sunlight", "low golden sunlight"), 58, 10, (1, 0.62, 0.28), 3.3, (0.50, 0.44, 0.50), 0.60, rim=0.9, softness=1.2),
    "beauty": Light(("beauty light from above", "high frontal beauty light"), 0, 52, (1, 0.98, 0.96), 2.6, (0.52, 0.52, 0.54), 0.65, softness=2.6),
    "below": Light(("candlelight from below", "warm light from below"), 12, -34, (1, 0.58, 0.26), 2.3, (0.30, 0.26, 0.27), 0.55, softness=2.4),
    "neon": Light(
        ("pink and blue neon light", "colourful neon light"), 55, 12, (1, 0.42, 0.70), 2.2, (0.50, 0.47, 0.56), 0.65, fill=(0.16, 0.34, 0.8), rim=0.8
    ),
    "moon": Light(("cold moonlight", "dim blue moonlight"), 45, 42, (0.52, 0.68, 1), 1.9, (0.24, 0.32, 0.50), 0.70, rim=0.6, softness=1.6),
    "flash": Light(("direct camera flash", "hard frontal flash"), 4, 8, (1, 1, 1), 2.5, (0.40, 0.40, 0.42), 0.45, rim=0.1, softness=0.7),
    "back": Light(
        ("light from behind", "backlight with a glowing rim"), 26, 28, (0.95, 0.95, 1), 0.9, (0.62, 0.62, 0.64), 0.75, rim=3.0, softness=3.0
    ),
    "flat": Light(("flat shadowless light", "even shadowless light"), 0, 40, (1, 1, 1), 0.8, (0.92, 0.92, 0.92), 1.05, rim=0.1, softness=5.0),
}
