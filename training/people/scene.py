"""Person + shot -> everything that is drawn, and the points whose place the truth states."""

from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from training.people import assets, body, colours, glasses, jewellery, shells, skin, wardrobe
from training.people.assets import Floats, Ints
from training.people.mesh import Topology
from training.people.person import Person
from training.people.shot import Shot

EYE_RADIUS_DM = 0.14  # from the centre of an eye ball to its surface
NECKLINES = ("crew", "v", "scoop", "boat", "turtleneck", "tank", "square")  # order of common.glsl
PATTERNS = ("plain", "striped", "checked", "dotted", "knitted", "denim")  # order of portrait.frag
HEADWEAR = ("", "fedora", "beanie", "headband", "headscarf")  # order of common.glsl
FUR_LAYER_DM = 0.022  # layers of fur lie this far apart
FUR_UNDER_HAT_DM = 0.08


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


@dataclass(frozen=True)
class Scene:
    """What the renderer needs of a person in a shot."""

    meshes: list[Mesh]
    keypoints: Floats  # [5, 3]: eye, eye, nose, mouth corner, mouth corner, the viewer's left first
    landmarks: Floats  # [468, 3] in MediaPipe's order
    units: dict[str, float]  # ARKit units of the face
    covers: dict[str, int]  # neckline and headwear for the shader


@lru_cache(maxsize=64)
def _topology(proxy: str) -> Topology:
    fitted = assets.load().proxies[proxy]
    return Topology.of(fitted.faces, fitted.face_uv, fitted.uv, len(fitted.refs))


@lru_cache(maxsize=64)
def _proxy_rest(proxy: str) -> Floats:
    return assets.load().proxies[proxy].fit(assets.load().vertices)


@lru_cache(maxsize=1)
def _ears() -> tuple[Ints, Ints]:
    """(lobes [2], upper roots [2]) as body vertices, the person's left first."""
    at, ear = assets.load().vertices, np.flatnonzero(body.is_ear())
    sides = (ear[at[ear, 0] > 0], ear[at[ear, 0] < 0])
    lobes = [side[np.argmin(at[side, 1])] for side in sides]
    roots = [side[np.argmax(at[side, 1] - 0.8 * np.abs(at[side, 0]))] for side in sides]
    return np.array(lobes, np.int32), np.array(roots, np.int32)


def _rows(position: Floats, normal: Floats, rest: Floats, tangent: Floats, uv: Floats) -> Floats:
    return np.hstack([position, normal, rest, tangent, uv]).astype(np.float32)


