"""Scene -> picture and per-pixel truth, with OpenGL on the CPU (Mesa llvmpipe through EGL)."""

import os
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import numpy.typing as npt

from training.people import assets, backgrounds, camera, develop, scene, skin
from training.people.assets import Floats
from training.people.camera import Stand
from training.people.errors import InvalidRequest, MissingPiece
from training.people.lights import LIGHTS
from training.people.parts import Material, Mesh, Part
from training.people.person import Person
from training.people.scene import Scene
from training.people.shot import Shot

SIZES = (256, 512)  # pixels
SUPERSAMPLING = 2
SHADOW_SIZE = 1024  # texels
SHADER_FOLDER = Path(__file__).with_name("shaders")
DEFAULTS: dict[str, object] = {
    "lift": 0.0, "cut_below": -100.0, "fringe": 0, "pattern": 0, "pattern_colour": (0, 0, 0), "spec": 1.0, "fur_level": 0.0, "fur_curl": 0.0,
    "fur_receding": 0.0, "fur_place": 0, "freckles": 0.0, "blush": 0.0, "lipstick": 0.0, "eye_shadow": 0.0, "oiliness": 0.5, "stubble": 0.0,
    "beard": (0, 0, 0), "beard_colour": (0, 0, 0), "moles": np.zeros((6, 4), np.float32),
}  # fmt: skip
"""Uniforms of a mesh that does not say otherwise."""


class Pass(IntEnum):
    """What is drawn one after another; the numbers are those of portrait.frag."""

    SOLID = 0
    BLENDED = 1  # strands, brows and lenses, over the solid
    TRUTH = 2  # brows, which are never solid, into the truth only


@dataclass(frozen=True)
class Picture:
    """A portrait and what is true of every pixel of it. H = W = 256 or 512."""

    image: npt.NDArray[np.uint8]  # [H, W, 3] RGB
    parts: npt.NDArray[np.uint8]  # [H, W] values of parts.Part
    face: npt.NDArray[np.bool_]  # [H, W] skin, eyes, brows, lips, mouth of the face
    person: npt.NDArray[np.uint8]  # [H, W] 0..255 share of the pixel that the person covers
    depth: Floats  # [H, W] dm from the camera, 0 where there is no person
    normals: Floats  # [H, W, 3] unit vectors in camera space, 0 where there is no person
    keypoints: Floats  # [5, 2] pixels: eyes, nose, mouth corners, the viewer's left first
    landmarks: Floats  # [468, 2] pixels, MediaPipe's order
    units: dict[str, float]  # ARKit units
    camera: Floats  # [4, 4] from scene (dm) to clip space


