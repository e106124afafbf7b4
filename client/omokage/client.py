"""The client: enrol people, ask for portraits."""

import io
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypedDict, Unpack

import numpy as np
from PIL import Image

from omokage import personal as personal_prior
from omokage import portrait as recipe
from omokage.denoising import OnStep
from omokage.enrolment import Look, Photo, bytes_of, look, looked_at, several
from omokage.errors import InvalidRequest
from omokage.files import write_whole
from omokage.passport import Passport
from omokage.pixels import pixels
from omokage.portrait import DEFAULT_SYSTEM, Made, Order
from omokage.system import Arrays, Face, Floats
from omokage.texts import report_of, text
from omokage.transport.over_grpc import GrpcTransport
from omokage.turn import Turn

TIMEOUT = 120.0  # seconds


class Transport(Protocol):
    """What a client needs of a way to the server; tests give it another one."""

    def infer(self, model: str, inputs: Arrays) -> Arrays: ...

    def stream(self, model: str, inputs: Arrays) -> Iterator[Arrays]: ...

    def ready(self) -> bool: ...

    def close(self) -> None: ...


class Asked(TypedDict, total=False):
    """What makes a portrait, beside the words. `seed`: drawn where it is not given, and told in the result."""

    person: Passport | None
    photo: Photo | None
    character: int | None
    other: Passport | None
    system: str
    seed: int | None
    unwanted: str
    pictures: Mapping[str, Photo] | None
    knobs: Mapping[str, object] | None


@dataclass(frozen=True)
class Portrait:
    """`png`: the file, with how it was made in it. `likeness`: cosine to the person (SFace), None where no face is found in the portrait."""

    png: bytes = field(repr=False)
    system: str
    seed: int
    steps: int
    likeness: float | None
    seconds: float
    server_seconds: float
    report: dict[str, Any] = field(repr=False)

    @property
    def image(self) -> Image.Image:
        return Image.open(io.BytesIO(self.png))

    def save(self, path: Path | str) -> None:
        """Write the PNG file, whole or not at all."""
        write_whole(Path(path), self.png)


@dataclass(frozen=True)
class Step:
    """One that is done, from 1 of `steps`; `preview`: what the end is expected to be, as a PNG file, where one was asked for."""

    number: int
    steps: int
    preview: bytes | None = field(repr=False)

    @property
    def image(self) -> Image.Image | None:
        return None if self.preview is None else Image.open(io.BytesIO(self.preview))


