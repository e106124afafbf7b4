"""Claims about pictures and their truth, on real renders."""

import dataclasses

import moderngl
import numpy as np
import pytest

from training.people import body, effects, groups, scene
from training.people.errors import InvalidRequest, MissingPiece
from training.people.graders import Graders
from training.people.parts import Part
from training.people.person import Person, person
from training.people.render import Picture, Renderer
from training.people.shot import Shot, change, shot

pytestmark = pytest.mark.assets
UPPER_LID, LOWER_LID = 159, 145  # MediaPipe's points of the eye on the viewer's left
UPPER_LIP, LOWER_LIP = 13, 14


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(256)


def plain(who: Person, **fields: object) -> Shot:
    """A frontal, evenly lit shot without accessories."""
    angles = dict.fromkeys(("yaw", "pitch", "roll", "gaze_yaw", "gaze_pitch", "body_yaw", "body_pitch"), 0.0)
    base = change(shot(who, 0), **angles, light="studio", glasses="", hat="", earrings="", makeup="none", expression="neutral", strength=1.0)
    return change(base, **fields)


def eye_distance(picture: Picture) -> float:
    return float(np.linalg.norm(picture.keypoints[0] - picture.keypoints[1]))


def test_the_same_seeds_give_the_same_bytes_whatever_was_drawn_before(renderer: Renderer) -> None:
    who = person(5)
    first = renderer.picture(who, shot(who, 3))
    renderer.picture(person(6), shot(person(6), 0))
    again, fresh = renderer.picture(who, shot(who, 3)), Renderer(256).picture(who, shot(who, 3))
    for other in (again, fresh):
        for name in ("image", "parts", "face", "person", "depth", "normals", "keypoints", "landmarks"):
            assert getattr(first, name).tobytes() == getattr(other, name).tobytes(), name


def test_a_changed_person_is_drawn_as_changed(renderer: Renderer) -> None:
    """Nothing about a person is remembered by the seed alone."""
    who = person(5)
    for change_of in ({"skin_tone": "dark" if who.skin_tone != "dark" else "light"}, {"shape": dict.fromkeys(who.shape, 0.0)}):
        other = dataclasses.replace(who, **change_of)
        assert (renderer.picture(who, plain(who)).image != renderer.picture(other, plain(who)).image).any(2).mean() > 0.1


@pytest.mark.parametrize("style", ["fringe", "ponytail", "crew"])
def test_no_scalp_comes_through_hair(renderer: Renderer, style: str) -> None:
    """Skin above the brows that has hair under it."""
    who = dataclasses.replace(person(7), hair=style)
    picture = renderer.picture(who, plain(who))
    brows = int(picture.keypoints[:2, 1].mean() - eye_distance(picture) / 2)
    hair, skin = (picture.parts[:brows] == part for part in (Part.HAIR, Part.SKIN))
    over_hair = np.maximum.accumulate(hair[::-1], 0)[::-1]
    assert (skin & over_hair).sum() < 0.03 * hair.sum()


def test_512_pixels_show_the_same_picture_larger(renderer: Renderer) -> None:
    who = person(5)
    small, large = renderer.picture(who, shot(who, 3)), Renderer(512).picture(who, shot(who, 3))
    assert large.image.shape == (512, 512, 3)
    assert np.abs(large.keypoints / 2 - small.keypoints).max() < 0.01
    shrunk = large.image.reshape(256, 2, 256, 2, 3).mean((1, 3))
    assert np.abs(shrunk - small.image).mean() < 6


def test_maps_agree_with_each_other(renderer: Renderer) -> None:
    for seed in range(6):
        picture = renderer.picture(person(seed), shot(person(seed), 1))
        shown = picture.parts != Part.BACKGROUND
        assert ((picture.depth > 0) == shown).all()
        assert np.allclose(np.linalg.norm(picture.normals, axis=2)[shown], 1, atol=2e-3)
        assert not picture.face[~shown].any()
        assert (picture.person[shown] > 0).mean() > 0.99
        assert picture.face.mean() > 0.03


