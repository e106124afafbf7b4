"""Every statement of every caption, held against the parameters that made the picture.

The caption's text is taken apart by phrases of this file's own: a text with a word that no phrase accounts for fails.
"""

import re
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.people import captions
from training.people.colours import CLOTH
from training.people.person import Person, person
from training.people.shot import Shot, shot

pytestmark = pytest.mark.assets
Holds = Callable[[Person, Shot, re.Match[str]], bool]

EXPRESSIONS = {
    r"with a neutral expression|looking calm|with a relaxed face": "neutral",
    r"smiling with teeth showing|with an open smile|grinning": "open smile",
    r"with a closed-mouth smile|smiling gently|smiling": "smile",
    r"laughing with an open mouth|laughing": "laugh",
    r"looking surprised, with raised brows and an open mouth|surprised": "surprise",
    r"with raised brows|raising the eyebrows": "raised brows",
    r"frowning angrily|with an angry frown|angry": "anger",
    r"looking sad|with a sad face|sad": "sadness",
    r"afraid|looking frightened": "fear",
    r"wrinkling the nose in disgust|disgusted": "disgust",
    r"with an open mouth|with the mouth open": "open mouth",
    r"with closed eyes|with the eyes closed": "closed eyes",
    r"winking with the eye on the left|with the left eye winking": "wink left",
    r"winking with the eye on the right|with the right eye winking": "wink right",
    r"pouting|with pouted lips": "pout",
    r"with puffed cheeks|puffing out the cheeks": "puffed cheeks",
    r"with a smirk to the left|smirking on the left side": "smirk left",
    r"with a smirk to the right|smirking on the right side": "smirk right",
}
LIGHTS = {
    r"soft studio light|soft even studio lighting": "studio",
    r"warm window light|warm light through a window": "window",
    r"soft overcast daylight|grey overcast light": "overcast",
    r"bright sunlight|bright daylight": "sun",
    r"dramatic side light|hard side light": "side",
    r"dim evening light|low evening light": "evening",
    r"golden hour sunlight|low golden sunlight": "golden",
    r"beauty light from above|high frontal beauty light": "beauty",
    r"candlelight from below|warm light from below": "below",
    r"pink and blue neon light|colourful neon light": "neon",
    r"cold moonlight|dim blue moonlight": "moon",
    r"direct camera flash|hard frontal flash": "flash",
    r"light from behind|backlight with a glowing rim": "back",
    r"flat shadowless light|even shadowless light": "flat",
}
LIT_FROM_A_SIDE = {"window": 62, "side": 78, "golden": 58, "neon": 55, "moon": 45}
BACKGROUNDS = {
    r"plain white wall|white wall": "white wall",
    r"plain black background|black background": "black",
    r"blurred city lights|city lights at night": "city",
    r"blurred garden|green garden": "garden",
    r"blurred room|room out of focus": "room",
    r"shelves full of books|bookshelf": "bookshelf",
    r"red brick wall|brick wall": "bricks",
    r"sandy beach with the sea|beach": "beach",
    r"orange sunset sky|sunset sky": "sunset",
    r"snowy landscape|snowy forest": "snow",
    r"office with windows|office": "office",
}
HAIR = {
    "short swept-back": {"swept"}, "short": {"short", "crew"}, "fringed short": {"fringe"}, "afro": {"afro"}, "buzz-cut": {"buzz"},
    "short curly": {"curls"}, "closely cropped": {"crop"}, "thinning": {"receding"}, "long": {"long"}, "shoulder-length": {"shoulder"},
    "chin-length": {"chin-bob"}, "bob-cut": {"bob"}, "layered bob-cut": {"layered-bob"}, "tied-back": {"ponytail"}, "braided": {"braid"},
}  # fmt: skip
OUTFITS = {
    r"a blue collared shirt": {"shirt"},
    r"a blue T-shirt with orange stripes": {"jersey", "round-jersey"},
    r"a dark shirt with red stripes": {"striped-shirt"},
    r"a dark blouse with red stripes": {"striped-blouse"},
    r"a blue V-neck with orange stripes": {"sports-top"},
    r"a grey coat over a striped shirt": {"coat"},
    r"blue overalls over a white T-shirt": {"overalls"},
    r"a dark suit and tie": {"suit"},
    r"a denim V-neck shirt": {"denim"},
}
GARMENTS = {
    "striped T-shirt": {"striped-tee"}, "T-shirt": {"tee"}, "V-neck sweater": {"v-neck"}, "knitted sweater": {"sweater"},
    "turtleneck": {"turtleneck"}, "checked top": {"checked"}, "scoop-neck top": {"scoop"}, "boat-neck top": {"boat"}, "dotted top": {"dotted"},
    "square-neck dress": {"square"}, "tank top": {"tank"},
}  # fmt: skip
EYES = {"blue-green": "bluegreen", "blue": "blue", "light brown": "brownlight", "brown": "brown", "deep blue": "deepblue", "green": "green"} | {
    "grey": "grey", "pale blue": "ice", "light blue": "lightblue",
}  # fmt: skip
AGES = {"young": range(18, 35), "middle-aged": range(35, 58), "elderly": range(58, 100), "old": range(58, 100)}


