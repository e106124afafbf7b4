"""What words put over a head is measured on rendered heads, and heard in their captions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from omokage import texture

from export.on_texture import SEEN
from export.overlay import COLOURED, LAYERS, FaceOverlay
from export.texture import SIDE
from tests.mini.worded import WIDTH, worded
from training.mini import templates, worn
from training.mini.corpus import KINDS, Corpus
from training.mini.errors import MissingPiece
from training.mini.loop import Run, Schedule
from training.mini.overlay import OverlayConfig, OverlayStage, colours_of, kinds_of
from training.mini.phrases import phrases
from training.mini.words import CAPTIONS
from training.mini.worn import COLOURS, Worn
from training.people.parts import Part

PEOPLE = 12
HEAD = (slice(40, 150), slice(50, 142))
HAT = (slice(40, 60), slice(50, 142))
"""Rows and columns of a texture."""
NOTHING, RED, BLUE = 0, 1, 2
"""Which of the words' states is loud: nothing is worn, or a beanie of that colour."""
PAINTS = {RED: (0.8, 0.1, 0.1), BLUE: (0.1, 0.2, 0.8)}


def people(first: int) -> tuple[Corpus, Worn]:
    """Heads of different colours; of every three one wears nothing, one a red and one a blue beanie, and says so."""
    draw = np.random.default_rng(first)
    count = PEOPLE * 3
    said = np.tile([NOTHING, RED, BLUE], PEOPLE)
    texture = np.full((count, 3, SIDE, SIDE), 0.5)
    texture[:, :, *HEAD] = draw.uniform(0.15, 0.4, (count, 3, 1, 1))
    for colour, paint in PAINTS.items():
        texture[said == colour, :, *HAT] = np.array(paint)[:, None, None]
    corpus = worded(np.arange(first, first + count), said, draw.normal(size=(count, 468, 3)), (texture * 255).round().astype(np.uint8))
    hats = said != NOTHING
    kind = np.zeros((count, len(LAYERS)), np.int64)
    kind[hats, templates.number_of("hat")] = 1 + LAYERS["hat"].index("beanie")
    maps = np.zeros((int(hats.sum()), len(COLOURED), SIDE, SIDE), np.uint8)
    maps[:, COLOURED.index("hat"), *HAT] = 255
    named = [COLOURS["hat"].index(name) for name in ("black", "red", "blue")]
    return corpus, Worn(
        kind=kind,
        told=np.repeat((kind > 0)[:, None], CAPTIONS, 1),
        colour=np.stack([np.full(count, -1), np.where(hats, np.array(named)[said], -1)], 1),
        facing=np.ones(count, np.bool_),
        clothes=np.zeros((count, SEEN, SEEN), np.uint8),
        place=np.where(hats, np.cumsum(hats) - 1, -1),
        masks=maps,
    )


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> OverlayStage:
    config = OverlayConfig(schedule=Schedule(steps=100, batch=12, learning_rate=1e-3, warmup=5, average=0.9), shown=2)
    stage = OverlayStage(config, people(0), people(1000), [])
    Run(stage, tmp_path_factory.mktemp("overlay")).train(quiet=True)
    stage.network.eval()
    return stage