def test_keypoints_are_where_a_detector_sees_them(renderer: Renderer) -> None:
    graders = Graders()
    errors = []
    for seed in range(8):
        picture = renderer.picture(person(seed), plain(person(seed)))
        found = graders.detect(picture.image)
        assert found is not None
        errors.append(np.linalg.norm(found[1] - picture.keypoints, axis=1) / eye_distance(picture))
    assert np.median(errors) < 0.15
    assert np.max(errors) < 0.5


def test_landmarks_move_with_the_face(renderer: Renderer) -> None:
    who = person(9)
    calm = renderer.picture(who, plain(who))
    shut = renderer.picture(who, plain(who, expression="closed eyes"))
    open_ = renderer.picture(who, plain(who, expression="open mouth"))
    lids = [float(p.landmarks[LOWER_LID, 1] - p.landmarks[UPPER_LID, 1]) / eye_distance(p) for p in (calm, shut)]
    lips = [float(p.landmarks[LOWER_LIP, 1] - p.landmarks[UPPER_LIP, 1]) / eye_distance(p) for p in (calm, open_)]
    assert lids[1] < 0.5 * lids[0]
    assert lips[1] > lips[0] + 0.15


def test_eyes_shut_hide_the_eyes_and_an_open_smile_shows_teeth(renderer: Renderer) -> None:
    who = person(9)
    count = {}
    for name in ("neutral", "closed eyes", "open smile"):
        parts = renderer.picture(who, plain(who, expression=name)).parts
        count[name] = ((parts == Part.EYE).sum(), (parts == Part.TEETH).sum())
    assert count["closed eyes"][0] < 0.2 * count["neutral"][0]
    assert count["open smile"][1] > count["neutral"][1] + 20


@pytest.mark.parametrize(
    ("field", "value", "axis", "sign"), [("yaw", 30.0, 0, 1), ("yaw", -30.0, 0, -1), ("pitch", 20.0, 1, -1), ("pitch", -20.0, 1, 1)]
)
def test_the_head_turns_to_the_side_that_the_truth_says(renderer: Renderer, field: str, value: float, axis: int, sign: int) -> None:
    """The tip of the nose moves to the viewer's right with positive yaw, and up (smaller y) with positive pitch."""
    who = person(9)
    moved = []
    for angle in (0.0, value):
        keypoints = renderer.picture(who, plain(who, **{field: angle})).keypoints
        moved.append(keypoints[2, axis] - keypoints[:2, axis].mean())
    assert sign * (moved[1] - moved[0]) > 3


def test_a_rolled_head_leans_clockwise(renderer: Renderer) -> None:
    keypoints = renderer.picture(person(9), plain(person(9), roll=15.0)).keypoints
    lean = np.degrees(np.arctan2(*(keypoints[1] - keypoints[0])[::-1]))
    assert lean == pytest.approx(15, abs=3)


def test_turn_and_angles_are_inverse() -> None:
    assert body.angles(body.turn(30, -20, 10)) == pytest.approx((30, -20, 10))


def test_the_viewers_left_comes_first(renderer: Renderer) -> None:
    keypoints = renderer.picture(person(9), plain(person(9))).keypoints
    assert keypoints[0, 0] < keypoints[2, 0] < keypoints[1, 0]
    assert keypoints[3, 0] < keypoints[4, 0]


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"glasses": "glasses"}, Part.GLASSES),
        ({"hat": "fedora"}, Part.HAT),
        ({"hat": "beanie"}, Part.HAT),
        ({"hat": "headscarf"}, Part.HAT),
        ({"earrings": "hoops"}, Part.EARRING),
    ],
)
def test_what_is_worn_is_seen_in_the_part_map(renderer: Renderer, fields: dict[str, object], part: Part) -> None:
    who = next(person(k) for k in range(100) if person(k).hair == "swept")
    without = renderer.picture(who, plain(who)).parts
    worn = renderer.picture(who, plain(who, **fields)).parts
    assert (without == part).sum() == 0
    assert (worn == part).sum() > 15


CHANGED = {
    "expression": {"expression", "strength"},
    "yaw": {"yaw", "gaze_yaw"},
    "light": {"light"},
    "background": {"background"},
    "accessory": {"glasses", "hat", "earrings"},
    "relight": {"light", "light_side"},
}


