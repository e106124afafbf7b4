"""Person + shot -> everything that is drawn, and the points whose place the truth states."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from training.people import assets, body, colours, glasses, jewellery, shells, wardrobe
from training.people.assets import Floats, Ints
from training.people.builder import Builder
from training.people.parts import Material, Mesh, Part
from training.people.person import Person
from training.people.shot import Shot

EYE_RADIUS_DM = 0.14  # from the centre of an eye ball to its surface
NECKLINES = ("crew", "v", "scoop", "boat", "turtleneck", "tank", "square")  # order of common.glsl
PATTERNS = ("plain", "striped", "checked", "dotted", "knitted", "denim")  # order of portrait.frag
HEADWEAR = ("", "fedora", "beanie", "headband", "headscarf")  # order of common.glsl
FUR_UNDER_HAT_DM = 0.08


@dataclass(frozen=True)
class Scene:
    """What the renderer needs of a person in a shot."""

    meshes: list[Mesh]
    keypoints: Floats  # [5, 3]: eye, eye, nose, mouth corner, mouth corner, the viewer's left first
    landmarks: Floats  # [468, 3] in MediaPipe's order
    units: dict[str, float]  # ARKit units of the face
    covers: dict[str, int]  # neckline and headwear for the shader


@lru_cache(maxsize=1)
def _ears() -> tuple[Ints, Ints]:
    """(lobes [2], upper roots [2]) as body vertices, the person's left first."""
    at, ear = assets.load().vertices, np.flatnonzero(body.is_ear())
    sides = (ear[at[ear, 0] > 0], ear[at[ear, 0] < 0])
    lobes = [side[np.argmin(at[side, 1])] for side in sides]
    roots = [side[np.argmax(at[side, 1] - 0.8 * np.abs(at[side, 0]))] for side in sides]
    return np.array(lobes, np.int32), np.array(roots, np.int32)


def build(person: Person, shot: Shot) -> Scene:
    """All meshes of a picture, in camera-aligned space (x right, y up, z to the camera), dm."""
    make = Builder(person, shot)
    outfit = wardrobe.OUTFITS[shot.outfit]
    hidden = make.data.proxies[f"clothes/{outfit.mesh}"].hides if outfit.mesh else np.zeros(0, bool)
    make.skin(hidden)
    iris = [name.split("/")[-1] for name in make.data.proxies["eyes/HighPolyEyes"].textures]
    make.proxy("eyes/HighPolyEyes", Material.EYE, Part.EYE, iris.index(f"{person.eye_colour}_eye.png"))
    make.proxy("teeth/Teeth_Base", Material.TEETH, Part.TEETH)
    make.proxy("tongue/tongue01", Material.TONGUE, Part.TONGUE)
    brow_colour = tuple(0.75 * c for c in make.hair_colour) if person.hair_colour not in ("blue", "pink") else colours.HAIR["dark brown"]
    make.proxy(f"eyebrows/{person.brow}", Material.BROW, Part.BROW, colour=brow_colour, values={"spec": person.brow_strength}, casts=False)
    lashes = "Eyelashes01" if person.sex == "man" else "eyelashes02"
    make.proxy(f"eyelashes/{lashes}", Material.BROW, Part.EYE, colour=(0.02, 0.015, 0.012), values={"spec": 1.0}, casts=False)
    _dress(make, outfit)
    _adorn(make)
    return Scene(make.meshes, _keypoints(make), _landmarks(make), make.units, _covers(make, outfit))


def _dress(make: Builder, outfit: wardrobe.Outfit) -> None:
    if outfit.mesh:
        make.proxy(f"clothes/{outfit.mesh}", Material.CLOTH, Part.CLOTH)
    else:
        colour = (0.045, 0.085, 0.19) if outfit.pattern == "denim" else make.outfit_colour
        make.shell(
            shells.garment(), outfit.ease_dm, Material.GARMENT, Part.CLOTH, colour,
            pattern=PATTERNS.index(outfit.pattern), pattern_colour=make.pattern_colour,
        )  # fmt: skip


