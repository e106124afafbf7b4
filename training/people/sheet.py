"""Sheets to look at: many pictures side by side, or a few with their truth."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.people.errors import InvalidRequest
from training.people.loader import Dataset
from training.people.parts import Part

Image = npt.NDArray[np.uint8]
ENDINGS = (".png", ".webp", ".jpg")
TRUTH_ROWS = 4  # pictures of a sheet of truth
PART_COLOURS = np.array(
    [
        *[(0, 0, 0), (224, 172, 138), (255, 255, 255), (92, 60, 40), (40, 24, 16), (210, 60, 80), (250, 250, 210), (190, 90, 110)],
        *[(60, 90, 180), (240, 190, 40), (40, 150, 90), (250, 220, 60), (130, 80, 50)],
    ],
    np.uint8,
)
"""RGB of every `parts.Part`, in its order."""
assert len(PART_COLOURS) == len(Part)


def contact_sheet(folder: Path, path: Path, *, columns: int = 8, rows: int = 6) -> None:
    """A picture file of pictures spread evenly over the folder: two rows of people one after another, then one picture each of others."""
    data = Dataset(folder)
    by_person: dict[int, list[Any]] = {}
    for row in data.rows:
        by_person.setdefault(row.person, []).append(row)
    people = list(by_person.values())
    top = [shot for shots in people for shot in shots]
    chosen = top[: 2 * columns]
    rest = people[len({row.person for row in chosen}) :] or people
    wanted = columns * rows - len(chosen)
    chosen += [rest[k * len(rest) // wanted % len(rest)][k % len(rest[0])] for k in range(wanted)]
    tiles = [data.image(row) for row in chosen]
    lines = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    write_picture(path, np.vstack(lines))


def truth_sheet(folder: Path, path: Path) -> None:
    """A picture file of a few pictures, each with landmarks and keypoints, part ids, face mask, depth and normals."""
    data = Dataset(folder)
    chosen = data.rows[:: -(-len(data) // TRUTH_ROWS)][:TRUTH_ROWS]
    lines = []
    for row in chosen:
        image, record, maps = data.image(row), data.record(row), data.maps(row)
        seen = maps["depth"] > 0
        near, far = maps["depth"][seen].min(), maps["depth"][seen].max()
        depth = np.where(seen, 255 - 215 * (maps["depth"] - near) / (far - near), 0)
        grey = [np.repeat(np.asarray(one, np.uint8)[..., None], 3, 2) for one in (maps["face"] * 255, depth)]
        normals = np.where(seen[..., None], (maps["normals"] * 0.5 + 0.5) * 255, 0).astype(np.uint8)
        lines.append(np.hstack([_marked(image, record), PART_COLOURS[maps["parts"]], *grey, normals]))
    write_picture(path, np.vstack(lines))


def _marked(image: Image, record: dict[str, Any]) -> Image:
    """The picture with its landmarks in green and its five keypoints in red."""
    marked = image.copy()
    for points, radius, colour in ((record["landmarks"], 0, (60, 255, 60)), (record["keypoints"], 2, (255, 40, 40))):
        for x, y in points:
            cv2.circle(marked, (int(x), int(y)), radius, colour, -1)
    return marked


def write_picture(path: Path, image: Image) -> None:
    if path.suffix not in ENDINGS:
        raise InvalidRequest(f"{path.name} ends in {path.suffix or 'nothing'}; give a name that ends in one of: {', '.join(ENDINGS)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.ascontiguousarray(image[..., ::-1]))