def lit_from(s: Shot, m: re.Match[str], name: str) -> bool:
    side = {"left": -1, "right": 1}.get(m["side"] or "")
    return s.light == name and (side is None) == (name not in LIT_FROM_A_SIDE) and (side is None or side == s.light_side)


def is_expression(name: str) -> Holds:
    return lambda p, s, m: s.expression == name


def is_lit(name: str) -> Holds:
    return lambda p, s, m: lit_from(s, m, name)


def is_before(name: str) -> Holds:
    return lambda p, s, m: s.background == name


def wears(names: set[str]) -> Holds:
    return lambda p, s, m: s.outfit in names


def options(table: Iterable[str]) -> str:
    """A pattern of the words, longer ones first."""
    return "|".join(sorted(table, key=len, reverse=True))


def phrases() -> list[tuple[str, Holds]]:
    """(pattern, whether the parameters bear it out); longer patterns first."""
    table: list[tuple[str, Holds]] = [
        (r"an? (?:close )?(?:portrait|photo)(?: photo)? of", lambda p, s, m: True),
        (r"an? (?P<age>young|middle-aged|elderly|old) (?P<sex>woman|man)", lambda p, s, m: p.age in AGES[m["age"]] and p.sex == m["sex"]),
        (r"head turned far to the (?P<side>left|right)", lambda p, s, m: (s.yaw >= 28) if m["side"] == "right" else (s.yaw <= -28)),
        (r"head turned to the (?P<side>left|right)", lambda p, s, m: (12 <= s.yaw < 28) if m["side"] == "right" else (-28 < s.yaw <= -12)),
        (r"head (?P<way>raised|lowered)", lambda p, s, m: (s.pitch >= 12) if m["way"] == "raised" else (s.pitch <= -12)),
        (r"head tilted to the (?P<side>left|right)", lambda p, s, m: (s.roll >= 8) if m["side"] == "right" else (s.roll <= -8)),
        (r"facing the camera", lambda p, s, m: abs(s.yaw) < 12 and abs(s.pitch) < 12 and abs(s.roll) < 8),
        (r"looking at the camera", lambda p, s, m: max(abs(s.gaze_yaw), abs(s.gaze_pitch)) <= 6 and s.expression != "closed eyes"),
        (r"looking aside to the (?P<side>left|right)", lambda p, s, m: s.gaze_yaw >= 9 if m["side"] == "right" else s.gaze_yaw <= -9),
        (r"(?P<tone>very light|light|medium|tan|brown|dark) skin", lambda p, s, m: p.skin_tone == m["tone"]),
        (rf"(?P<eyes>{options(EYES)}) eyes", lambda p, s, m: p.eye_colour == EYES[m["eyes"]]),
        (r"a bald head", lambda p, s, m: p.hair == "bald"),
        (rf"(?P<style>{options(HAIR)}) (?P<colour>[a-z ]+?) hair", lambda p, s, m: p.hair in HAIR[m["style"]] and p.hair_colour == m["colour"]),
        (r"a full beard", lambda p, s, m: p.beard == "full"),
        (r"a short beard", lambda p, s, m: p.beard == "short"),
        (r"a goatee", lambda p, s, m: p.beard == "goatee"),
        (r"a moustache", lambda p, s, m: p.beard == "moustache"),
        (r"stubble", lambda p, s, m: p.beard == "stubble"),
        (
            r"(?P<frame>round|rectangular|oval|square) (?P<colour>[a-z]+) glasses",
            lambda p, s, m: s.glasses == "glasses" and p.glasses == m["frame"] and p.glasses_colour == m["colour"],
        ),
        (r"sunglasses", lambda p, s, m: s.glasses == "sunglasses"),
        (
            rf"an? (?P<colour>{options(CLOTH)}) (?P<hat>fedora|beanie|headband|headscarf)",
            lambda p, s, m: s.hat == m["hat"] and s.hat_colour == m["colour"],
        ),
        (r"(?P<ring>stud|hoop) earrings", lambda p, s, m: s.earrings == {"stud": "studs", "hoop": "hoops"}[m["ring"]]),
        (r"red lipstick", lambda p, s, m: s.makeup == "lipstick"),
        (r"lipstick and eye shadow", lambda p, s, m: s.makeup == "full"),
        (r"a white T-shirt", lambda p, s, m: s.outfit == "white-tee" or (s.outfit == "tee" and s.outfit_colour == "white")),
        (
            rf"an? (?P<colour>{options(CLOTH)}) (?P<kind>{options(GARMENTS)})",
            lambda p, s, m: s.outfit in GARMENTS[m["kind"]] and s.outfit_colour == m["colour"],
        ),
        (r"an? plain (?P<colour>[a-z]+) (?:background|backdrop)", lambda p, s, m: s.background == "plain" and s.background_colour == m["colour"]),
        (
            r"an? (?:softly lit )?(?P<colour>[a-z]+) studio backdrop",
            lambda p, s, m: s.background == "gradient" and s.background_colour == m["colour"],
        ),
    ]
    table += [(pattern, is_expression(name)) for pattern, name in EXPRESSIONS.items()]
    table += [(rf"(?:{pattern})(?: from the (?P<side>left|right))?", is_lit(name)) for pattern, name in LIGHTS.items()]
    table += [(rf"(?:an? )?(?:{pattern})", is_before(name)) for pattern, name in BACKGROUNDS.items()]
    table += [(pattern, wears(names)) for pattern, names in OUTFITS.items()]
    return table


