"""Words for a picture, made from the parameters that made the picture. Left and right are the viewer's.

A caption is a list of statements; each statement names the parameter it comes from, so that a test can hold every one
against the truth. What a caption leaves out it leaves free.
"""

from dataclasses import dataclass

import numpy as np

from training.people import backgrounds, colours, expressions, lights, wardrobe
from training.people.person import Person
from training.people.shot import LOOKING_AT_CAMERA, Shot

TURNED_FROM = 12.0  # degrees of yaw or pitch from which the words say so
FAR_TURNED_FROM = 28.0
TILTED_FROM = 8.0
GAZE_ASIDE_FROM = 9.0
LONG_CAPTIONS = 3
OVER_EARS = ("long", "shoulder", "chin-bob", "bob", "layered-bob", "braid")  # hair styles
SKIN_WORDS = {"very light": "very light", "light": "light", "medium": "medium", "tan": "tan", "brown": "brown", "dark": "dark"}
AGE_WORDS = {"young": ("young",), "middle-aged": ("middle-aged",), "elderly": ("elderly", "old")}


@dataclass(frozen=True)
class Statement:
    """One thing said of a picture: which parameter, and the words."""

    about: str
    words: str


def _one(draw: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(draw.integers(len(options)))]


def _article(words: str) -> str:
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def _coloured(words: str, colour: str) -> str:
    """The words with the colour's name in, and the article that fits it."""
    return words.replace("a {colour}", _article(colour)).format(colour=colour)


def turn_words(yaw: float, pitch: float, roll: float) -> list[Statement]:
    """What is said of the head's turn; nothing where it hardly turns."""
    said = []
    if abs(yaw) >= TURNED_FROM:
        far = "far " if abs(yaw) >= FAR_TURNED_FROM else ""
        said.append(Statement("yaw", f"head turned {far}to the {'right' if yaw > 0 else 'left'}"))
    if abs(pitch) >= TURNED_FROM:
        said.append(Statement("pitch", f"head {'raised' if pitch > 0 else 'lowered'}"))
    if abs(roll) >= TILTED_FROM:
        said.append(Statement("roll", f"head tilted to the {'right' if roll > 0 else 'left'}"))
    return said or [Statement("facing", "facing the camera")]


def gaze_words(shot: Shot) -> list[Statement]:
    """Where the eyes look; nothing while they are closed, or where it is neither the camera nor clearly aside."""
    if shot.expression == "closed eyes":
        return []
    if max(abs(shot.gaze_yaw), abs(shot.gaze_pitch)) <= LOOKING_AT_CAMERA:
        return [Statement("gaze", "looking at the camera")]
    if abs(shot.gaze_yaw) >= GAZE_ASIDE_FROM:
        return [Statement("gaze", f"looking aside to the {'right' if shot.gaze_yaw > 0 else 'left'}")]
    return []


def light_words(shot: Shot, draw: np.random.Generator) -> Statement:
    light = lights.LIGHTS[shot.light]
    words = _one(draw, light.words)
    if light.has_side:
        side = "right" if light.azimuth * shot.light_side > 0 else "left"
        words += f" from the {side}"
    return Statement("light", words)


def background_words(shot: Shot, draw: np.random.Generator) -> Statement:
    words = _one(draw, backgrounds.PAINTERS[shot.background][1]).format(colour=shot.background_colour)
    return Statement("background", words)


def hair_words(person: Person, shot: Shot) -> Statement | None:
    """Nothing under a headscarf."""
    if shot.hat == "headscarf":
        return None
    hair = wardrobe.HAIR[person.hair]
    if person.hair == "bald":
        return Statement("hair", "a bald head")
    return Statement("hair", f"{hair.words} {person.hair_colour} hair")


def wear_words(person: Person, shot: Shot) -> list[Statement]:
    """Accessories, in the order they are said; not earrings that hair may hide."""
    said = []
    if shot.glasses == "glasses":
        said.append(Statement("glasses", f"{person.glasses} {person.glasses_colour} glasses"))
    elif shot.glasses == "sunglasses":
        said.append(Statement("glasses", "sunglasses"))
    if shot.hat:
        said.append(Statement("hat", _coloured(wardrobe.HATS[shot.hat].words, shot.hat_colour)))
    if shot.earrings and shot.hat != "headscarf" and person.hair not in OVER_EARS:
        said.append(Statement("earrings", wardrobe.EARRINGS[shot.earrings]))
    if shot.makeup != "none":
        said.append(Statement("makeup", wardrobe.MAKEUP[shot.makeup]))
    return said


