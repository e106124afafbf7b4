"""Stage `parsing`: what a portrait shows, pixel by pixel, learned from the parts that pictures are rendered of."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.face_parsing import FaceParsing
from export.families import PARSED
from training.mini.loop import Image, Schedule
from training.mini.pictures import sheet, to_tensor
from training.people.loader import Dataset
from training.people.parts import Part

SHOWS = dict.fromkeys(Part, "skin") | {
    Part.BACKGROUND: "background",
    Part.HAIR: "hair",
    Part.BEARD: "beard",
    Part.CLOTH: "clothes",
    Part.GLASSES: "glasses",
    Part.HAT: "hat",
    Part.EARRING: "earring",
}
IS = np.array([PARSED.index(SHOWS[part]) for part in Part], np.uint8)
"""By what a pixel is rendered of, its place among PARSED."""
COLOURS = np.array(
    [(40, 40, 40), (230, 180, 150), (120, 80, 40), (200, 120, 30), (60, 90, 190), (240, 60, 60), (60, 180, 90), (250, 230, 90)], np.uint8
)  # of PARSED, on the sheet
ELSEWHERE = 0.5  # share of the pictures that are put before another's background
SIZED, MOVED, LEANT = (0.8, 1.25), 0.1, 15.0  # times; of the side; degrees


@dataclass(frozen=True, kw_only=True)
class ParsingConfig:
    schedule: Schedule = Schedule(steps=3000, batch=16, learning_rate=2e-3, warmup=100, decay=0.6, average=0.998, minutes_between_checkpoints=4)
    judged: int = 128
    shown: int = 8


@dataclass(frozen=True)
class Labelled:
    """Pictures [n, H, W, 3] RGB and what they show [n, H, W], places among PARSED."""

    picture: Image
    shows: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.picture)


def read(data: Dataset) -> Labelled:
    """All pictures of a folder that has none with a broken border, whose maps would not be theirs."""
    return Labelled(np.stack(list(data.images())), IS[np.stack(list(data.part_maps()))])


class ParsingStage:
    """Train on some pictures, judge on those of other people."""

    name = "parsing"

    def __init__(self, config: ParsingConfig, train: Labelled, held_out: Labelled) -> None:
        self.config, self.schedule = config, config.schedule
        self._train, self._held_out = train, held_out
        torch.manual_seed(config.schedule.seed)
        self._parsing = FaceParsing().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network: nn.Module = self._parsing
        self.heavy: tuple[nn.Module, ...] = (self.network,)
        often = np.bincount(train.shows.ravel(), minlength=len(PARSED)) / train.shows.size
        self._counts = torch.from_numpy(np.minimum(0.3 / np.sqrt(np.maximum(often, 1e-4)), 8)).float()  # what is rare counts more

    def batch(self, draw: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Pictures [n, 3, H, W] in -1..1 and what they show [n, H, W]: turned, sized, mirrored, before other backgrounds, in other light."""
        rows = [self._varied(int(row), draw) for row in draw.integers(len(self._train), size=self.schedule.batch)]
        return to_tensor([picture for picture, _ in rows]), torch.from_numpy(np.stack([shows for _, shows in rows])).long()

    def _varied(self, row: int, draw: np.random.Generator) -> tuple[Image, npt.NDArray[np.uint8]]:
        picture, shows = self._train.picture[row], self._train.shows[row]
        if draw.random() < ELSEWHERE:
            picture = np.where((shows == 0)[..., None], self._behind(draw), picture)
        side = len(picture)
        place = np.asarray(cv2.getRotationMatrix2D((side / 2, side / 2), draw.uniform(-LEANT, LEANT), draw.uniform(*SIZED)), np.float64)
        place[:, 2] += draw.uniform(-MOVED, MOVED, 2) * side
        if draw.random() < 0.5:
            place = place @ np.array([[-1.0, 0, side - 1], [0, 1, 0], [0, 0, 1]])
        gain, power = np.exp(draw.normal(0, 0.15, 3) + draw.normal(0, 0.2)), np.exp(draw.normal(0, 0.15))
        light = np.clip((np.arange(256)[:, None] / 255) ** power * gain, 0, 1)
        picture = np.stack([np.rint(light[picture[..., channel], channel] * 255).astype(np.uint8) for channel in range(3)], 2)
        picture = cv2.warpAffine(picture, place, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        if draw.random() < 0.3:
            picture = cv2.GaussianBlur(picture, (0, 0), draw.uniform(0.3, 1.2))
        return np.asarray(picture), np.asarray(cv2.warpAffine(shows, place, (side, side), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE))

    def _behind(self, draw: np.random.Generator) -> Image:
        """One colour, or what is behind somebody else, whose own place takes its mean colour, softly."""
        if draw.random() < 0.3:
            return np.broadcast_to(draw.integers(0, 256, 3).astype(np.uint8), self._train.picture.shape[1:])
        row = int(draw.integers(len(self._train)))
        there = (self._train.shows[row] == 0).astype(np.float32)
        picture = self._train.picture[row] * there[..., None]
        wide = (0, 0), 12.0
        spread = cv2.GaussianBlur(picture, *wide) / np.maximum(cv2.GaussianBlur(there, *wide), 1e-3)[..., None]
        return np.asarray(np.where(there[..., None] > 0, picture, np.clip(spread, 0, 255)), np.uint8)

    def loss(self, batch: tuple[Tensor, Tensor], noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        picture, shows = batch
        loss = F.cross_entropy(self._parsing.scores(picture), shows, self._counts)
        return loss, {"wrong": loss.item()}

    @torch.no_grad()
    def judge(self) -> tuple[dict[str, float], Image]:
        """On people never trained on, for each of PARSED, what is rightly taken for it of all that is it or is taken for it."""
        chosen = np.linspace(0, len(self._held_out) - 1, min(self.config.judged, len(self._held_out))).astype(int)
        found = np.concatenate(
            [
                self._parsing.scores(to_tensor(list(self._held_out.picture[part]))).argmax(1).numpy()
                for part in np.array_split(chosen, -(-len(chosen) // 8))
            ]
        )
        true = self._held_out.shows[chosen]
        numbers = {name: ((found == k) & (true == k)).sum() / max(1, ((found == k) | (true == k)).sum()) for k, name in enumerate(PARSED)}
        shown = np.linspace(0, len(chosen) - 1, min(self.config.shown, len(chosen))).astype(int)
        rows = [self._held_out.picture[chosen[shown]], COLOURS[found[shown]], COLOURS[true[shown]]]
        return {name: round(float(value), 4) for name, value in numbers.items()}, sheet([list(row) for row in rows])
