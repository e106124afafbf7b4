"""Learning a personal prior: the client's own loop over the server's engines.

The engine `unet_gradient` says which way the error falls, the client goes there and keeps the result: the server learns nothing and keeps nobody.
"""

import contextlib
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omokage.captions import PORTRAIT, caption
from omokage.denoising import slope
from omokage.enrolment import Photo, bytes_of, several
from omokage.errors import InvalidRequest
from omokage.learning import Learning, taken_up
from omokage.lessons import Lesson, lesson
from omokage.prior import TOKENS, Prior, begun
from omokage.samplers import SCHEDULES, Schedule
from omokage.seen import seen
from omokage.system import Arrays, Face, Floats, Infer, Words, scalar

ROWS = 4  # of a call, as the engine has them
STEPS = 200
WORDLESS = 0.15  # of the rows: what is learned is to hold without words, too
LEAST_PHOTOS, MOST_PHOTOS = 3, 5
KEEP_SECONDS = 10.0
Watch = Callable[[int, int, float], None]
"""Told the steps that are done, how many there are, and the mean of the last losses."""
HELD_STEPS = (80, 500)
"""Every noisy picture has the head of another photo in it, as portraits have; so what is learned is what to make of that where it is let go. With the
knob `hold` as it is by default that is its border alone, since its pixels are laid over the last step's."""


@dataclass(frozen=True)
class School:
    """What is learned from: lessons of several photos, and keys and values of the face for the UNet [1, N, S] and the ControlNet [1, N, W]."""

    lessons: Sequence[Lesson]
    id_kv: Floats
    pose_kv: Floats
    schedule: Schedule
    seed: int = 0
    steps: int = STEPS


def attended(infer: Infer, about: dict[str, Any], photos: Sequence[bytes], face: Face, steps: int = STEPS, *, said: bool = True) -> School:
    """The lessons of some photos of one person, whose face is as enrolled; `said`: with what they show in words, else as no more than portraits.

    Raises InvalidRequest, and whatever `infer` raises.
    """
    if steps < 1:
        raise InvalidRequest(f"steps is {steps}; a personal prior takes 1 or more ({STEPS} by default)")
    pictures = [seen(infer, photo, about["size"], f"photo {number}") for number, photo in enumerate(photos, 1)]
    lessons = [lesson(infer, one, caption(one.shape[0], one.landmarks, one.texture[0]) if said else PORTRAIT, pictures) for one in pictures]
    found = infer("context_crossfaceid", {"identity": face.identity, "appearance": face.appearance, "identity_scale": scalar(1.0)})
    return School(lessons, found["id_kv"], found["pose_kv"], Schedule(SCHEDULES[about["schedule"]](), about["prediction"]), steps=steps)


def enough(photos: Sequence[Photo] | Photo) -> list[bytes]:
    """The photos, those that are there twice once. Raises InvalidRequest for too few or too many."""
    given = [bytes_of(photo) for photo in several(photos)]
    different = list(dict.fromkeys(given))
    if not LEAST_PHOTOS <= len(different) <= MOST_PHOTOS:
        twice = f", {len(given)} with those that are there twice" if len(given) > len(different) else ""
        raise InvalidRequest(
            f"a personal prior was asked for with {len(different)} photo{'s' * (len(different) != 1)}{twice}; give {LEAST_PHOTOS} to {MOST_PHOTOS} "
            "different ones of one person, with other expressions, angles and light"
        )
    return different


