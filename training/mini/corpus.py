"""What the generator learns from, computed once for every shard of pictures: faces, words, latents. Each kind in a file of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from omokage.faces import HEAD_TEMPLATE, TEMPLATE, Face, aligned
from omokage.surface import from_the_front, surface
from omokage.system import Infer
from omokage.texture import texture
from tqdm import tqdm

from export.autoencoder import Autoencoder
from export.conditions import SOFT_CELLS
from export.families import MARKS
from export.text_encoder import TextEncoder, encode, load_tokenizer
from export.texture import SIDE, FaceTexture
from training.mini.errors import MissingPiece
from training.mini.pictures import to_tensor
from training.mini.words import captions
from training.people.graders import Graders
from training.people.loader import Dataset
from training.people.shards import Row

Arrays = dict[str, npt.NDArray[Any]]
Indices = npt.NDArray[np.int64]
Maker = Callable[[Dataset, Sequence[Row]], Arrays]
FACE_SIDE = 32  # cells of the face map, per side
TEXTS_AT_ONCE = 32
PICTURES_AT_ONCE = 16
KINDS = ("latents", "faces", "words")
"""The files of a shard; `worn.py` has another."""


FACES = ("seed", "identity", "face", "head", "shape", "texture", "landmarks", "points", "keypoints", "found", "region", "soft")


def face_maker(graders: Graders, infer: Infer) -> Maker:
    """`seed` [n], `identity` [n, 128], `face` and `head` [n, 112, 112, 3], `shape` [n, 468, 3] and `texture` [n, 3, 192, 192] as the server would
    see them (no face: zeros), `landmarks` [n, 468, 2] true, `points` [n, 5, 2] found and `keypoints` [n, 5, 2] true in pixels, `found` [n],
    `region` [n, 32, 32] share of the cell inside the landmarks' hull, 0..255, `soft` [n, 16, 16, 3] mean colours. `infer`: see `face_networks`."""

    def make(data: Dataset, rows: Sequence[Row]) -> Arrays:
        columns: dict[str, list[Any]] = {name: [] for name in FACES}
        for row in rows:
            image, record = data.image(row), data.record(row)
            face = graders.detect(image)
            points = np.array(record["keypoints"], np.float32) if face is None else face[1]
            marks = np.array(record["landmarks"], np.float32)
            hull = cv2.convexHull(marks).round().astype(np.int32)
            region = cv2.fillConvexPoly(np.zeros(image.shape[:2], np.uint8), hull, (255,))
            values = (
                *(row.person, graders.sface(image, points)),
                *(aligned(image, points, template).transpose(1, 2, 0) for template in (TEMPLATE, HEAD_TEMPLATE)),
                *_surface(infer, image, None if face is None else Face(*face, 1.0)),
                *(marks, points, record["keypoints"], face is not None),
                *(cv2.resize(map_, (side, side), interpolation=cv2.INTER_AREA) for map_, side in ((region, FACE_SIDE), (image, SOFT_CELLS))),
            )
            for name, value in zip(columns, values, strict=True):
                columns[name].append(value)
        kinds = {
            "shape": np.float32,
            "landmarks": np.float32,
            "points": np.float32,
            "keypoints": np.float32,
            "face": np.uint8,
            "head": np.uint8,
            "texture": np.uint8,
        }
        return {name: np.array(column, kinds.get(name)) for name, column in columns.items()}

    return make


def _surface(infer: Infer, image: npt.NDArray[np.uint8], face: Face | None) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Shape [468, 3] and texture [3, 192, 192] of 0..255; zeros for no face."""
    if face is None:
        return np.zeros((MARKS, 3), np.float32), np.zeros((3, SIDE, SIDE), np.uint8)
    marks = surface(infer, image, face)
    return from_the_front(marks), (texture(infer, image, face, marks) * 255).round().astype(np.uint8)


def face_networks(folder: Path) -> Infer:
    """`face_landmarks` and `person_mask`, whose graphs lie in a release's folder, and `face_texture`. Raises MissingPiece."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    sessions = {}
    for name in ("face_landmarks", "person_mask"):
        graph = folder / f"{name}.onnx"
        if not graph.exists():
            raise MissingPiece(f"{graph} is not there; make it with `python -m scripts.convert_mediapipe`")
        sessions[name] = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    unfold = FaceTexture()

    def infer(name: str, inputs: Arrays) -> Arrays:
        if name == "face_texture":
            return {"texture": unfold(*(torch.from_numpy(inputs[one]) for one in ("whole_head", "head_landmarks"))).numpy()}
        names = [port.name for port in sessions[name].get_outputs()]
        return dict(zip(names, sessions[name].run(names, inputs), strict=True))

    return infer


def word_maker() -> Maker:
    """`states` [tokens, 384] float16 of all captions one after another, `starts` [n, 6]: where a picture's five captions begin, and the last ends."""
    encoder, tokenizer = TextEncoder(), load_tokenizer()

    def make(data: Dataset, rows: Sequence[Row]) -> Arrays:
        texts = [text for row in rows for text in captions(data.record(row))]
        order = sorted(range(len(texts)), key=lambda k: len(texts[k]))  # alike lengths together: less padding
        states: list[Any] = [None] * len(texts)
        for start in range(0, len(order), TEXTS_AT_ONCE):
            chosen = order[start : start + TEXTS_AT_ONCE]
            for k, found in zip(chosen, encode(encoder, tokenizer, [texts[k] for k in chosen]), strict=True):
                states[k] = found.numpy().astype(np.float16)
        ends = np.cumsum([len(one) for one in states]).reshape(len(rows), -1)
        starts = np.concatenate([np.concatenate([[0], ends[:-1, -1]])[:, None], ends], 1)
        return {"states": np.concatenate(states), "starts": starts.astype(np.int32)}

    return make