PHRASES = phrases()
GLUE = re.compile(r",|\.| |and\b|with\b|wearing\b|in front of\b", re.IGNORECASE)


def unheld(text: str, p: Person, s: Shot) -> list[str]:
    """What a caption says that the parameters do not bear out, or that no phrase accounts for. Longest match first."""
    wrong, at = [], 0
    while at < len(text):
        matches = [(m, holds) for pattern, holds in PHRASES if (m := re.compile(pattern, re.IGNORECASE).match(text, at))]
        if matches:
            longest = max(m.end() for m, _ in matches)
            best = [(m, holds) for m, holds in matches if m.end() == longest]
            if not any(holds(p, s, m) for m, holds in best):
                wrong.append(best[0][0][0])
            at = longest
        elif glue := GLUE.match(text, at):
            at = glue.end()
        else:
            return [*wrong, f"unknown words: {text[at : at + 30]!r}"]
    return wrong


@given(seed=st.integers(0, 1_009_999), number=st.integers(0, 10_000))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_every_caption_statement_is_true_of_the_picture(seed: int, number: int) -> None:
    p = person(seed)
    s = shot(p, number)
    made = captions.captions(p, s)
    for text in [*made["short"], *made["long"]]:  # type: ignore[misc]
        assert unheld(text, p, s) == [], text


def test_the_checker_sees_a_false_statement() -> None:
    p = person(7)
    s = shot(p, 1)
    other = "man" if p.sex == "woman" else "woman"
    assert unheld(f"a photo of a young {other}", p, s)
    assert unheld("a photo of a purple elephant", p, s)


def test_long_captions_say_more_and_in_several_ways() -> None:
    made = [captions.captions(person(k), shot(person(k), 0)) for k in range(30)]
    assert all(len(min(c["long"], key=len)) > len(max(c["short"], key=len)) for c in made)  # type: ignore[call-overload]
    assert sum(len(set(c["long"])) > 1 for c in made) > 20  # type: ignore[call-overload]