@pytest.mark.parametrize("kind", CHANGED)
def test_only_one_thing_changes_in_a_group(kind: str) -> None:
    frames = [frame for _, frame in groups.frames(kind, 12, 1)]
    assert len(frames) >= 2
    base = vars(frames[0].shot)
    for frame in frames:
        assert frame.person == frames[0].person
        assert {name for name in base if vars(frame.shot)[name] != base[name]} <= CHANGED[kind]
    assert len({frame.role for frame in frames}) == len(frames)


@pytest.mark.parametrize(("kind", "outside_same"), [("background", False), ("light", True)])
def test_what_does_not_change_stays_to_the_pixel(renderer: Renderer, kind: str, outside_same: bool) -> None:
    frames = [frame for _, frame in groups.frames(kind, 12, 1)][:3]
    pictures = [renderer.picture(frame.person, frame.shot) for frame in frames]
    for picture in pictures[1:]:
        assert (picture.parts == pictures[0].parts).all()
        assert (picture.depth == pictures[0].depth).all()
        assert (picture.image != pictures[0].image).any()
    solid = pictures[0].person == 255
    inner = solid & (np.roll(solid, 4, 0) & np.roll(solid, -4, 0) & np.roll(solid, 4, 1) & np.roll(solid, -4, 1))
    if not outside_same:
        assert (np.abs(pictures[1].image.astype(int) - pictures[0].image)[inner] <= 1).all()


def test_the_same_shot_is_the_same_for_everybody_of_one_sex() -> None:
    men = [k for k in range(40) if person(k).sex == "man"][:3]
    shots = [groups.frames("same-shot", k, 1)[0] for k in men]
    assert len({group for group, _ in shots}) == 1
    assert all(frame.shot == shots[0][1].shot for _, frame in shots)


def test_a_pasted_face_breaks_the_picture_only_inside_its_mask(renderer: Renderer) -> None:
    (_, whole), (_, broken) = groups.frames("harmonize", 12, 1)
    assert broken.donor is not None
    truth = renderer.picture(whole.person, whole.shot)
    image, mask = effects.pasted(truth, renderer.picture(broken.person, broken.donor), 1)
    assert 0.02 < (mask > 0).mean() < 0.6
    assert (image[mask == 0] == truth.image[mask == 0]).all()
    assert np.abs(image.astype(int) - truth.image)[mask > 0].mean() > 4


@pytest.mark.parametrize("style", groups.STYLES)
def test_a_restyled_picture_is_another_picture_of_the_same_size(renderer: Renderer, style: groups.After) -> None:
    image = renderer.picture(person(9), plain(person(9))).image
    styled = effects.restyled(image, style)
    assert styled.shape == image.shape
    assert np.abs(styled.astype(int) - image).mean() > 3


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"yaw": 46.0}, r"yaw is 46.0, it must be from -45.0 to 45.0"),
        ({"pitch": float("nan")}, r"pitch is nan, it must be from -25.0 to 25.0"),
        ({"strength": 0.2}, r"from 0.5 to 1.0"),
        ({"hat": "crown"}, r"hat is 'crown'; choose one of: '', 'fedora'"),
        ({"mood": "good"}, r"a shot has no mood; its fields are: seed, expression"),
    ],
)
def test_a_shot_out_of_range_is_refused(fields: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        change(shot(person(0), 0), **fields)


def test_an_unknown_size_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="size is 300; choose one of: 256, 512"):
        Renderer(300)


def test_every_shot_keeps_to_its_ranges_and_every_outfit_can_be_drawn() -> None:
    for seed in range(200):
        shot(person(seed), seed)
    drawn = set()
    for seed in range(60):
        who = person(seed)
        for number in range(4):
            drawn.add(scene.build(who, shot(who, number)).covers["neckline"])
    assert drawn == {-1, 0, 1, 2, 3, 4, 5, 6}


def test_a_missing_driver_names_the_script_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_egl(**_: object) -> None:
        raise Exception("libEGL.so not loaded")

    monkeypatch.setattr(moderngl, "create_context", no_egl)
    with pytest.raises(MissingPiece, match=r"libEGL.so not loaded; run `sh scripts/install-debian-packages.sh`"):
        Renderer(256)
