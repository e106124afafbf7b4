"""`omokage`: the command line."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from omokage import edge
from omokage.client import Client, Portrait
from omokage.command import PICTURES, knobs, parser
from omokage.errors import InvalidRequest, OmokageError, ServerFault, ServerUnreachable
from omokage.passport import Passport
from omokage.preview import coarse
from omokage.progress import Bar
from omokage.stamp import read as read_stamp

PREVIEW_SIDE = 256  # pixels


def main(argv: Sequence[str] | None = None) -> int:
    """0; 2 for a bad request, 3 for an unreachable or unready server, 4 for a refusal, 1 for anything else. Errors are one line on stderr."""
    given = parser().parse_args(argv)
    commands = {"enroll": _enroll, "portrait": _portrait, "verify": _verify, "systems": _systems, "health": _health}
    try:
        found, lines = commands[given.command](given)
    except OmokageError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"error: {error.filename} cannot be written or read ({error.strerror}); choose another place", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: stopped", file=sys.stderr)
        return 1
    print(json.dumps(found) if given.json else lines)
    return 0


Answer = tuple[dict[str, Any], str]
"""(for --json, for people)."""


def _enroll(given: argparse.Namespace) -> Answer:
    told = {"name": given.name, "purposes": given.purpose, "expires": given.expires}
    if given.local is not None:
        if given.personal:
            raise InvalidRequest("--personal needs the server's engines; leave --local out")
        passport = edge.enroll(given.photos, given.local, **told)
    else:
        with Client(given.url, timeout=given.timeout) as client, Bar(sys.stderr) as bar:
            passport = client.enroll(given.photos, **told, **_learning(given, bar))
    passport.save(given.out)
    expires = passport.expires.isoformat() if passport.expires else None
    found = {"passport": str(given.out), "family": passport.family, "photos": len(given.photos), "name": passport.name, "expires": expires}
    found["notes"] = list(passport.notes)
    notes = "".join(f"\n  {note}" for note in passport.notes)
    return found, f"{given.out}: passport of {len(given.photos)} photo{'s' if len(given.photos) > 1 else ''}, family {passport.family}{notes}"


def _learning(given: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    """What `Client.enroll` wants for a personal prior."""
    if not given.personal:
        return {}
    seen: list[tuple[int, float]] = []

    def told(step: int, steps: int, loss: float) -> None:
        seen.append((step, time.monotonic()))
        (first, began), (_, now) = seen[0], seen[-1]
        left = f", about {(now - began) / (step - first) * (steps - step):.0f} s left" if step > first else ""
        bar.show(f"learning the person: step {step} of {steps}, loss {loss:.3f}{left}")

    return {"personal": True, "steps": given.personal_steps, "keep": given.out.with_name(given.out.name + ".learning"), "on_learn": told}


def _portrait(given: argparse.Namespace) -> Answer:
    if given.count < 1:
        raise InvalidRequest(f"--count is {given.count}; it must be 1 or more")
    if given.preview_every < 1:
        raise InvalidRequest(f"--preview-every is {given.preview_every}; it must be 1 or more")
    person = None if given.person is None else Passport.load(given.person)
    asked: dict[str, Any] = {
        "person": person,
        "photo": given.photo,
        "character": given.character,
        "other": None if given.mix is None else Passport.load(given.mix),
        "system": given.system,
        "unwanted": given.unwanted,
        "pictures": {kind: getattr(given, kind) for kind in PICTURES if getattr(given, kind) is not None},
        "knobs": knobs(given),
    }
    made = []
    with Client(given.url, timeout=given.timeout, orchestrate=given.orchestrate) as client, Bar(sys.stderr) as bar:
        seed = given.seed
        for number in range(given.count):
            out = given.out if given.count == 1 else given.out.with_stem(f"{given.out.stem}-{number + 1}")
            watch = _watcher(given.preview, bar, number + 1, given.count)
            bar.show(f"portrait {number + 1} of {given.count}")
            result = _made(client, given, watch, {**asked, "seed": seed})
            result.save(out)
            seed = result.seed + 1
            made.append((out, result))
    found = [_told(out, result) for out, result in made]
    lines = [_line(out, result) for out, result in made]
    return ({**found[0], "portraits": found} if len(found) > 1 else found[0]), "\n".join(lines)


Watch = Callable[[int, int, Image.Image | None], None]


def _made(client: Client, given: argparse.Namespace, watch: Watch, asked: dict[str, Any]) -> Portrait:
    """Watched step by step, wherever the steps run."""
    every = given.preview_every
    if client.orchestrate:
        turn = {name: value for name, value in (("deadline", given.deadline), ("priority", given.priority)) if value}
        colours = client.about()["preview"] if given.preview else ()

        def see(step: int, steps: int, clean: Any) -> None:
            decoded = step % every == 0 or step == steps
            watch(step, steps, None if not given.preview else client.decoded(clean) if decoded else Image.fromarray(coarse(clean, colours)))

        return client.portrait(given.words, on_step=see, **turn, **asked)
    if not given.preview and not sys.stderr.isatty():
        return client.portrait(given.words, deadline=given.deadline, priority=given.priority, **asked)  # tried again where a model dies under it
    often = {"preview_every": 1, "decode_every": every} if given.preview else {}
    for found in client.stream(given.words, deadline=given.deadline, priority=given.priority, **often, **asked):
        if isinstance(found, Portrait):
            return found
        watch(found.number, found.steps, found.image)
    raise ServerFault("the server ended without a portrait; ask again, or look at its log")


def _watcher(folder: Path | None, bar: Bar, number: int, count: int) -> Watch:
    """Shows every step, and keeps what it expects; coarse pictures are enlarged."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)

    def watch(step: int, steps: int, seen: Image.Image | None) -> None:
        bar.show(f"portrait {number}/{count}: step {step} of {steps}")
        if folder is not None and seen is not None:
            size = (max(PREVIEW_SIDE, seen.width), max(PREVIEW_SIDE, seen.height))
            seen.resize(size, Image.Resampling.BICUBIC).save(folder / f"portrait-{number}-step-{step:03d}.png")

    return watch


