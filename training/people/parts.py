"""What a scene is made of: meshes, how each is shaded, and what its pixels are called in the part map."""

from dataclasses import dataclass, field
from enum import IntEnum

from training.people.assets import Floats, Ints


class Material(IntEnum):
    """How a mesh is shaded; the numbers are those of portrait.frag."""

    SKIN = 0
    EYE = 1
    HAIR = 2
    BROW = 3
    CLOTH = 4
    TEETH = 5
    TONGUE = 6
    FRAME = 7
    LENS = 8
    GARMENT = 9
    HEADWEAR = 10
    METAL = 11
    FUR = 12


class Part(IntEnum):
    """What a pixel shows: the values of the part map."""

    BACKGROUND = 0
    SKIN = 1
    EYE = 2
    HAIR = 3
    BROW = 4
    LIPS = 5
    TEETH = 6
    TONGUE = 7
    CLOTH = 8
    GLASSES = 9
    HAT = 10
    EARRING = 11
    BEARD = 12


@dataclass(frozen=True)
class Mesh:
    """One thing to draw. Per vertex: position, normal, rest place, strand direction [n, 3] and texture place [n, 2]."""

    vertices: Floats  # [n, 14] float32: position 3, normal 3, rest 3, tangent 3, uv 2
    triangles: Ints  # [t, 3]
    material: Material
    part: Part
    texture: str = ""  # "" white, "skin" the person's, else an asset's name
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    values: dict[str, object] = field(default_factory=dict)  # further uniforms
    lifts: tuple[float, ...] = (0.0,)  # drawn once per lift along its normal, dm
    casts: bool = True
