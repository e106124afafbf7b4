"""MegaPortrait of people who were learned: likeness, what it keeps of the reference, and what each of its three parts is there for."""

from collections.abc import Sequence
from typing import Any

from omokage.faces import Image
from omokage.systems.megaportrait import MEGAPORTRAIT

from measure import edits
from measure.claims import claim
from measure.graded import Real, apart, graded, mean, png, seconds
from measure.learned import Learned, made
from measure.studio import Studio


def put_in(studio: Studio, known: Sequence[Learned], truth: Real) -> tuple[dict[str, Any], dict[str, Any], dict[str, list[Image]]]:
    """(numbers, claims, rows of pictures): everybody into the picture that the next one is asked for by. `truth`: of these people."""
    references = [known[(place + 1) % len(known)].sitter.asked for place in range(len(known))]
    truth = Real(truth.vectors, [*truth.keypoints[1:], truth.keypoints[0]])  # the face is to lie where the reference's does
    ways: dict[str, dict[str, object]] = {"whole": {}, "no shading": {"shading": 0.0}, "no harmonization": {"harmonize": 0.0}}
    portraits = {
        tag: [
            made(studio, MEGAPORTRAIT.name, tag, "a portrait of a person", one, {"style": png(shown)}, knobs=knobs)
            for one, shown in zip(known, references, strict=True)
        ]
        for tag, knobs in ways.items()
    }
    images = {tag: [one.pixels for one in row] for tag, row in portraits.items()} | {"no identity": [shown.image for shown in references]}
    numbers = {tag: graded(studio.graders, row, truth)[0] for tag, row in images.items()}
    people = [one.passport.face for one in known]
    masks = [edits.shared(studio, shown, face) for shown, face in zip(references, people, strict=True)]
    tone = {
        tag: mean(edits.tones_apart(image, shown.image, mask) for image, shown, mask in zip(images[tag], references, masks, strict=True))
        for tag in images
    }
    necks = [edits.under_chin(studio, shown, face) for shown, face in zip(references, people, strict=True)]
    seam = {
        tag: mean(edits.seam(image, shown.image, neck) for image, shown, neck in zip(images[tag], references, necks, strict=True)) for tag in images
    }
    kept = mean(
        edits.kept(image, shown.image, edits.heads(studio, image, shown.image)) for image, shown in zip(images["whole"], references, strict=True)
    )
    again = [
        made(studio, MEGAPORTRAIT.name, "again", "a portrait of a person", one, {"style": png(shown)}, seed=one.sitter.seed + 1)
        for one, shown in zip(known, references, strict=True)
    ]
    found = numbers["whole"] | edits.as_in(studio, images["whole"], images["no identity"])
    found |= {"diversity": mean(apart([one, other.pixels]) for one, other in zip(images["whole"], again, strict=True))}
    found |= {"background_psnr": kept, "seconds": seconds(portraits["whole"])}
    claims = {
        "megaportrait: Identity Net": claim(
            numbers["whole"]["likeness"] > numbers["no identity"]["likeness"],
            "without it likeness falls",
            likeness=numbers["whole"]["likeness"],
            without=numbers["no identity"]["likeness"],
        ),
        "megaportrait: Shading Net": claim(
            tone["whole"] < tone["no shading"],
            "without it the colours lie farther from the reference's",
            apart=tone["whole"],
            without=tone["no shading"],
        ),
        "megaportrait: Harmonization Net": claim(
            seam["whole"] < seam["no harmonization"], "without it the seam shows more", seam=seam["whole"], without=seam["no harmonization"]
        ),
    }
    rows = {"reference": images["no identity"], "megaportrait": images["whole"]}
    return found, claims, rows
