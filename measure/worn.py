"""Portraits that wear what their photos do: from them a reader of what is worn learns the look of portraits."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from omokage.faces import NoFace
from tqdm import tqdm

from measure.in_process import InProcess
from measure.people import Shown
from measure.portraits import Ask, Portrait, kept, portrait
from measure.studio import by_photos, engines_digest, recipes_digest

WORDS = (
    "a portrait of a person",
    "a photo of somebody",
    "a person in front of trees",
    "a person looking at the camera",
    "a portrait, soft light",
    "somebody outdoors",
)
"""They say nothing of what is worn, so a photo's hat and glasses stay on, and nobody is given any."""
WORK = Path("out/learn")


def portraits(runtime: InProcess, photos: Sequence[Shown], folder: Path | None = None) -> list[Shown]:
    """One of each photo by the preset `fast`, with the photo's record, of which glasses and hat are true of it, too, and nothing else; none of photos
    in which no face is found. Words and seed follow from the photo. What lies in `folder` (default: one of the served engines, these recipes and
    WORDS) already is taken from there, so a run that was stopped goes on."""
    folder = folder or WORK / engines_digest({}) / recipes_digest() / hashlib.sha256(repr(WORDS).encode()).hexdigest()[:8]
    found = []
    for photo in tqdm(photos, "portraits", unit="portrait", mininterval=5):
        name = name_of(photo)
        made = kept(folder, name) or _made(runtime, photo, name, folder)
        found += [] if made is None else [Shown(made.pixels, photo.record)]
    return found


def name_of(photo: Shown) -> str:
    """16 digits of its pixels: keys are the same in other pictures of a person."""
    return hashlib.sha256(photo.image.tobytes()).hexdigest()[:16]


def _made(runtime: InProcess, photo: Shown, name: str, folder: Path) -> Portrait | None:
    """None where no face is found."""
    number = int(name, 16)
    try:
        passport = by_photos(runtime, [photo])
    except NoFace:
        return None
    return portrait(runtime, Ask(name, "face-makeup", WORDS[number % len(WORDS)], passport, number % 2**31, {"preset": "fast"}), folder)