def latent_maker(autoencoder: Autoencoder) -> Maker:
    """`latent` [n, C, 32, 32] float16."""

    @torch.no_grad()
    def make(data: Dataset, rows: Sequence[Row]) -> Arrays:
        images = [data.image(row) for row in rows]
        parts = [autoencoder.encode(to_tensor(images[k : k + PICTURES_AT_ONCE])) for k in range(0, len(images), PICTURES_AT_ONCE)]
        return {"latent": torch.cat(parts).numpy().astype(np.float16)}

    return make


def compute(pictures: Path, out: Path, kind: str, maker: Callable[[], Maker], *, quiet: bool = False) -> None:
    """Make the files of one kind for all shards that have none yet. Raises MissingPiece where there are no shards at all."""
    tars = sorted(pictures.glob("people-*.tar"))
    if not tars:
        raise MissingPiece(f"no shards in {pictures}; render them with `python -m training.mini pictures`")
    out.mkdir(parents=True, exist_ok=True)
    todo = [tar for tar in tars if not (out / f"{tar.stem}.{kind}.npz").exists()]
    if not todo:
        return
    make = maker()
    data = Dataset(pictures)
    for tar in tqdm(todo, desc=kind, unit="shard", disable=quiet):
        rows = [row for row in data.rows if row.shard == tar]
        if not rows:
            continue  # came after the folder was read
        partial = out / f"{tar.stem}.{kind}.partial"
        with partial.open("wb") as stream:
            np.savez(stream, **make(data, rows))
        partial.rename(out / f"{tar.stem}.{kind}.npz")


@dataclass(frozen=True)
class Corpus:
    """All shards that are whole, in memory."""

    seed: npt.NDArray[np.int64]  # [n]
    identity: npt.NDArray[np.float32]  # [n, 128]
    face: npt.NDArray[np.uint8]  # [n, 112, 112, 3]
    head: npt.NDArray[np.uint8]  # [n, 112, 112, 3]
    shape: npt.NDArray[np.float32]  # [n, 468, 3]
    texture: npt.NDArray[np.uint8]  # [n, 3, 192, 192]
    landmarks: npt.NDArray[np.float32]  # [n, 468, 2]
    points: npt.NDArray[np.float32]  # [n, 5, 2]
    keypoints: npt.NDArray[np.float32]  # [n, 5, 2]
    found: npt.NDArray[np.bool_]  # [n]
    region: npt.NDArray[np.uint8]  # [n, 32, 32]
    soft: npt.NDArray[np.uint8]  # [n, 16, 16, 3]
    latent: npt.NDArray[np.float16]  # [n, C, 32, 32]
    states: tuple[npt.NDArray[np.float16], ...]  # a shard each: [tokens, 384]
    starts: npt.NDArray[np.int32]  # [n, 6]
    shard: npt.NDArray[np.int32]  # [n], which of `states`

    def __len__(self) -> int:
        return len(self.seed)

    def words(self, picture: int, caption: int) -> npt.NDArray[np.float16]:
        """[tokens, 384] of a picture's caption, 0 to 4."""
        start, end = self.starts[picture, caption : caption + 2]
        states: npt.NDArray[np.float16] = self.states[self.shard[picture]][start:end]
        return states


def whole(folder: Path) -> list[str]:
    """The shards that have all of KINDS, in their order."""
    stems = sorted(path.name.removesuffix(f".{KINDS[0]}.npz") for path in folder.glob(f"*.{KINDS[0]}.npz"))
    return [stem for stem in stems if all((folder / f"{stem}.{kind}.npz").exists() for kind in KINDS)]


def load(folder: Path, *, most: int | None = None) -> Corpus:
    """The corpus of a folder, or of its first shards with about `most` pictures. Raises MissingPiece where no shard is whole."""
    columns: dict[str, list[Any]] = {}
    count = 0
    for stem in whole(folder):
        for kind in KINDS:
            with np.load(folder / f"{stem}.{kind}.npz") as arrays:
                for name in arrays.files:
                    columns.setdefault(name, []).append(arrays[name])
        size = len(columns["seed"][-1])
        shards = columns.setdefault("shard", [])
        shards.append(np.full(size, len(shards), np.int32))
        count += size
        if most is not None and count >= most:
            break
    if not columns:
        raise MissingPiece(f"no shard in {folder} has faces, words and latents; make them with `python -m training.mini corpus`")
    states = tuple(columns.pop("states"))
    return Corpus(states=states, **{name: np.concatenate(parts) for name, parts in columns.items()})


def other_shot(corpus: Corpus, picture: int, draw: np.random.Generator) -> int:
    """Another picture of the same person where a face was found, or the same where there is none; pictures of one person lie together."""
    seed = corpus.seed[picture]
    first, last = np.searchsorted(corpus.seed, [seed, seed + 1])
    others = [k for k in range(first, last) if k != picture and corpus.found[k]]
    return int(draw.choice(others)) if others else picture


def spread(corpus: Corpus, count: int) -> Indices:
    """So many pictures of different people, evenly over the corpus."""
    firsts = np.unique(corpus.seed, return_index=True)[1]
    return np.asarray(firsts[np.linspace(0, len(firsts) - 1, count).astype(int)], np.int64)