def learned(infer: Infer, about: dict[str, Any], school: School, photos: Sequence[bytes], keep: Path | None, watch: Watch) -> Prior:
    """All steps, told one by one. `keep`: a file in which every few seconds it is kept how far it is, and from which the same photos go on; it is
    gone at the end. Whoever is interrupted leaves it whole.

    Raises InvalidRequest for a file that keeps something else, and whatever `infer` raises.
    """
    settings = f"{school.steps} {school.seed} {about['generator']}"
    of = hashlib.sha256(b"".join(hashlib.sha256(photo).digest() for photo in photos) + settings.encode()).hexdigest()
    so_far = None if keep is None else taken_up(keep, of)
    if so_far is None and keep is not None and keep.exists():
        raise InvalidRequest(
            f"{keep} keeps what was begun with other photos, steps or weights, or is damaged; remove it, or write the passport elsewhere"
        )
    so_far = so_far or Learning.begin(begun(about, school.seed))
    kept = time.monotonic()
    try:
        while so_far.step < school.steps:
            so_far = step(infer, school, so_far)
            watch(so_far.step, school.steps, so_far.loss)
            if keep is not None and time.monotonic() - kept > KEEP_SECONDS:
                so_far.save(keep, of)
                kept = time.monotonic()
    except BaseException:
        if keep is not None and so_far.step:
            so_far.save(keep, of)
        raise
    if keep is not None:
        with contextlib.suppress(FileNotFoundError):
            keep.unlink()
    return so_far.prior


def step(infer: Infer, school: School, so_far: Learning) -> Learning:
    """One more. What is drawn depends on the seed and the number of the step alone, so who goes on later comes to the same."""
    draw = np.random.default_rng([school.seed, so_far.step])
    lessons = school.lessons
    which = [int(place) for place in draw.integers(len(lessons), size=ROWS)]
    given, said = _rows(school, which, so_far.prior, draw)
    found = slope(infer, given)
    gradient = _by_prior(so_far.prior, [lessons[place] for place in which], found, said)
    return so_far.moved(gradient, school.steps, float(found["loss"].mean()))


def _rows(school: School, which: Sequence[int], prior: Prior, draw: np.random.Generator) -> tuple[Arrays, list[bool]]:
    """(what the engines take, whether each row has words)."""
    schedule, lessons = school.schedule, [school.lessons[place] for place in which]
    said, steps = [bool(one) for one in draw.random(ROWS) >= WORDLESS], draw.integers(*HELD_STEPS, size=ROWS)
    parts = []
    for one, place, step, speaks in zip(lessons, which, steps, said, strict=True):
        photos = [number for number in range(len(one.reference)) if number != place or len(one.reference) == 1]
        other = photos[int(draw.integers(len(photos)))]
        reference, cover = one.reference[other : other + 1], one.cover[other : other + 1]
        shown = one.latent + cover * (reference - one.latent)
        signal, noise = np.float32(schedule.signal(int(step))), np.float32(schedule.noise(int(step)))
        sample = signal * shown + noise * draw.standard_normal(shown.shape, np.float32)
        even = min(1.0, 2 * float(noise) ** 2)  # below the middle step, errors count as the clean latents' would
        words = one.words if speaks else Words(one.words.states, np.zeros_like(one.words.mask), np.zeros_like(one.words.text_kv))
        parts.append(
            {
                "sample": sample,
                "target": schedule.wanted(int(step), sample, one.latent),
                "importance": np.float32(even) * one.importance,
                "text_kv": prior.said(words, 1.0),
                "condition": one.condition,
                "reference": reference,
            }
        )
    rows = {name: np.concatenate([part[name] for part in parts]).astype(np.float32) for name in parts[0]}
    every = {"id_kv": prior.seen(school.id_kv, 1.0), "pose_kv": school.pose_kv, "strength": scalar(1.0)}
    rows |= {name: np.repeat(value, ROWS, 0) for name, value in every.items()}
    return rows | {"timestep": steps.astype(np.int64)}, said


def _by_prior(prior: Prior, lessons: Sequence[Lesson], found: Arrays, said: Sequence[bool]) -> Prior:
    """The loss's gradient by each part: the chain rule through what `Prior` adds."""
    text, face = found["text_gradient"], found["id_gradient"]
    states = np.concatenate([one.words.states * one.words.mask[..., None] * np.float32(speaks) for one, speaks in zip(lessons, said, strict=True)])
    low = states @ prior.down
    return Prior(
        token_kv=text[:, -TOKENS:].sum(0, keepdims=True),
        down=np.einsum("btd,bts,rs->dr", states, text, prior.up[0], optimize=True)[None],
        up=np.einsum("btr,bts->rs", low, text, optimize=True)[None],
        face_kv=face.sum(0, keepdims=True),
    )