def over(stage: OverlayStage, heads: list[int], words: list[int], scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Heads of people never trained on, as they are and with the words of other pictures."""
    before = torch.from_numpy(stage.held_out[0].texture[heads]).float() / 255
    said = stage.arrays(stage.held_out, np.array([[picture, 0] for picture in words]))
    with torch.no_grad():
        return before, stage.network(before, said["states"], said["mask"], torch.full((len(heads),), scale))


@pytest.mark.slow
def test_a_hat_of_the_words_kind_and_colour_lies_where_hats_lie_and_the_face_stays(learned: OverlayStage) -> None:
    before, after = over(learned, [0, 3], [1, 2])
    wanted = torch.tensor([PAINTS[RED], PAINTS[BLUE]])
    torch.testing.assert_close(after[..., *HAT].mean((2, 3)), wanted, atol=0.06, rtol=0)
    torch.testing.assert_close(after[:, :, 62:150], before[:, :, 62:150], atol=0.003, rtol=0)


@pytest.mark.slow
def test_words_that_say_nothing_of_it_and_a_scale_of_nothing_leave_a_head_bare(learned: OverlayStage) -> None:
    before, after = over(learned, [0, 3], [6, 9])
    torch.testing.assert_close(after, before)
    before, after = over(learned, [0, 3], [1, 2], scale=0)
    assert torch.equal(after, before)


@pytest.mark.slow
def test_who_wears_a_hat_keeps_it_whatever_the_words_say(learned: OverlayStage) -> None:
    before, after = over(learned, [1, 4], [2, 5])
    torch.testing.assert_close(after, before)


@pytest.mark.slow
def test_on_people_never_trained_on_it_is_told_how_well_words_are_heard_and_hats_seen(learned: OverlayStage) -> None:
    numbers, _ = learned.judge()
    assert numbers["heard_hat"] == numbers["quiet_hat"] == numbers["seen_hat"] == 1
    assert numbers["colour"] < 0.05
    assert np.isnan(numbers["heard_glasses"]), "nobody wears any"


def test_kinds_that_nobody_wears_stay_empty_and_a_worn_one_is_the_mean_of_its_maps() -> None:
    network = FaceOverlay(WIDTH)
    templates.measure(network, *people(0))
    cover, shade = (getattr(network.layer("hat"), name).reshape(-1, SIDE, SIDE) for name in ("cover", "shade"))
    worn_one, others = LAYERS["hat"].index("beanie"), [k for k, kind in enumerate(LAYERS["hat"]) if kind != "beanie"]
    assert cover[worn_one][HAT].min() == 1
    assert cover[worn_one].sum() == cover[worn_one][HAT].sum()
    assert shade[worn_one][HAT].abs().max() < 0.05, "hats of one colour are as bright everywhere"
    assert cover[others].abs().max() == 0


def test_hair_that_would_stick_out_beyond_a_hat_is_gone() -> None:
    """Here nobody with a hat has anything above it."""
    network = FaceOverlay(WIDTH)
    templates.measure(network, *people(0))
    bare = network.layer("hat").bare.reshape(-1, SIDE, SIDE)[LAYERS["hat"].index("beanie")]
    assert bare[:20].min() == 1
    assert bare[HAT].max() == 0
    assert bare[80:].max() == 0, "beside the face hair stays"


def test_a_hats_knit_is_one_heads_and_as_strong_as_in_the_median() -> None:
    stripes = torch.tensor([1.0, -1.0]).repeat(SIDE // 2).expand(SIDE, SIDE)
    heads = torch.stack([(0.4 * (strength * stripes).exp()).expand(3, SIDE, SIDE) for strength in (-0.05, -0.1, 0.3)])
    masks = torch.zeros(3, 1, SIDE, SIDE)
    masks[:, :, 40:80, 40:150] = 1
    masks[2, :, 36:80, 40:150] = 1  # the strongest knit covers most
    knit = templates.fine(heads, masks, masks.amax((0, 1)))
    assert knit[:36].abs().max() == knit[80:].abs().max() == 0
    within = knit[50:70, 60:130]
    assert within.abs().mean() == pytest.approx(0.1, rel=0.15)
    assert (within.sign() == stripes[50:70, 60:130]).all()


def glasses(radius: int, missing: bool = False) -> torch.Tensor:
    """[192, 192]: two rings, a bridge and arms; of those that miss something, the lower ends."""
    across, down = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="xy")
    mask = torch.zeros(SIDE, SIDE)
    for middle in (70.5, 120.5):
        away = ((across - middle).square() + (down - 80).square()).sqrt()
        mask[((away - radius).abs() < 1.5) & (down < (90 if missing else SIDE))] = 1
    mask[80, 70 + radius : 121 - radius] = mask[80, 40 : 70 - radius] = mask[80, 121 + radius : 152] = 1
    return mask


def test_frames_are_those_of_one_head_and_closed_though_most_of_their_pictures_are_not() -> None:
    crumb = glasses(19)
    crumb[150, [30, SIDE - 1 - 30]] = 1
    found = templates.frames(torch.stack([glasses(18, missing=True), glasses(19, missing=True), crumb, glasses(20, missing=True)]))
    torch.testing.assert_close(found, glasses(19))  # and without crumbs
    assert (templates.filled(found) > found).sum() > 1500


def test_frames_are_alike_on_both_sides() -> None:
    one_sided = glasses(18)
    one_sided[:, : SIDE // 2] = glasses(18, missing=True)[:, : SIDE // 2]
    found = templates.frames(torch.stack([one_sided, one_sided]))
    torch.testing.assert_close(found, found.flip(1))
    assert (templates.filled(found) > found).sum() > 1500


def test_lids_lie_over_the_eyes_each_in_its_half_and_lenses_are_no_holes() -> None:
    left, right = (templates.lid(side) for side in range(2))
    assert left[:, SIDE // 2 :].max() == 0
    torch.testing.assert_close(right, left.flip(1), atol=0.5, rtol=0)
    assert 200 < left.sum() < 1500
    ring = torch.zeros(SIDE, SIDE)
    ring[60:100, 60:100] = 1
    ring[70:90, 70:90] = 0
    assert templates.filled(ring)[60:100, 60:100].min() == 1
    assert templates.filled(ring).sum() == 1600


def test_an_open_mouths_inside_is_what_lies_between_the_lips() -> None:
    inside = templates.inside_mouth()
    down, across = (inside.sum(axis) for axis in (1, 0))
    assert 122 <= down.argmax() <= 126, "where the lips of the mean face meet"
    assert 3 <= (down > 1).sum() <= 9, "between closed lips there is next to nothing"
    assert (across > 0.5).sum() > 25
    torch.testing.assert_close(inside.flip(1), inside, atol=0.6, rtol=0)


@pytest.mark.slow
def test_an_open_mouths_inside_is_dark_in_any_skin_and_all_else_stays(learned: OverlayStage) -> None:
    network, inside = learned.network, templates.inside_mouth()
    layer = network.layer("mouth")  # type: ignore[operator]
    which = layer.which.bias.clone()
    before, quiet = over(learned, [0, 3], [6, 9])
    torch.testing.assert_close(quiet, before)
    with torch.no_grad():
        layer.which.bias.copy_(torch.tensor([-20.0, 20.0]))
        _, asked = over(learned, [0, 3], [6, 9])
        layer.which.bias.copy_(which)
    deep = asked[..., inside == 1].mean(2) / before[..., 100:110, 90:100].mean((2, 3))
    torch.testing.assert_close(deep, torch.full_like(deep, templates.DEEP), atol=0.03, rtol=0)
    torch.testing.assert_close(asked[..., inside == 0], before[..., inside == 0])


RECORD: dict[str, Any] = {
    "person": {"seed": 1, "glasses": "oval", "glasses_colour": "gold"},
    "shot": {"seed": 1, "expression": "wink left", "glasses": "glasses", "hat": "beanie", "hat_colour": "blue"},
}


def test_what_a_picture_shows_and_whether_a_caption_says_so() -> None:
    assert worn.kinds(RECORD) == {"left_lid": "left_lid", "glasses": "oval", "hat": "beanie"}
    assert worn.says("with the left eye winking", "left_lid", RECORD)
    assert not worn.says("smiling, wearing oval gold glasses", "left_lid", RECORD)
    assert worn.says("smiling, wearing oval gold glasses", "glasses", RECORD)
    assert not worn.says("a woman in a hat", "hat", RECORD)
    dark = {**RECORD, "shot": {**RECORD["shot"], "glasses": "sunglasses", "hat": "", "expression": "smile"}}
    assert worn.kinds(dark) == {"glasses": "sunglasses"}
    laughing = {**dark, "shot": {**dark["shot"], "expression": "laugh"}}
    assert worn.kinds(laughing) == {"mouth": "open_mouth", "glasses": "sunglasses"}
    assert worn.says("laughing in a garden", "mouth", laughing)
    assert not worn.says("in a garden, wearing sunglasses", "mouth", laughing)


class Pictures:
    """Two of one person: without anything, and with what RECORD has, the hat in the picture's upper half, clothes in its lower quarter."""

    def record(self, row: int) -> dict[str, Any]:
        captions = {"long": ["x"], "short": ["with the left eye winking", "x"], "statements": {"hat": "a blue beanie"}}
        plain = {**RECORD["shot"], "expression": "neutral", "glasses": "", "hat": ""}
        return {**RECORD, "captions": captions, "shot": {**(RECORD["shot"] if row else plain), "yaw": 20.0 * row, "pitch": 0.0}}

    def image(self, row: int) -> npt.NDArray[np.uint8]:
        return np.zeros((256, 256, 3), np.uint8)

    def maps(self, row: int) -> dict[str, npt.NDArray[np.uint8]]:
        parts = np.zeros((256, 256), np.uint8)
        parts[:128], parts[192:] = Part.HAT, Part.CLOTH
        return {"parts": parts}


class Points:
    def detect(self, image: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        return np.array([80, 80, 96, 96], np.float32), texture.WHOLE_HEAD_TEMPLATE * (256 / texture.SIDE)


def infer(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The head itself as its texture, of which the left quarter is beyond the picture."""
    if name == "face_landmarks":
        return {"landmarks": np.zeros((1, 468, 3), np.float32)}
    texture = inputs["whole_head"][:, :, ::3, ::3] / 255
    texture[..., :32] = 0.5
    return {"texture": np.pad(texture, ((0, 0), (0, 0), (0, 64), (0, 64)))}


def test_what_a_picture_shows_is_laid_out_as_its_texture_and_nothing_beyond_the_picture() -> None:
    made = worn.worn_maker(Points(), infer)(Pictures(), [0, 1])  # type: ignore[arg-type, list-item]
    hat, lid = (templates.number_of(layer) for layer in ("hat", "left_lid"))
    np.testing.assert_array_equal(made["row"], [1])
    np.testing.assert_array_equal(made["facing"], [True, False])
    np.testing.assert_array_equal(made["kind"][:, hat], [0, 1 + LAYERS["hat"].index("beanie")])
    np.testing.assert_array_equal(made["told"][1, :3, lid], [False, True, False])
    assert made["told"][1, 3:, hat].all(), "the fragments have nothing else to say"
    assert not made["told"][0].any()
    glasses_map, hat_map = made["masks"][0]
    assert glasses_map.max() == 0
    assert hat_map[:60, 36:124].min() == 255
    assert hat_map[68:].max() == 0
    assert hat_map[:, :28].max() == 0
    for clothes in made["clothes"]:
        assert clothes[50:62, 18:62].min() == 255
        assert clothes[:46].max() == clothes[:, :14].max() == 0


def test_phrases_ask_for_kinds_and_colours_that_there_are() -> None:
    seen = set()
    for phrase in phrases():
        text, asked, colour = phrase
        assert colour is None or colour in text
        assert (kinds_of(phrase) > 0).sum() == len(asked)
        assert (colours_of(phrase) >= 0).any() == (colour is not None)
        seen |= set(asked.values())
    assert seen == {kind for kinds in LAYERS.values() for kind in kinds}


def test_what_is_worn_is_read_shard_by_shard_and_that_of_other_pictures_is_refused(tmp_path: Path) -> None:
    corpus, one = people(0)
    half = len(corpus) // 2
    names = ("kind", "told", "colour", "facing", "clothes")
    for stem, rows in (("people-1", slice(0, half)), ("people-2", slice(half, None))):
        for kind in KINDS:
            (tmp_path / f"{stem}.{kind}.npz").touch()
        wearing = np.flatnonzero(one.place[rows] >= 0)
        arrays = {name: getattr(one, name)[rows] for name in names} | {
            "row": wearing,
            "masks": one.masks[one.place[rows][wearing]] // (1 + rows.start // half),
        }
        np.savez(tmp_path / f"{stem}.worn.npz", **arrays)
    two = replace(corpus, shard=np.repeat([0, 1], half).astype(np.int32))
    again = worn.load(tmp_path, two)
    np.testing.assert_array_equal(again.place, one.place)
    last = int(np.flatnonzero(one.place >= 0)[-1])
    assert again.masks[again.place[last]].max() == 127, "of the second shard"
    with pytest.raises(MissingPiece, match="is of 18 pictures, wanted 17"):
        worn.load(tmp_path, replace(two, shard=np.repeat([0, 1], [half - 1, half + 1]).astype(np.int32)))
    np.savez(tmp_path / "people-2.worn.npz", **{name: value for name, value in arrays.items() if name != "clothes"})
    with pytest.raises(MissingPiece, match="says nothing of clothes: an earlier version made it; take it away"):
        worn.load(tmp_path, two)
    np.savez(tmp_path / "people-2.worn.npz", **(arrays | {"kind": arrays["kind"][:, 1:]}))
    with pytest.raises(MissingPiece, match=f"has {len(LAYERS) - 1} layers, wanted {len(LAYERS)}: an earlier version made it"):
        worn.load(tmp_path, two)
    (tmp_path / "people-2.worn.npz").unlink()
    with pytest.raises(MissingPiece, match="is not there; make it anew"):
        worn.load(tmp_path, two)


def test_frames_too_narrow_to_tell_their_colour_do_not_count() -> None:
    heads, masks = torch.full((2, 3, SIDE, SIDE), 0.7), torch.zeros(2, 1, SIDE, SIDE)
    masks[0, :, 80:90, 80:90], masks[1, :, 80:90, 80:90] = 1, 0.5
    means, seen = templates.mean_colours(heads, masks)
    assert seen.tolist() == [True, False]
    torch.testing.assert_close(means[0], torch.full((3,), 0.7))


@pytest.mark.slow
def test_a_corpus_without_any_of_it_is_learned_all_the_same(tmp_path: Path) -> None:
    corpus, one = people(0)
    bare = replace(one, kind=one.kind * 0, told=one.told & False, place=one.place * 0 - 1, colour=one.colour * 0 - 1)
    schedule = Schedule(steps=1, batch=8, learning_rate=1e-3, warmup=1)
    Run(OverlayStage(OverlayConfig(schedule=schedule), (corpus, bare), (corpus, bare), []), tmp_path).train(quiet=True)