class Client:
    """A connection to a server, as a context. `orchestrate`: run the recipe here, step by step, instead of in one call; the pixels are the same.

    Where there is more to do than the server can, its clients share it evenly, whatever each asks for.
    """

    def __init__(
        self, url: str = "localhost:8001", *, timeout: float = TIMEOUT, orchestrate: bool = False, transport: Transport | None = None
    ) -> None:
        self.orchestrate = orchestrate
        self._name = secrets.token_hex(8)  # tells this connection from others, and nothing else
        self._transport: Transport = transport or GrpcTransport(url, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def ready(self) -> bool:
        """Raises ServerUnreachable where no server answers."""
        return self._transport.ready()

    def about(self) -> dict[str, Any]:
        """Family, shapes, and systems with their knobs."""
        return recipe.about(self._transport.infer)

    def enroll(
        self,
        photos: Sequence[Photo] | Photo,
        *,
        name: str = "",
        purposes: Sequence[str] = (),
        expires: date | None = None,
        personal: bool = False,
        steps: int = personal_prior.STEPS,
        keep: Path | None = None,
        on_learn: personal_prior.Watch | None = None,
    ) -> Passport:
        """The passport of the person in 1 to 12 photos. Raises InvalidRequest for a photo without a usable face, or of somebody else.

        `personal`: with a personal prior, of 3 to 5 photos; it is learned here in so many `steps`, by the server's engines, and takes minutes.
        `keep`: a file from which that goes on where it was stopped; `on_learn`: told of each of its steps.
        """
        given = personal_prior.enough(photos) if personal else [bytes_of(photo) for photo in several(photos)]

        def see(photo: bytes) -> Look:
            found = self._transport.infer("encode_person", {"photo": text(photo)})
            return look(Face.of(found), report_of(found))

        face, notes = looked_at(self._transport.infer, given, see)
        about, prior = self.about(), None
        if personal:
            school = personal_prior.attended(self._transport.infer, about, given, face, steps)
            prior = personal_prior.learned(self._transport.infer, about, school, given, keep, on_learn or (lambda *_: None))
        return Passport(
            family=about["family"],
            face=face,
            prior=prior,
            generator=about["generator"] if personal else "",
            name=name,
            purposes=tuple(purposes),
            expires=expires,
            notes=notes,
        )

    def portrait(
        self,
        words: str,
        *,
        deadline: float | None = None,
        priority: int = 0,
        on_step: OnStep | None = None,
        **asked: Unpack[Asked],
    ) -> Portrait:
        """A portrait of the person in a passport or a photo, or of an invented one who is the same for one number, with another mixed in.

        `deadline`: seconds from when the server has the request; `priority`: 0 to 9, higher goes first. `on_step` needs `orchestrate`, which has
        neither. Raises InvalidRequest, Refused, Busy, TooLate, ServerUnreachable, ServerFault.
        """
        order, turn = _order(words, asked), Turn(deadline=deadline, priority=priority, client=self._name)
        if on_step is not None and not self.orchestrate:
            raise InvalidRequest("latents can be watched only where the steps run: make the client with orchestrate=True, or use `stream`")
        if self.orchestrate and (deadline is not None or priority):
            raise InvalidRequest("a deadline or a priority is for the server's own loop; leave orchestrate out")
        started = time.monotonic()
        made = recipe.paint(self._transport.infer, order, on_step) if self.orchestrate else recipe.asked(self._transport.infer, order, turn)
        return _portrait(made, round(time.monotonic() - started, 3))

    def stream(
        self,
        words: str,
        *,
        preview_every: int = 0,
        decode_every: int = 0,
        deadline: float | None = None,
        priority: int = 0,
        **asked: Unpack[Asked],
    ) -> Iterator[Step | Portrait]:
        """The same, told as it comes: a Step after every step, then the Portrait. Who stops reading gives up the rest.

        `preview_every`: steps between two coarse previews (32 by 32), which cost next to nothing; `decode_every`: between two by the decoder, which
        take time. Both also come with the last step; 0 for none.
        """
        order, turn = _order(words, asked), Turn(deadline=deadline, priority=priority, client=self._name)
        often = {name: np.array([[every]], np.int64) for name, every in (("preview_every", preview_every), ("decode_every", decode_every)) if every}
        inputs, started = recipe.inputs_of(order) | turn.inputs() | often, time.monotonic()
        for found in self._transport.stream("portrait_stream", inputs):
            if "step" in found:
                yield Step(int(found["step"].flat[0]), int(found["steps"].flat[0]), found["preview"].flat[0] or None)
            else:
                yield _portrait(recipe.made_of(found), round(time.monotonic() - started, 3))

    def decoded(self, latent: Floats) -> Image.Image:
        """Latents [1, C, h, w] as `on_step` gets them, as a picture."""
        return Image.fromarray(pixels(self._transport.infer("vae_decoder", {"latent": latent})["picture"][0]))


def _order(words: str, asked: Asked) -> Order:
    """What is asked for, photos read."""
    photo, seed = asked.get("photo"), asked.get("seed")
    return Order(
        words=words,
        photo=None if photo is None else bytes_of(photo),
        passport=asked.get("person"),
        character=asked.get("character"),
        other=asked.get("other"),
        unwanted=asked.get("unwanted", ""),
        system=asked.get("system", DEFAULT_SYSTEM),
        seed=secrets.randbelow(2**31) if seed is None else seed,
        knobs=dict(asked.get("knobs") or {}),
        pictures={kind: bytes_of(picture) for kind, picture in (asked.get("pictures") or {}).items()},
    )


def _portrait(made: Made, seconds: float) -> Portrait:
    report = made.report
    return Portrait(made.image, report["system"], report["seed"], report["steps"], made.likeness, seconds, report["server_seconds"], report)
