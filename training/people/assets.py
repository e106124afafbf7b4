"""The prepared assets as typed arrays: body, targets, fitted meshes, textures."""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.people.errors import MissingPiece
from training.people.packages import asset_folder
from training.people.prepare import CACHE_FILE

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
LANDMARK_FILE = Path(__file__).with_name("landmarks.json")


@dataclass(frozen=True)
class Target:
    """A sparse change of shape: vertices `at` [n] move `by` [n, 3] dm at strength 1."""

    at: Ints
    by: Floats


@dataclass(frozen=True)
class Proxy:
    """A mesh fitted to the body: vertex = sum(weights [n, 3] * body[refs [n, 3]]) + offsets [n, 3] dm."""

    faces: Ints
    face_uv: Ints
    uv: Floats
    refs: Ints
    weights: Floats
    offsets: Floats
    hides: npt.NDArray[np.bool_]
    textures: tuple[str, ...]

    def fit(self, body: Floats) -> Floats:
        """Positions [n, 3] on a body [V, 3]."""
        return np.asarray((body[self.refs] * self.weights[..., None]).sum(1) + self.offsets, np.float32)

    def share(self, per_vertex: Floats) -> Floats:
        """A per-vertex number of the body [V], carried to the fitted vertices [n]."""
        return np.asarray(np.clip((per_vertex[self.refs] * self.weights).sum(1), 0, 1), np.float32)


class Assets:
    """Lazy view of the asset cache; arrays are read when first used."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise MissingPiece(f"{path.name} is not in {path.parent.name}/: run `python -m training.people assets` first")
        self._file = np.load(path)
        self._textures: dict[str, npt.NDArray[np.uint8]] = {}
        self.vertices: Floats = self._file["vertices"]
        self.uv: Floats = self._file["uv"]
        self.faces: Ints = self._file["faces"]
        self.face_uv: Ints = self._file["face_uv"]
        self.face_is_body: npt.NDArray[np.bool_] = self._file["face_is_body"]
        self.head_rotation: Floats = self._file["head_rotation"]

    @cached_property
    def targets(self) -> dict[str, Target]:
        names = [key[7:-3] for key in self._file.files if key.startswith("target/") and key.endswith("/at")]
        return {name: Target(self._file[f"target/{name}/at"], self._file[f"target/{name}/by"]) for name in names}

    @cached_property
    def joints(self) -> dict[str, Ints]:
        return {key[6:]: self._file[key] for key in self._file.files if key.startswith("joint/")}

    @cached_property
    def proxies(self) -> dict[str, Proxy]:
        names = sorted({"/".join(key.split("/")[1:3]) for key in self._file.files if key.startswith("proxy/")})
        return {name: self._proxy(f"proxy/{name}/") for name in names}

    def _proxy(self, prefix: str) -> Proxy:
        arrays = {name: self._file[prefix + name] for name in ("faces", "face_uv", "uv", "refs", "weights", "offsets", "hides")}
        return Proxy(**arrays, textures=tuple(str(texture) for texture in self._file[prefix + "textures"]))

    @cached_property
    def texture_names(self) -> tuple[str, ...]:
        return tuple(sorted(key[8:] for key in self._file.files if key.startswith("texture/")))

    def texture(self, name: str) -> npt.NDArray[np.uint8]:
        """An image [h, w, 4], RGBA."""
        if name not in self._textures:
            self._textures[name] = self._file[f"texture/{name}"]
        return self._textures[name]

    def mask(self, name: str) -> npt.NDArray[np.uint8]:
        """A mask [1024, 1024] over the body's texture coordinates."""
        return np.asarray(self._file[f"mask/{name}"])

    @cached_property
    def landmarks(self) -> tuple[Ints, Floats]:
        """468 points in MediaPipe's order: three body vertices [468, 3] and their weights [468, 3]."""
        data = json.loads(LANDMARK_FILE.read_text())
        return np.array(data["vertices"], np.int32), np.array(data["weights"], np.float32)


@lru_cache(maxsize=1)
def load(folder: Path | None = None) -> Assets:
    """The assets of `folder` (default: `packages.asset_folder()`). Raises MissingPiece if they are not prepared."""
    return Assets((folder or asset_folder()) / CACHE_FILE)
