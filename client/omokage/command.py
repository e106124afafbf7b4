"""The command line's words: what may be typed."""

import argparse
import datetime
from pathlib import Path

from omokage.personal import STEPS as PERSONAL_STEPS
from omokage.portrait import DEFAULT_SYSTEM

URL = "localhost:8001"
PICTURES = ("pose", "style", "image", "mask")


def parser() -> argparse.ArgumentParser:
    """`omokage COMMAND`; bad words end with exit code 2."""
    top = argparse.ArgumentParser(prog="omokage", description="Portraits that stay the same person.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", default=URL, metavar="HOST:PORT", help=f"the server (default: {URL})")
    common.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    common.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS", help="for one call (default: 120)")
    commands = top.add_subparsers(dest="command", required=True)
    _enroll(commands.add_parser("enroll", parents=[common], help="photos of a person to a passport"))
    _portrait(commands.add_parser("portrait", parents=[common], help="a portrait of a person by words"))
    verify = commands.add_parser("verify", parents=[common], help="what a picture says of how it was made, and whether its pixels are as they were")
    verify.add_argument("file", type=Path, metavar="FILE")
    commands.add_parser("systems", parents=[common], help="the systems of the server, with their knobs")
    commands.add_parser("health", parents=[common], help="whether the server is ready")
    return top


def _enroll(enroll: argparse.ArgumentParser) -> None:
    enroll.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    enroll.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the passport goes")
    enroll.add_argument("--name", default="", help="of the person, kept in the passport")
    enroll.add_argument("--purpose", action="append", default=[], metavar="TEXT", help="what the person agreed to; may be given several times")
    enroll.add_argument("--expires", type=_date, metavar="DATE", help="last day of the consent, YYYY-MM-DD (default: never)")
    enroll.add_argument(
        "--personal",
        action="store_true",
        help="learn the person, too, from 3 to 5 photos: takes minutes; given again, it goes on where it was stopped",
    )
    enroll.add_argument("--personal-steps", type=int, default=PERSONAL_STEPS, metavar="N", help=f"of that learning (default: {PERSONAL_STEPS})")
    enroll.add_argument(
        "--local", type=Path, metavar="ENGINES", help="on this machine, by a folder of engines: the photo never leaves it; needs omokage[edge]"
    )


def _portrait(portrait: argparse.ArgumentParser) -> None:
    portrait.add_argument("words", metavar="WORDS")
    who = portrait.add_mutually_exclusive_group(required=True)
    who.add_argument("--person", type=Path, metavar="PASSPORT")
    who.add_argument("--photo", type=Path)
    who.add_argument("--character", type=int, metavar="SEED", help="an invented person, for one number always the same")
    portrait.add_argument("--system", default=DEFAULT_SYSTEM, help=f"default: {DEFAULT_SYSTEM}; `omokage systems` lists them")
    for kind in PICTURES:
        portrait.add_argument(f"--{kind}", type=Path, metavar="PHOTO" if kind == "pose" else "PICTURE")
    portrait.add_argument("--mix", type=Path, metavar="PASSPORT", help="of another person, to be mixed in; how much: --set mix=SHARE")
    portrait.add_argument("--unwanted", default="", metavar="WORDS", help="what is not wanted")
    portrait.add_argument("--seed", type=int, help="the same seed gives the same picture (default: drawn)")
    portrait.add_argument("--steps", type=int)
    portrait.add_argument("--guidance", type=float, metavar="W")
    portrait.add_argument("--identity-scale", type=float, metavar="S")
    portrait.add_argument("--set", action="append", default=[], type=_setting, metavar="NAME=VALUE", help="any knob of the system")
    portrait.add_argument("--count", type=int, default=1, help="that many, with seeds one after another (default: 1)")
    portrait.add_argument("--preview", type=Path, metavar="DIR", help="what every step expects, as pictures; coarse ones but for some")
    said = "steps between two previews by the decoder, which take time; the last step has one (default: 5)"
    portrait.add_argument("--preview-every", type=int, default=5, metavar="N", help=said)
    portrait.add_argument("--deadline", type=float, metavar="SECONDS", help="from when the server has the request; refused where it cannot be met")
    portrait.add_argument("--priority", type=int, default=0, metavar="0-9", help="higher goes first (default: 0)")
    portrait.add_argument("--orchestrate", action="store_true", help="run the recipe here, step by step; the pixels are the same")
    portrait.add_argument("--out", type=Path, required=True, metavar="FILE", help="a PNG; with --count, a number goes before its ending")


def knobs(given: argparse.Namespace) -> dict[str, object]:
    """The knobs that were named; whether there are such is looked at when the request is made."""
    named = {"steps": given.steps, "guidance": given.guidance, "identity_scale": given.identity_scale}
    return {name: value for name, value in named.items() if value is not None} | dict(given.set)


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it as YYYY-MM-DD") from None


def _setting(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} sets nothing; write it as NAME=VALUE")
    try:
        return name, float(value)
    except ValueError:
        return name, value