def _told(out: Path, result: Portrait) -> dict[str, Any]:
    return {
        "image": str(out),
        "system": result.system,
        "seed": result.seed,
        "steps": result.steps,
        "likeness": result.likeness,
        "seconds": result.seconds,
        "server_seconds": result.server_seconds,
        "words_cut": result.report["words_cut"],
        "notes": result.report["notes"],
    }


def _line(out: Path, result: Portrait) -> str:
    likeness = "no face found" if result.likeness is None else f"likeness {result.likeness:.2f}"
    cut = f"\n  not read, too long: {result.report['words_cut']!r}" if result.report["words_cut"] else ""
    notes = "".join(f"\n  {note}" for note in result.report["notes"])
    return f"{out}: {result.system}, seed {result.seed}, {result.steps} steps, {likeness}, {result.seconds:.1f} s{cut}{notes}"


def _verify(given: argparse.Namespace) -> Answer:
    stamp = read_stamp(given.file)
    said = ", ".join(f"{name} {value}" for name, value in stamp.origin.items())
    return {**stamp.origin, "unchanged": stamp.unchanged, "signed": False}, (
        f"{given.file}: {said}\n{'its pixels are as they were' if stamp.unchanged else 'its pixels were changed since'}; it is not signed"
    )


def _systems(given: argparse.Namespace) -> Answer:
    with Client(given.url, timeout=given.timeout) as client:
        about = client.about()
    lines = []
    for system in about["systems"]:
        lines.append(f"{system['name']}: {system['says']}" + (f" (takes: {', '.join(system['pictures'])})" if system["pictures"] else ""))
        lines += [f"  {k['name']:16} {'free' if k['default'] is None else k['default']!s:6} {k['range']}  {k['meaning']}" for k in system["knobs"]]
    return {"family": about["family"], "systems": about["systems"]}, "\n".join(lines)


def _health(given: argparse.Namespace) -> Answer:
    with Client(given.url, timeout=given.timeout) as client:
        if not client.ready():
            raise ServerUnreachable(f"the server at {given.url} is not ready yet; wait, and look at its log")
    return {"url": given.url, "ready": True}, f"{given.url}: ready"


if __name__ == "__main__":
    sys.exit(main())