class _Builder:
    """Gathers the meshes of one picture."""

    def __init__(self, person: Person, shot: Shot) -> None:
        self.person, self.shot = person, shot
        self.data = assets.load()
        self.units = body.expression_units(person, shot)
        self.calm = body.shaped(person.seed)
        self.body = body.expressed(self.calm, self.units)
        self.pose = body.Pose(self.calm, shot)
        self.share = self.data.head_rotation
        self.posed = self.pose.apply(self.body, self.share)
        self.meshes: list[Mesh] = []
        tint = np.random.default_rng(shot.tint_seed)
        self.outfit_colour = colours.jittered(colours.CLOTH[shot.outfit_colour], tint)
        self.hat_colour = colours.jittered(colours.CLOTH[shot.hat_colour], tint)
        light = sum(self.outfit_colour) > 0.5
        self.pattern_colour = tuple(c * 0.35 for c in self.outfit_colour) if light else tuple(0.45 + 0.5 * c for c in self.outfit_colour)
        self.hair = wardrobe.HAIR[person.hair]
        self.hair_colour = colours.HAIR[person.hair_colour]
        self.hat = wardrobe.HATS[shot.hat] if shot.hat else None

    def skin(self, hidden: npt.NDArray[np.bool_]) -> None:
        topology = body.topology()
        normal = topology.normals(self.posed)
        rows = _rows(
            self.posed[topology.source], normal[topology.source], self.data.vertices[topology.source], 0 * normal[topology.source], topology.uv
        )
        triangles = topology.triangles
        if len(hidden) >= 13380:
            triangles = triangles[~hidden[topology.point_triangles].all(1)]
        person, makeup = self.person, self.shot.makeup
        beard = wardrobe.BEARDS[person.beard]
        woman = person.sex == "woman"
        values: dict[str, object] = {
            "freckles": person.freckles,
            "blush": person.blush * 0.6 + (0.4 if makeup == "full" else 0),
            "lipstick": {"none": 0.0, "lipstick": 0.95, "full": 0.85}[makeup],
            "eye_shadow": 0.9 if makeup == "full" else 0.0,
            "oiliness": person.oiliness,
            "stubble": (0.9 if person.beard != "none" else 0.0) if not woman else 0.0,
            "beard": (beard.cheeks, beard.chin, beard.lip),
            "beard_colour": self.hair_colour,
            "fur_place": 1 if self.hair.fur_dm else 0,
            "fur_level": -1.0,
            "fur_receding": self.hair.receding,
            "moles": np.array([[*mole, 0] for mole in person.moles] + [[0, 0, 0, 0]] * (6 - len(person.moles)), np.float32),
        }
        self.meshes.append(Mesh(rows, triangles, Material.SKIN, Part.SKIN, "skin", values=values))
        self.normal = normal

    def proxy(self, name: str, material: Material, part: Part, texture: int = 0, **more: object) -> None:
        """A fitted mesh, posed with the body."""
        fitted, topology = self.data.proxies[name], _topology(name)
        rest = fitted.fit(self.body)
        if name == "eyes/HighPolyEyes":
            rest = self._looking(rest)
        if material == Material.HAIR:
            rest = self._styled(rest)
        posed = self.pose.apply(rest, fitted.share(self.share))
        normal = topology.normals(posed)
        tangent = topology.tangents(posed) if material == Material.HAIR else np.zeros((len(topology.source), 3), np.float32)
        rows = _rows(posed[topology.source], normal[topology.source], _proxy_rest(name)[topology.source], tangent, topology.uv)
        self.meshes.append(Mesh(rows, topology.triangles, material, part, fitted.textures[texture], **more))  # type: ignore[arg-type]

    def _looking(self, eyes: Floats) -> Floats:
        yaw, pitch = body.eye_turn(self.shot)
        rotation = body.turn(yaw, pitch, 0).astype(np.float32)
        turned = eyes.copy()
        for side in (eyes[:, 0] > 0, eyes[:, 0] <= 0):
            centre = eyes[side].mean(0)
            turned[side] = (eyes[side] - centre) @ rotation.T + centre
        return turned

    def _styled(self, hair: Floats) -> Floats:
        centre = self.calm[self.data.joints["head"]].mean(0)
        hair = centre + (hair - centre) * np.float32(self.person.hair_volume)
        if self.person.hair_mirrored:
            hair = hair * np.array([-1, 1, 1], np.float32)
        return np.asarray(hair, np.float32)

    def shell(self, shell: shells.Shell, ease_dm: float, material: Material, part: Part, colour: colours.RGB, **values: object) -> None:
        """A garment or headwear of ours."""
        topology = shell.topology
        normal = body.topology().normals(self.calm)
        lifted = shell.over(self.calm if material == Material.GARMENT else self.body, normal, ease_dm)
        posed = self.pose.apply(lifted, self.share)
        facing = topology.normals(posed)[topology.source]
        rows = _rows(posed[topology.source], facing, self.data.vertices[topology.source], 0 * facing, topology.uv)
        self.meshes.append(Mesh(rows, topology.triangles, material, part, colour=colour, values=values))

    def fur(self, topology: Topology, place: int, part: Part, length_dm: float, curl: float, receding: float) -> None:
        """Layers of short hair standing off the skin."""
        facing = self.normal[topology.source]
        rows = _rows(self.posed[topology.source], facing, self.data.vertices[topology.source], 0 * facing, topology.uv)
        beard = wardrobe.BEARDS[self.person.beard]
        values: dict[str, object] = {
            "fur_place": place,
            "fur_curl": curl,
            "fur_receding": receding,
            "beard": (beard.cheeks, beard.chin, beard.lip),
        }
        lifts = tuple(float(x) for x in np.linspace(0.12, 1, max(5, round(length_dm / FUR_LAYER_DM))) * length_dm)
        self.meshes.append(Mesh(rows, topology.triangles, Material.FUR, part, colour=self.hair_colour, values=values, lifts=lifts, casts=False))

    def loose(self, geometry: tuple[Floats, Ints], material: Material, part: Part, colour: colours.RGB, **values: object) -> None:
        """Geometry of ours that moves with the head."""
        points, triangles = geometry
        posed = self.pose.apply(points, np.ones(len(points), np.float32))
        topology = Topology(np.arange(len(points), dtype=np.int32), np.zeros((len(points), 2), np.float32), triangles, triangles, len(points))
        normal = topology.normals(posed)
        rows = _rows(posed, normal, points, 0 * normal, topology.uv)
        self.meshes.append(Mesh(rows, triangles, material, part, colour=colour, values=values, casts=material != Material.LENS))


def build(person: Person, shot: Shot) -> Scene:
    """All meshes of a picture, in camera-aligned space (x right, y up, z to the camera), dm."""
    make = _Builder(person, shot)
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
    make.proxy(f"eyelashes/{lashes}", Material.BROW, Part.BROW, colour=(0.02, 0.015, 0.012), values={"spec": 1.0}, casts=False)
    _dress(make, outfit)
    _adorn(make)
    return Scene(make.meshes, _keypoints(make), _landmarks(make), make.units, _covers(make, outfit))


def _dress(make: _Builder, outfit: wardrobe.Outfit) -> None:
    if outfit.mesh:
        make.proxy(f"clothes/{outfit.mesh}", Material.CLOTH, Part.CLOTH)
    else:
        colour = (0.045, 0.085, 0.19) if outfit.pattern == "denim" else make.outfit_colour
        make.shell(
            shells.garment(), outfit.ease_dm, Material.GARMENT, Part.CLOTH, colour,
            pattern=PATTERNS.index(outfit.pattern), pattern_colour=make.pattern_colour,
        )  # fmt: skip


def _adorn(make: _Builder) -> None:
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


def _landmarks(make: _Builder) -> Floats:
    corners, weights = make.data.landmarks
    return np.asarray((make.posed[corners] * weights[..., None]).sum(1), np.float32)


def _keypoints(make: _Builder) -> Floats:
    """Eye balls' surfaces, tip of the nose, corners of the mouth; the viewer's left is the person's right."""
    landmarks = _landmarks(make)
    front = make.pose.head[:, 2] * EYE_RADIUS_DM
    eyes = [make.posed[make.data.joints[f"{side}-eye"]].mean(0) + front for side in "rl"]
    return np.asarray(np.stack([*eyes, landmarks[4], landmarks[61], landmarks[291]]), np.float32)


def _covers(make: _Builder, outfit: wardrobe.Outfit) -> dict[str, int]:
    kind = "" if make.hat is None else ("fedora" if make.hat.mesh else make.hat.kind)
    return {"neckline": -1 if outfit.mesh else NECKLINES.index(outfit.neckline), "headwear": HEADWEAR.index(kind)}


def skin_texture(person: Person) -> npt.NDArray[np.uint8]:
    """[512, 512, 4] uint8: the texture named "skin"."""
    return skin.texture(person)