class Renderer:
    """An OpenGL context for pictures of one size. One per process; not for threads.

    Raises InvalidRequest for an unknown size, MissingPiece where no EGL driver is installed.
    """

    def __init__(self, size: int = 256) -> None:
        if size not in SIZES:
            raise InvalidRequest(f"size is {size}; choose one of: {', '.join(map(str, SIZES))}")
        os.environ.setdefault("LP_NUM_THREADS", "1")
        try:
            self._gl = moderngl.create_context(standalone=True, backend="egl")  # type: ignore[arg-type]  # its stub is wrong
        except Exception as error:  # moderngl raises bare Exception where EGL or its driver is missing
            raise MissingPiece(f"no OpenGL over EGL: {error}; run `sh scripts/install-debian-packages.sh`") from error
        self.size = size
        self._draw_size = size * SUPERSAMPLING
        common = (SHADER_FOLDER / "common.glsl").read_text()
        vertex, fragment, shadow = ((SHADER_FOLDER / name).read_text() for name in ("portrait.vert", "portrait.frag", "shadow.frag"))
        self._shade = self._gl.program("#version 330\n" + vertex, "#version 330\n" + common + fragment)
        self._cast = self._gl.program("#version 330\n" + vertex, "#version 330\n" + common + shadow)
        pixels = (self._draw_size, self._draw_size)
        targets = [self._gl.texture(pixels, 4, dtype=kind) for kind in ("f2", "f4", "f2")]
        depth = self._gl.depth_renderbuffer(pixels)
        self._frame = self._gl.framebuffer(targets, depth)
        self._truth_frame = self._gl.framebuffer([self._gl.texture(pixels, 4, dtype="f2"), *targets[1:]], depth)  # leaves the colours alone
        self._shadow = self._gl.depth_texture((SHADOW_SIZE, SHADOW_SIZE))
        self._shadow.compare_func = "<="
        self._shadow.repeat_x = self._shadow.repeat_y = False
        self._shadow_frame = self._gl.framebuffer([], self._shadow)
        self._textures: dict[str, moderngl.Texture] = {"": self._upload(np.full((1, 1, 4), 255, np.uint8))}
        self._lips = self._upload(assets.load().mask("lips")[..., None])
        self._skin_of: Person | None = None

    def _upload(self, image: npt.NDArray[np.uint8]) -> moderngl.Texture:
        # No anisotropic filter: llvmpipe hung on it for one picture in some thousands.
        texture = self._gl.texture((image.shape[1], image.shape[0]), image.shape[2], np.ascontiguousarray(image).tobytes())
        texture.build_mipmaps()
        return texture

    def _texture(self, name: str, person: Person) -> moderngl.Texture:
        if name == "skin" and self._skin_of != person:
            if "skin" in self._textures:
                self._textures.pop("skin").release()
            self._textures["skin"] = self._upload(skin.texture(person))
            self._skin_of = person
        elif name not in self._textures:
            self._textures[name] = self._upload(assets.load().texture(name))
        return self._textures[name]

    def picture(self, person: Person, shot: Shot) -> Picture:
        """Draw a person in a shot. The same pair gives the same bytes, whatever was drawn before."""
        view = scene.build(person, shot)
        stand = camera.stand(view, shot)
        shared = self._shared(person, shot, view, stand)
        with self._gl:  # another renderer's context may be the current one
            colour, truth, facing = self._draw(view, person, shared)
        return self._finish(view, shot, stand, colour, truth, facing)

    def _shared(self, person: Person, shot: Shot, view: Scene, stand: Stand) -> dict[str, object]:
        light = LIGHTS[shot.light]
        grain = np.random.default_rng([person.texture_seed, 3]).uniform(0, 50, 3)
        values: dict[str, object] = {
            "camera": np.ascontiguousarray(stand.camera.T, np.float32),
            "sun": np.ascontiguousarray(stand.sun.T, np.float32),
            "eye": stand.eye,
            "key_direction": light.direction(shot.light_side),
            "key": np.array(light.key) * light.power * 0.62 * shot.light_gain,
            "fill": np.array(light.fill) * shot.light_gain,
            "ambient": np.array(light.ambient) * light.ambient_power * shot.light_gain,
            "rim": light.rim,
            "softness": light.softness,
            "grain": grain,
            "shadow_map": 1,
            "lip_mask": 2,
            "image": 0,
        }
        return values | view.covers

    def _draw(self, view: Scene, person: Person, shared: dict[str, object]) -> tuple[Floats, Floats, Floats]:
        gl = self._gl
        drawn: list[Any] = [(mesh, *self._buffers(mesh), self._texture(mesh.texture, person)) for mesh in view.meshes]
        gl.enable(moderngl.DEPTH_TEST)
        gl.disable(moderngl.BLEND | moderngl.CULL_FACE)
        self._shadow_frame.use()
        self._shadow_frame.clear(depth=1.0)
        _set(self._cast, shared | {"camera": shared["sun"], "lift": 0.0})
        for mesh, _, cast, _, texture in drawn:
            if mesh.casts:
                texture.use(0)
                _set(self._cast, DEFAULTS | mesh.values | {"material": int(mesh.material)})
                cast.render()
        self._frame.use()
        self._frame.clear(0, 0, 0, 0, depth=1.0)
        _set(self._shade, shared)
        self._shadow.use(1)
        self._lips.use(2)
        self._pass(drawn, Pass.SOLID)
        self._truth_frame.use()
        self._truth_frame.depth_mask = False
        self._pass(drawn, Pass.TRUTH)
        self._frame.use()
        self._frame.depth_mask = False
        truth, facing = self._read(1), self._read(2)
        gl.enable(moderngl.BLEND)
        gl.blend_func = (  # type: ignore[assignment]  # its stub knows two values only
            moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA, moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA,
        )  # fmt: skip
        self._pass(drawn, Pass.BLENDED)
        self._frame.depth_mask = True
        gl.disable(moderngl.BLEND)
        colour = self._read(0)
        for _, shade, cast, buffers, _ in drawn:
            for thing in (shade, cast, *buffers):
                thing.release()
        return colour, truth, facing

    def _buffers(self, mesh: Mesh) -> tuple[moderngl.VertexArray, moderngl.VertexArray, list[moderngl.Buffer]]:
        vertices, triangles = self._gl.buffer(mesh.vertices.tobytes()), self._gl.buffer(np.ascontiguousarray(mesh.triangles, "i4").tobytes())
        shade = self._gl.vertex_array(self._shade, [(vertices, "3f 3f 3f 3f 2f", "position", "normal", "rest", "tangent", "uv")], triangles)
        names = [(name, size) for name, size in (("position", 3), ("normal", 3), ("rest", 3), ("tangent", 3), ("uv", 2))]
        layout = " ".join(f"{size}f" if name in self._cast else f"{4 * size}x" for name, size in names)
        cast = self._gl.vertex_array(self._cast, [(vertices, layout, *(name for name, _ in names if name in self._cast))], triangles)
        return shade, cast, [vertices, triangles]

    def _pass(self, drawn: list[Any], which: Pass) -> None:
        for mesh, shade, _, _, texture in drawn:
            if not _takes_part(mesh, which):
                continue
            texture.use(0)
            values = DEFAULTS | mesh.values
            _set(self._shade, values | {"material": int(mesh.material), "part": int(mesh.part), "colour": mesh.colour, "pass_number": int(which)})
            for layer, lift in enumerate(mesh.lifts):
                if len(mesh.lifts) > 1:
                    _set(self._shade, {"lift": lift, "fur_level": layer / (len(mesh.lifts) - 1)})
                shade.render()

    def _read(self, attachment: int) -> Floats:
        kind = "f4" if attachment == 1 else "f2"
        raw = np.frombuffer(self._frame.read(components=4, attachment=attachment, dtype=kind), np.float32 if kind == "f4" else np.float16)
        return raw.reshape(self._draw_size, self._draw_size, 4)[::-1].astype(np.float32)

    def _finish(self, view: Scene, shot: Shot, stand: Stand, colour: Floats, truth: Floats, facing: Floats) -> Picture:
        size = self.size
        parts = np.rint(truth[..., 0]).astype(np.uint8)
        depth = np.where(truth[..., 3] > 0, truth[..., 1], 0).astype(np.float32)
        shaded = np.clip(np.nan_to_num(colour[..., :3]), 0, 20) * develop.crevices(depth, stand.distance, parts)
        cover = np.clip(develop.smaller(colour[..., 3], size), 0, 1)
        light = LIGHTS[shot.light]
        behind = backgrounds.paint(shot.background, shot.background_colour, shot.background_seed, light, size)
        image = develop.developed(develop.smaller(shaded, size) + behind * (1 - cover[..., None]), shot.background_seed)
        pick = slice(SUPERSAMPLING // 2, None, SUPERSAMPLING)
        parts, depth, normals = parts[pick, pick], depth[pick, pick], facing[pick, pick, :3]
        inside = np.isin(parts, (Part.EYE, Part.BROW, Part.LIPS, Part.TEETH, Part.TONGUE, Part.BEARD))
        face = inside | ((parts == Part.SKIN) & (truth[pick, pick, 2] > 0.5))
        length = np.linalg.norm(normals, axis=2, keepdims=True)
        normals = np.where(length > 0, normals / np.maximum(length, 1e-6), 0).astype(np.float32)
        person = np.rint(cover * 255).astype(np.uint8)
        keypoints, landmarks = (camera.project(points, stand.camera, size) for points in (view.keypoints, view.landmarks))
        return Picture(image, parts, face, person, depth, normals, keypoints, landmarks, view.units, stand.camera.astype(np.float32))


def _takes_part(mesh: Mesh, which: Pass) -> bool:
    if which == Pass.SOLID:
        return mesh.material not in (Material.LENS, Material.BROW)
    if which == Pass.TRUTH:
        return mesh.part == Part.BROW
    return mesh.material in (Material.HAIR, Material.BROW, Material.LENS)


def _set(program: moderngl.Program, values: dict[str, object]) -> None:
    for name, value in values.items():
        if name in program:
            uniform: Any = program[name]
            if isinstance(value, (bool, int, float)):
                uniform.value = value
            else:
                uniform.write(np.asarray(value, np.float32).tobytes())
