"""`make run`: start the server, enrol a person, make portraits by two systems and three prompts, print a table, stop the server."""

import argparse
import sys
from pathlib import Path

import omokage
from PIL import Image

from server_config.__main__ import REPOSITORY
from server_config.arguments import SERVED, Ports
from server_config.canary import sing
from server_config.errors import ServerError
from server_config.supervisor import Server

SAMPLE = Path(__file__).parents[1] / "docs" / "img" / "sample.jpg"
OUT = Path("out")
SYSTEMS = ("crossfaceid", "face-makeup")
PROMPTS = (
    "smiling, warm window light, wearing a red knitted sweater, in front of a blurred garden",
    "with a neutral expression, wearing a white T-shirt, city lights at night",
    "smiling with teeth showing, bright sunlight, in front of a sandy beach with the sea",
)
SEED = 7
TILE = 256  # pixels


def main() -> int:
    """0, 1 for anything that the user can mend, or the exit code of the client's error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", type=Path, default=SAMPLE, help="of a person (default: the shipped sample, who does not exist)")
    parser.add_argument("--steps", type=int, default=20)
    given = parser.parse_args()
    try:
        print("starting the server …", flush=True)
        with Server(REPOSITORY, Ports.free(), models=SERVED, canary=sing) as server, omokage.Client(server.url) as client:
            made = portraits(client, given.photo, given.steps)
    except ServerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except omokage.OmokageError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    OUT.mkdir(exist_ok=True)
    made[0].save(OUT / "portrait.png")
    sheet(given.photo, made).save(OUT / "sheet.png")
    print(f"\n{OUT}/portrait.png and, with all of them beside the photo, {OUT}/sheet.png")
    return 0


def portraits(client: omokage.Client, photo: Path, steps: int) -> list[omokage.Portrait]:
    """Of every system and prompt in the photo's pose, each printed as it comes."""
    person = client.enroll(photo)
    print(f"{'system':12} {'steps':>5} {'likeness':>8} {'seconds':>7}  prompt")
    made = []
    for system in SYSTEMS:
        for prompt in PROMPTS:
            portrait = client.portrait(prompt, person=person, system=system, seed=SEED, knobs={"steps": steps}, pictures={"pose": photo})
            likeness = "no face" if portrait.likeness is None else f"{portrait.likeness:.3f}"
            print(f"{system:12} {portrait.steps:5} {likeness:>8} {portrait.seconds:7.2f}  {prompt}", flush=True)
            made.append(portrait)
    return made


def sheet(photo: Path, made: list[omokage.Portrait]) -> Image.Image:
    """The photo and, beside it, a row for every system."""
    rows = len(SYSTEMS)
    found = Image.new("RGB", (TILE * (1 + len(PROMPTS)), TILE * rows), "white")
    with Image.open(photo) as opened:
        small = opened.convert("RGB")
        small.thumbnail((TILE, TILE))
    found.paste(small, (0, 0))
    for place, portrait in enumerate(made):
        found.paste(portrait.image.resize((TILE, TILE)), (TILE * (1 + place % len(PROMPTS)), TILE * (place // len(PROMPTS))))
    return found


if __name__ == "__main__":
    sys.exit(main())
