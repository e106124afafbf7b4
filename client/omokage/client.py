"""The client: enrol people, ask for portraits."""

import io
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from PIL import Image

from omokage import portrait as recipe
from omokage.denoising import OnStep
from omokage.enrolment import Look, Photo, bytes_of, look, looked_at
from omokage.errors import InvalidRequest
from omokage.files import write_whole
from omokage.passport import Passport
from omokage.pixels import pixels
from omokage.portrait import DEFAULT_SYSTEM, Made, Order, text
from omokage.systems.base import Arrays, Face, Floats
from omokage.transport.over_grpc import GrpcTransport

TIMEOUT = 120.0  # seconds


class Transport(Protocol):
    """What a client needs of a way to the server; tests give it another one."""

    def infer(self, model: str, inputs: Arrays) -> Arrays: ...

    def ready(self) -> bool: ...

    def close(self) -> None: ...


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


class Client:
    """A connection to a server, as a context. `orchestrate`: run the recipe here, step by step, instead of in one call; the pixels are the same."""

    def __init__(
        self, url: str = "localhost:8001", *, timeout: float = TIMEOUT, orchestrate: bool = False, transport: Transport | None = None
    ) -> None:
        self.orchestrate = orchestrate
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

    def enroll(self, photos: Sequence[Photo] | Photo, *, name: str = "", purposes: Sequence[str] = (), expires: date | None = None) -> Passport:
        """The passport of the person in 1 to 12 photos. Raises InvalidRequest for a photo without a usable face, or of somebody else."""

        def see(photo: bytes) -> Look:
            found = self._transport.infer("encode_person", {"photo": text(photo)})
            return look(Face.of(found), recipe.report_of(found))

        face, notes = looked_at(photos, see)
        return Passport(family=self.about()["family"], face=face, name=name, purposes=tuple(purposes), expires=expires, notes=notes)

    def portrait(
        self,
        words: str,
        *,
        person: Passport | None = None,
        photo: Photo | None = None,
        character: int | None = None,
        other: Passport | None = None,
        system: str = DEFAULT_SYSTEM,
        seed: int | None = None,
        unwanted: str = "",
        pictures: Mapping[str, Photo] | None = None,
        knobs: Mapping[str, object] | None = None,
        on_step: OnStep | None = None,
    ) -> Portrait:
        """A portrait of the person in a passport or a photo, or of an invented one who is the same for one number, with another mixed in.

        `seed`: drawn when not given, and told in the result. `on_step` needs `orchestrate`.
        """
        order = Order(
            words=words,
            photo=None if photo is None else bytes_of(photo),
            passport=person,
            character=character,
            other=other,
            unwanted=unwanted,
            system=system,
            seed=secrets.randbelow(2**31) if seed is None else seed,
            knobs=dict(knobs or {}),
            pictures={kind: bytes_of(picture) for kind, picture in (pictures or {}).items()},
        )
        if on_step is not None and not self.orchestrate:
            raise InvalidRequest("steps can be watched only where they run: make the client with orchestrate=True")
        started = time.monotonic()
        made = recipe.paint(self._transport.infer, order, on_step) if self.orchestrate else recipe.asked(self._transport.infer, order)
        return _portrait(made, round(time.monotonic() - started, 3))

    def decoded(self, latent: Floats) -> Image.Image:
        """Latents [1, C, h, w] as `on_step` gets them, as a picture."""
        return Image.fromarray(pixels(self._transport.infer("vae_decoder", {"latent": latent})["picture"][0]))


def _portrait(made: Made, seconds: float) -> Portrait:
    report = made.report
    return Portrait(made.image, report["system"], report["seed"], report["steps"], made.likeness, seconds, report["server_seconds"], report)
