"""What people in pictures wear, and whether their lids are closed, with the captions that say so; beside the corpus's other files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from omokage.faces import Face
from omokage.surface import surface
from omokage.system import Infer
from omokage.texture import SIDE as HEAD
from omokage.texture import on_head

from export.on_texture import SEEN
from export.overlay import COLOURED, LAYERS, MOUTH
from export.texture import SIDE
from training.mini.corpus import Arrays, Corpus, Maker, whole
from training.mini.errors import MissingPiece
from training.mini.words import captions
from training.people.colours import CLOTH, FRAME
from training.people.expressions import EXPRESSIONS
from training.people.graders import Graders
from training.people.loader import Dataset
from training.people.parts import Part
from training.people.shards import Row

PARTS = {"glasses": Part.GLASSES, "hat": Part.HAT}
LAID = (*PARTS.values(), Part.CLOTH)
COLOURS = {"glasses": tuple(FRAME), "hat": tuple(CLOTH)}
CLOSED = {"closed eyes": ("left_lid", "right_lid"), "wink left": ("left_lid",), "wink right": ("right_lid",)}
OPEN = ("open mouth", "surprise", "laugh")
"""Expressions whose mouth is open as wide as words mean by that."""
FACING = (15.0, 12.0)  # degrees of yaw and pitch, up to which glasses lie where they do from the front
GREY, FAINT = 127.5, 2.0
"""0..255, of nobody, as what is beyond a head is on its texture, and how much lighter parts are drawn: so little that no half of them is matched in
light to the other (`export/mirror.py`)."""
Record = dict[str, Any]


def kinds(record: Record) -> dict[str, str]:
    """By layer, its kind in a picture; layers that are not there are left out."""
    shot, person = record["shot"], record["person"]
    found = {layer: layer for layer in CLOSED.get(shot["expression"], ())} | ({MOUTH: LAYERS[MOUTH][0]} if shot["expression"] in OPEN else {})
    if shot["glasses"]:
        found["glasses"] = person["glasses"] if shot["glasses"] == "glasses" else "sunglasses"
    return found | ({"hat": shot["hat"]} if shot["hat"] else {})


def says(text: str, layer: str, record: Record) -> bool:
    """Whether a caption speaks of a layer that is in its picture."""
    if layer in PARTS:
        return ("glasses" if layer == "glasses" else record["shot"]["hat"]) in text
    return any(words in text for words in EXPRESSIONS[record["shot"]["expression"]].words)


def worn_maker(graders: Graders, infer: Infer) -> Maker:
    """For all pictures `kind` [n, layers]: 0 for none, else which of the layer's, from 1; `told` [n, captions, layers]: whether a caption speaks of
    it; `colour` [n, 2]: which of COLOURS glasses and hats have; `facing` [n]; `clothes` [n, 96, 96] in 0..255: where they are on the texture (no
    face: zeros). For those whose people wear something on their heads `row` [m], which they are, and `masks` [m, 2, 192, 192] in 0..255: where
    glasses and hats lie on the texture. `infer`: `corpus.face_networks`."""

    def make(data: Dataset, rows: Sequence[Row]) -> Arrays:
        records = [data.record(row) for row in rows]
        seen = [kinds(record) for record in records]
        told = [
            [[layer in one and says(text, layer, record) for layer in LAYERS] for text in captions(record)]
            for one, record in zip(seen, records, strict=True)
        ]
        laid = [_laid_out(graders, infer, data, row) for row in rows]
        found = {k: maps[: len(PARTS)] for k, maps in enumerate(laid) if maps is not None and seen[k].keys() & PARTS.keys()}
        return {
            "kind": np.array([[1 + names.index(one[layer]) if layer in one else 0 for layer, names in LAYERS.items()] for one in seen], np.int64),
            "told": np.array(told, np.bool_),
            "colour": np.array([_colours(record) for record in records], np.int64),
            "facing": np.array(
                [all(abs(record["shot"][way]) <= most for way, most in zip(("yaw", "pitch"), FACING, strict=True)) for record in records]
            ),
            "clothes": np.array([np.zeros((SEEN, SEEN), np.uint8) if maps is None else _smaller(maps[-1]) for maps in laid], np.uint8),
            "row": np.array(list(found), np.int64),
            "masks": np.array(list(found.values()), np.uint8).reshape(-1, len(PARTS), SIDE, SIDE),
        }

    return make


def _smaller(map_: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.resize(map_, (SEEN, SEEN), interpolation=cv2.INTER_AREA), np.uint8)


def _colours(record: Record) -> list[int]:
    shot = record["shot"]
    named = {"glasses": record["person"]["glasses_colour"] if shot["glasses"] == "glasses" else "black", "hat": shot["hat_colour"]}
    return [COLOURS[layer].index(named[layer]) if named[layer] in COLOURS[layer] else -1 for layer in COLOURED]


def _laid_out(graders: Graders, infer: Infer, data: Dataset, row: Row) -> npt.NDArray[np.uint8] | None:
    """[3, 192, 192] in 0..255: LAID; None where no face is found."""
    image = data.image(row)
    face = graders.detect(image)
    if face is None:
        return None
    found = Face(*face, 1.0)
    place, points = on_head(found, surface(infer, image, found))
    parts = data.maps(row)["parts"]
    shown = np.stack([parts == part for part in LAID], -1).astype(np.float32)
    head = GREY + FAINT * cv2.warpAffine(shown, place, (HEAD, HEAD), flags=cv2.INTER_LINEAR).transpose(2, 0, 1)
    given = {"whole_head": head[None], "head_landmarks": points[None].astype(np.float32)}
    texture = infer("face_texture", given)["texture"][0]
    return np.asarray((np.clip((texture * 255 - GREY) / FAINT, 0, 1) * 255).round(), np.uint8)


@dataclass(frozen=True)
class Worn:
    """Of a whole corpus, as `worn_maker` has it; `place` [n]: where in `masks` a picture's maps are, -1 for none."""

    kind: npt.NDArray[np.int64]
    told: npt.NDArray[np.bool_]
    colour: npt.NDArray[np.int64]
    facing: npt.NDArray[np.bool_]
    clothes: npt.NDArray[np.uint8]
    place: npt.NDArray[np.int64]
    masks: npt.NDArray[np.uint8]