def _adorn(make: Builder) -> None:
    """Hair, beard, hat, glasses, earrings."""
    person, shot, hair = make.person, make.shot, make.hair
    if make.hat and make.hat.mesh:
        make.proxy(f"clothes/{make.hat.mesh}", Material.CLOTH, Part.HAT, 2, colour=tuple(2.2 * c for c in make.hat_colour))
    elif make.hat:
        ease = {"beanie": 0.10, "headband": 0.05, "headscarf": 0.07}[make.hat.kind]
        make.shell(shells.headwear(), ease, Material.HEADWEAR, Part.HAT, make.hat_colour)
    if hair.mesh and not (make.hat and make.hat.kind == "headscarf"):
        values = {"cut_below": hair.cut_below or -100.0, "fringe": int(hair.fringe), "fur_curl": hair.curl}
        make.proxy(f"hair/{hair.mesh}", Material.HAIR, Part.HAIR, colour=make.hair_colour, values=values)
    if hair.fur_dm:
        length = min(hair.fur_dm, FUR_UNDER_HAT_DM) if make.hat else hair.fur_dm
        make.fur(shells.scalp(), 1, Part.HAIR, length, hair.curl, hair.receding)
    beard = wardrobe.BEARDS[person.beard]
    if beard.fur_dm:
        make.fur(shells.lower_face(), 2, Part.BEARD, beard.fur_dm, 0.0, 0.0)
    lobes, roots = _ears()
    if shot.glasses:
        eyes = [make.calm[make.data.joints[f"{side}-eye"]].mean(0) for side in "lr"]
        bridge = make.calm[_nose_bridge(), 2]
        style = person.glasses if shot.glasses == "glasses" else "square"
        frame, lenses = glasses.spectacles(style, eyes[0], eyes[1], float(bridge), make.calm[roots])
        frame_colour = colours.FRAME[person.glasses_colour if shot.glasses == "glasses" else "black"]
        make.loose(frame, Material.FRAME, Part.GLASSES, frame_colour)
        dark = shot.glasses == "sunglasses"
        make.loose(lenses, Material.LENS, Part.GLASSES, (0.2, 0.16, 0.12) if dark else (0.9, 0.9, 0.9), spec=0.86 if dark else 0.05)
    if shot.earrings and not (make.hat and make.hat.kind == "headscarf"):
        make.loose(jewellery.earrings(shot.earrings, make.body[lobes]), Material.METAL, Part.EARRING, (0.72, 0.52, 0.20))


@lru_cache(maxsize=1)
def _nose_bridge() -> int:
    """The body vertex between the eyes: MediaPipe's point 168."""
    corners, weights = assets.load().landmarks
    return int(corners[168][np.argmax(weights[168])])


def _landmarks(make: Builder) -> Floats:
    corners, weights = make.data.landmarks
    return np.asarray((make.posed[corners] * weights[..., None]).sum(1), np.float32)


def _keypoints(make: Builder) -> Floats:
    """Eye balls' surfaces, tip of the nose, corners of the mouth; the viewer's left is the person's right."""
    landmarks = _landmarks(make)
    front = make.pose.head[:, 2] * EYE_RADIUS_DM
    eyes = [make.posed[make.data.joints[f"{side}-eye"]].mean(0) + front for side in "rl"]
    return np.asarray(np.stack([*eyes, landmarks[4], landmarks[61], landmarks[291]]), np.float32)


def _covers(make: Builder, outfit: wardrobe.Outfit) -> dict[str, int]:
    kind = "" if make.hat is None else ("fedora" if make.hat.mesh else make.hat.kind)
    return {"neckline": -1 if outfit.mesh else NECKLINES.index(outfit.neckline), "headwear": HEADWEAR.index(kind)}