def outfit_words(shot: Shot) -> Statement:
    return Statement("outfit", _coloured(wardrobe.OUTFITS[shot.outfit].words, shot.outfit_colour))


def _who(person: Person, draw: np.random.Generator) -> Statement:
    return Statement("who", f"{_one(draw, AGE_WORDS[person.age_group])} {person.sex}")


def _expression(shot: Shot, draw: np.random.Generator) -> Statement:
    return Statement("expression", _one(draw, expressions.EXPRESSIONS[shot.expression].words))


def short(person: Person, shot: Shot, draw: np.random.Generator) -> tuple[str, list[Statement]]:
    """A few words: who, the expression, and two more things picked at random."""
    who, expression = _who(person, draw), _expression(shot, draw)
    more = [light_words(shot, draw), background_words(shot, draw), outfit_words(shot), *wear_words(person, shot)]
    hair = hair_words(person, shot)
    more += [hair] if hair else []
    chosen = [more[k] for k in sorted(draw.choice(len(more), 2, replace=False))]
    opening = _one(draw, ("", "a photo of ", "a portrait of "))
    told = [f"{_article(who.words)} {expression.words}", *(_carried(statement) for statement in chosen)]
    return opening + ", ".join(told), [who, expression, *chosen]


def _carried(statement: Statement) -> str:
    """The statement as a part of a sentence."""
    if statement.about == "background":
        return f"in front of {_background_article(statement.words)}"
    if statement.about in ("outfit", "hat", "glasses", "earrings", "makeup"):
        return f"wearing {statement.words}"
    if statement.about in ("hair", "beard", "skin", "eyes"):
        return f"with {statement.words}"
    return statement.words


def _background_article(words: str) -> str:
    return words if words.startswith(("shelves", "city", "blurred city")) else _article(words)


def long(person: Person, shot: Shot, draw: np.random.Generator) -> tuple[str, list[Statement]]:
    """Everything: who, face, expression, turn, gaze, clothes, accessories, light and background."""
    who, expression = _who(person, draw), _expression(shot, draw)
    face: list[Statement] = [Statement("skin", f"{SKIN_WORDS[person.skin_tone]} skin")]
    hair = hair_words(person, shot)
    face = [hair, *face] if hair else face
    beard = wardrobe.BEARDS[person.beard].words
    face += [Statement("beard", beard)] if beard else []
    covered = shot.glasses == "sunglasses" or shot.expression == "closed eyes"
    face += [] if covered else [Statement("eyes", f"{colours.EYE_WORDS[person.eye_colour]} eyes")]
    turned = turn_words(shot.yaw, shot.pitch, shot.roll)
    gaze = [] if shot.glasses == "sunglasses" else gaze_words(shot)
    wear = [outfit_words(shot), *wear_words(person, shot)]
    light, background = light_words(shot, draw), background_words(shot, draw)
    opening = _one(draw, ("A portrait of ", "A photo of ", "A close portrait photo of "))
    head = f"{opening}{_article(who.words)} with {_listed([s.words for s in face])}, {expression.words}"
    acts = ", ".join(s.words for s in turned + gaze)
    worn = f"wearing {_listed([s.words for s in wear])}"
    place = f"in front of {_background_article(background.words)}"
    order = int(draw.integers(3))
    if order == 0:
        text = f"{head}, {acts}, {worn}, {place}, {light.words}."
    elif order == 1:
        text = f"{head}, {worn}, {light.words}, {acts}, {place}."
    else:
        text = f"{head}, {place}, {acts}, {light.words}, {worn}."
    return text, [who, *face, expression, *turned, *gaze, *wear, light, background]


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def captions(person: Person, shot: Shot) -> dict[str, object]:
    """`short` and `long`: lists of phrasings of the same picture; `statements`: what the first long one says, by parameter."""
    draw = np.random.default_rng([person.seed, shot.seed, 5])
    longs = [long(person, shot, draw) for _ in range(LONG_CAPTIONS)]
    shorts = [short(person, shot, draw)[0] for _ in range(LONG_CAPTIONS)]
    return {
        "short": shorts,
        "long": [text for text, _ in longs],
        "statements": {statement.about: statement.words for statement in longs[0][1]},
    }
