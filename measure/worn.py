"""Portraits that wear what their photos do: from them a reader of what is worn learns the look of portraits, with truth for every one."""

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
"""In turns: they say nothing of what is worn, so a photo's hat and glasses stay on, and nobody is given any."""
WORK = Path("out/learn")


def portraits(runtime: InProcess, photos: Sequence[Shown], folder: Path | None = None) -> list[Shown]:
    """One of each photo by the preset `fast`, with the photo's record; none of photos in which no face is found. What lies in `folder` (default: one
    of these engines and recipes) already is taken from there, so a run that was stopped goes on."""
    folder = folder or WORK / engines_digest({}) / recipes_digest()
    found = []
    for place, photo in enumerate(tqdm(photos, "portraits", unit="portrait", mininterval=5)):
        name = hashlib.sha256(photo.image.tobytes()).hexdigest()[:16]
        made = kept(folder, name) or _made(runtime, photo, name, place, folder)
        found += [] if made is None else [Shown(made.pixels, photo.record)]
    return found


def _made(runtime: InProcess, photo: Shown, name: str, place: int, folder: Path) -> Portrait | None:
    try:
        passport = by_photos(runtime, [photo])
    except NoFace:
        return None
    return portrait(runtime, Ask(name, "face-makeup", WORDS[place % len(WORDS)], passport, place, {"preset": "fast"}), folder)