def load(folder: Path, corpus: Corpus) -> Worn:
    """Of a folder's corpus. Raises MissingPiece for a shard without such a file, or with one of other pictures."""
    shards: list[Arrays] = []
    for stem, pictures in zip(whole(folder), np.bincount(corpus.shard).tolist(), strict=True):
        path = folder / f"{stem}.worn.npz"
        shards.append(_read(path, pictures))
    place, pictures_before, maps_before = np.full(len(corpus), -1, np.int64), 0, 0
    for shard in shards:
        place[pictures_before + shard["row"]] = maps_before + np.arange(len(shard["row"]))
        pictures_before, maps_before = pictures_before + len(shard["kind"]), maps_before + len(shard["row"])
    names = ("kind", "told", "colour", "facing", "clothes", "masks")
    return Worn(place=place, **{name: np.concatenate([shard[name] for shard in shards]) for name in names})


def _read(path: Path, pictures: int) -> Arrays:
    """A shard's file, as `worn_maker` has it. Raises MissingPiece."""
    again = "make it anew with `python -m training.mini corpus`"
    if not path.exists():
        raise MissingPiece(f"{path} is not there; {again}")
    found = dict(np.load(path))
    if "clothes" not in found:
        raise MissingPiece(f"{path} says nothing of clothes: an earlier version made it; take it away, and {again}")
    if found["kind"].shape[1] != len(LAYERS):
        raise MissingPiece(f"{path} has {found['kind'].shape[1]} layers, wanted {len(LAYERS)}: an earlier version made it; take it away, and {again}")
    if len(found["clothes"]) != pictures:
        raise MissingPiece(f"{path} is of {len(found['clothes'])} pictures, wanted {pictures}; take it away, and {again}")
    return found
