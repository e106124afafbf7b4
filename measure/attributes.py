"""What a portrait shows beside the face: its background and light are read from the whole picture, what is worn from the head cut out of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from omokage import faces
from omokage.faces import Image
from omokage.system import Infer
from omokage.texture import WHOLE_HEAD_TEMPLATE
from safetensors.torch import load_file, save_file

from measure.reader import SIDE, Kinds, Lessons, Reader, read, taught
from training.people import lights
from training.people.backgrounds import PAINTERS

WEIGHTS = Path(__file__).with_name("attributes.safetensors")
NONE = "none"
READ: dict[str, Kinds] = {
    "picture": {"background": tuple(PAINTERS), "light side": (NONE, "left", "right")},
    "head": {"glasses": (NONE, "glasses", "sunglasses"), "hat": (NONE, "hat")},
}
"""By what is looked at, what is read from it."""
LESSONS = {"picture": Lessons(), "head": Lessons(rounds=20, mirrored=True, paler=0.5)}
CLOSER = (54, 42, 276)
"""Pixels of the head that textures are made of: left, top and side of what is looked at of it, as close as hats are whole; from farther away
they were told from hair by their colour alone."""
CUT = 2 * SIDE  # pixels that this is cut out at
HEAD_TEMPLATE = np.asarray((WHOLE_HEAD_TEMPLATE - np.array(CLOSER[:2])) * (CUT / CLOSER[2]), np.float32)
"""The five points' places on it."""
Readers = dict[str, Reader]


class View(NamedTuple):
    """What is looked at of a picture; `head` [96, 96, 3]: None where no face is found."""

    picture: Image
    head: Image | None


def viewed(infer: Infer, pixels: Image) -> View:
    """A picture [H, W, 3] RGB and the head of its largest face; the picture's border is continued."""
    found = faces.found(pixels, lambda picture: infer("face_detector", {"image": picture}))
    if not found:
        return View(pixels, None)
    place = faces.similarity(found[0].points, HEAD_TEMPLATE)
    head = cv2.warpAffine(pixels, place, (CUT, CUT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return View(pixels, np.asarray(cv2.resize(head, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8))


def truth(record: dict[str, Any]) -> dict[str, str]:
    """A rendered picture's kinds, from its record."""
    shot = record["shot"]
    light = lights.LIGHTS[shot["light"]]
    side = NONE if not light.has_side else "right" if light.azimuth * shot["light_side"] > 0 else "left"
    return {
        "background": shot["background"],
        "light side": side,
        "glasses": shot["glasses"] or NONE,
        "hat": "hat" if shot["hat"] else NONE,
    }


def learned_from(views: Sequence[View], truths: Sequence[dict[str, str]], looked_at: str, lessons: Mapping[str, Lessons] = LESSONS) -> Reader:
    """The reader of pictures or of heads; pictures without a head teach nothing of heads."""
    shown = [(image, true) for view, true in zip(views, truths, strict=True) if (image := getattr(view, looked_at)) is not None]
    return taught(READ[looked_at], [image for image, _ in shown], [true for _, true in shown], lessons[looked_at])


def seen(readers: Readers, views: Sequence[View]) -> list[dict[str, str]]:
    """What is seen in pictures; where there is no face nothing is worn."""
    heads = iter(read(readers["head"], [view.head for view in views if view.head is not None]))
    nothing = dict.fromkeys(READ["head"], NONE)
    pictures = read(readers["picture"], [view.picture for view in views])
    return [found | (nothing if view.head is None else next(heads)) for found, view in zip(pictures, views, strict=True)]


def save(readers: Readers, path: Path = WEIGHTS) -> None:
    save_file({f"{name}.{key}": value.half() for name, reader in readers.items() for key, value in reader.state_dict().items()}, path)


def learned(path: Path = WEIGHTS) -> Readers:
    """What `python -m measure.learn` left."""
    values, readers = load_file(path), {name: Reader(kinds) for name, kinds in READ.items()}
    for name, reader in readers.items():
        own = {key.removeprefix(f"{name}."): value.float() for key, value in values.items() if key.startswith(f"{name}.")}
        reader.load_state_dict(own)
        reader.eval()
    return readers
