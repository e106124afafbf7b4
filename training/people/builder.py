"""Gathers the meshes of one picture: skin, fitted meshes, shells, fur and loose geometry, all in the shot's pose."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from training.people import assets, body, colours, shells, wardrobe
from training.people.assets import Floats, Ints
from training.people.mesh import Topology
from training.people.parts import Material, Mesh, Part
from training.people.person import Person
from training.people.shot import Shot

FUR_LAYER_DM = 0.022  # layers of fur lie this far apart
SUNK_DM = 0.1  # how much lower the scalp lies under a hair mesh, or it comes through


@lru_cache(maxsize=64)
def _topology(proxy: str) -> Topology:
    fitted = assets.load().proxies[proxy]
    return Topology.of(fitted.faces, fitted.face_uv, fitted.uv, len(fitted.refs))


@lru_cache(maxsize=64)
def _proxy_rest(proxy: str) -> Floats:
    return assets.load().proxies[proxy].fit(assets.load().vertices)


def _rows(position: Floats, normal: Floats, rest: Floats, tangent: Floats, uv: Floats) -> Floats:
    return np.hstack([position, normal, rest, tangent, uv]).astype(np.float32)


class Builder:
    """Gathers the meshes of one picture."""

    def __init__(self, person: Person, shot: Shot) -> None:
        self.person, self.shot = person, shot
        self.data = assets.load()
        self.units = body.expression_units(person, shot)
        self.calm = body.shaped(person)
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
        posed = self.posed - SUNK_DM * shells.under_hair()[:, None] * normal if self.hair.mesh else self.posed
        rows = _rows(posed[topology.source], normal[topology.source], self.data.vertices[topology.source], 0 * normal[topology.source], topology.uv)
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
            "fur_place": 1 if self.hair.fur_dm or self.hair.mesh else 0,
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
