"""An order out of a request to `portrait` or `portrait_stream`; what is left out has its default. Only inside Triton's Python backend."""

import json

from omokage.errors import InvalidRequest
from omokage.passport import Passport
from omokage.portrait import DEFAULT_SYSTEM, Order
from omokage.transport.inside_triton import Request, optional, string, whole, words
from omokage.turn import Turn

PICTURES = ("pose", "style", "image", "mask")


def ordered(request: Request) -> Order:
    """Raises InvalidRequest."""
    character = optional(request, "character")
    passport, other = (None if (data := string(request, name)) is None else Passport.from_bytes(data) for name in ("passport", "other"))
    return Order(
        words=words(request, "words") or "",
        unwanted=words(request, "unwanted") or "",
        photo=string(request, "photo"),
        passport=passport,
        character=None if character is None else int(character.flat[0]),
        other=other,
        system=words(request, "system") or DEFAULT_SYSTEM,
        seed=whole(request, "seed", 0),
        knobs=_knobs(words(request, "knobs") or "{}"),
        pictures={name: picture for name in PICTURES if (picture := string(request, name)) is not None},
    )


def turn(request: Request) -> Turn:
    """When it is served. Raises InvalidRequest."""
    milliseconds = optional(request, "deadline")
    deadline = None if milliseconds is None else int(milliseconds.flat[0]) / 1000
    return Turn(deadline=deadline, priority=whole(request, "priority", 0), client=words(request, "client") or "")


def _knobs(text: str) -> dict[str, object]:
    """A JSON object of numbers by name."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f'knobs is not JSON ({error}); send an object like {{"steps": 20}}') from None
    if not isinstance(found, dict):
        raise InvalidRequest(f'knobs is {type(found).__name__} in JSON; send an object like {{"steps": 20}}')
    return found
