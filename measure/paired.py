"""`python -m measure.paired`: the same portraits by the served engines and with other graphs in their place: what that changes, pair by pair."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from measure.following import Wish, by_thing, shown, wishes
from measure.in_process import InProcess
from measure.likeness import Floats, near
from measure.people import Sitter, sitters
from measure.portraits import Ask, Portrait, portrait
from measure.studio import WORK, engines_digest, enrolled, instead, recipes_digest
from training.people.graders import Graders

OUT = Path("out/paired.json")
FOLLOWING = "crossfaceid"  # the system that is to follow words


def asked(people: Sequence[Sitter]) -> list[Wish]:
    """One thing of each person, all things in turns."""
    each = -(-len(people) // len(wishes(1, 1)))
    of_each = wishes(each, each)
    kinds = {wish.about: [one for one in of_each if one.about == wish.about] for wish in of_each}
    turns = [kinds[about][turn] for turn in range(len(next(iter(kinds.values())))) for about in kinds]
    return turns[: len(people)]


def made(people: Sequence[Sitter], wanted: Sequence[Wish], steps: int, networks: dict[str, Path]) -> tuple[InProcess, list[Portrait]]:
    """A portrait of each person, of words alone and no pose; its seed is the person's place."""
    runtime, folder = InProcess(opening=instead(networks)), WORK / engines_digest(networks) / recipes_digest()
    found = []
    for place, (sitter, wish) in enumerate(zip(tqdm(people, "portraits", mininterval=5), wanted, strict=True)):
        ask = Ask(f"paired/{steps}/{sitter.seed}", FOLLOWING, wish.words, enrolled(runtime, sitter), place, {"steps": steps})
        found.append(portrait(runtime, ask, folder))
    return runtime, found


def to_another_shot(graders: Graders, people: Sequence[Sitter], portraits: Sequence[Portrait]) -> dict[str, list[float | None]]:
    """By recognizer, how near each portrait is to another shot of its person (cosine, or minus dlib's distance); None without a face."""
    found: dict[str, list[float | None]] = {"sface": [], "dlib": []}
    for sitter, one in zip(people, portraits, strict=True):
        shot, points = sitter.compared, np.array(sitter.compared.record["keypoints"], np.float32)
        face, seen = graders.detect(one.pixels), graders.detect(shot.image)
        for name, see in (("sface", graders.sface), ("dlib", graders.dlib)):
            real: Floats = see(shot.image, points if seen is None else seen[1])
            near_to = None if face is None else near(see(one.pixels, face[1])[None], real[None], distance=name == "dlib")
            found[name].append(None if near_to is None else round(float(near_to[0, 0]), 4))
    return found


def apart(one: Portrait, other: Portrait) -> float:
    """Root of the mean square of the pixels' differences, 0..255."""
    return float(np.sqrt(np.mean((one.pixels.astype(np.float64) - other.pixels) ** 2)))


def compared(count: int, steps: int, networks: dict[str, Path]) -> dict[str, Any]:
    people, graders = sitters(WORK / f"people-{count}", count), Graders()
    wanted = asked(people)
    found: dict[str, Any] = {"people": count, "steps": steps, "system": FOLLOWING, "asked": [wish.about for wish in wanted]}
    pictures = {}
    for name, graphs in (("served", {}), ("instead", networks)):
        runtime, pictures[name] = made(people, wanted, steps, graphs)
        followed = by_thing(wanted, shown(runtime, wanted, [one.pixels for one in pictures[name]]))
        shares = [followed[wish.about] for wish in wanted]  # a kind's share stands for each of its portraits, so their mean is that of all
        found[name] = {
            "likeness": to_another_shot(graders, people, pictures[name]),
            "followed": followed,
            "followed_of_all": round(float(np.mean(shares)), 4),
        }
    found["pixels_apart"] = [round(apart(one, other), 2) for one, other in zip(pictures["served"], pictures["instead"], strict=True)]
    for kind in ("sface", "dlib"):
        pairs = zip(found["instead"]["likeness"][kind], found["served"]["likeness"][kind], strict=True)
        changes = [after - before for after, before in pairs if after is not None and before is not None]
        found[f"{kind}_change"] = (
            {"mean": round(float(np.mean(changes)), 4), "deviation": round(float(np.std(changes)), 4), "pairs": len(changes)} if changes else None
        )
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m measure.paired", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", help="whose engine is not used")
    parser.add_argument("graph", type=Path, metavar="GRAPH", help="the ONNX graph in its place, run as it is written")
    parser.add_argument("--people", type=int, default=16, help="held-out people, a portrait each (default: 16)")
    parser.add_argument("--steps", type=int, default=20, help="default: 20")
    parser.add_argument("--out", type=Path, default=OUT, help=f"default: {OUT}")
    given = parser.parse_args(argv)
    if not given.graph.is_file() or given.people < 1 or given.steps < 1:
        parser.error(f"{given.graph} with {given.people} people and {given.steps} steps; wanted: an ONNX graph that is there, 1 or more of both")
    found = compared(given.people, given.steps, {given.network: given.graph})
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(found, indent=2) + "\n")
    for name in ("sface_change", "dlib_change", "pixels_apart"):
        print(f"{name:14} {found[name]}")
    print(f"{'followed':14} served {found['served']['followed_of_all']}, instead {found['instead']['followed_of_all']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
