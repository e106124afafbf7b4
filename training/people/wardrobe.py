"""What people wear, as data: hair, beards, outfits, hats, glasses, earrings, make-up, each with its words."""

from dataclasses import dataclass
from typing import Literal

Sex = Literal["woman", "man"]
BOTH: tuple[Sex, ...] = ("woman", "man")


@dataclass(frozen=True)
class Hair:
    """A hair style: a fitted mesh, cut at `cut_below` and freed from the eyes by `fringe`, or fur on the scalp."""

    words: str
    mesh: str | None = None
    cut_below: float | None = None  # dm, rest height where the strands end
    fringe: bool = False  # strands over the eyes end at the brows
    fur_dm: float = 0.0  # length of fur on the scalp
    curl: float = 0.0  # 0 straight fur, 1 tight curls
    receding: float = 0.0  # 0 full hairline, 1 only the sides


HAIR: dict[str, Hair] = {
    "short": Hair("short", "short01"),
    "swept": Hair("short swept-back", "short02"),
    "crew": Hair("short", "short04"),
    "fringe": Hair("fringed short", "short03", fringe=True),
    "afro": Hair("afro", fur_dm=0.32, curl=1.0),
    "buzz": Hair("buzz-cut", fur_dm=0.045),
    "curls": Hair("short curly", fur_dm=0.20, curl=1.0),
    "crop": Hair("closely cropped", fur_dm=0.11, curl=0.25),
    "receding": Hair("thinning", fur_dm=0.09, curl=0.2, receding=0.75),
    "bald": Hair("bald"),
    "long": Hair("long", "long01"),
    "shoulder": Hair("shoulder-length", "long01", cut_below=5.75),
    "chin-bob": Hair("chin-length", "long01", cut_below=6.35),
    "bob": Hair("bob-cut", "bob01", fringe=True),
    "layered-bob": Hair("layered bob-cut", "bob02", fringe=True),
    "ponytail": Hair("tied-back", "ponytail01"),
    "braid": Hair("braided", "Braid01", fringe=True),
}
HAIR_CHANCES: dict[Sex, dict[str, float]] = {
    "man": {
        "short": 0.15, "swept": 0.14, "crew": 0.12, "fringe": 0.08, "afro": 0.05, "buzz": 0.10, "curls": 0.09,
        "crop": 0.09, "receding": 0.05, "bald": 0.06, "shoulder": 0.04, "ponytail": 0.03,
    },
    "woman": {
        "long": 0.13, "shoulder": 0.13, "chin-bob": 0.10, "bob": 0.10, "layered-bob": 0.09, "ponytail": 0.12, "braid": 0.09,
        "swept": 0.05, "fringe": 0.06, "afro": 0.05, "curls": 0.05, "crop": 0.03,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Beard:
    """Fur on the lower face: where it grows, how long. Length 0 is stubble, drawn on the skin."""

    words: str
    cheeks: float  # 0..1 cover
    chin: float
    lip: float
    fur_dm: float


BEARDS: dict[str, Beard] = {
    "none": Beard("", 0, 0, 0, 0),
    "stubble": Beard("stubble", 0.9, 1, 0.9, 0),
    "full": Beard("a full beard", 1, 1, 1, 0.17),
    "short": Beard("a short beard", 1, 1, 1, 0.07),
    "goatee": Beard("a goatee", 0, 1, 1, 0.10),
    "moustache": Beard("a moustache", 0, 0, 1, 0.10),
}
BEARD_CHANCES = {"none": 0.46, "stubble": 0.17, "full": 0.10, "short": 0.12, "goatee": 0.08, "moustache": 0.07}


Neckline = Literal["crew", "v", "scoop", "boat", "turtleneck", "tank", "square"]
Pattern = Literal["plain", "striped", "checked", "dotted", "knitted", "denim"]


@dataclass(frozen=True)
class Outfit:
    """A garment: a fitted mesh with its texture, or our own shell over the body with a neckline and a pattern."""

    words: str  # `{colour}` stands for the colour's name
    mesh: str | None = None
    neckline: Neckline = "crew"
    pattern: Pattern = "plain"
    ease_dm: float = 0.06  # how far a shell stands off the body
    sexes: tuple[Sex, ...] = BOTH


OUTFITS: dict[str, Outfit] = {
    "shirt": Outfit("a blue collared shirt", "male_casualsuit01", sexes=("man",)),
    "jersey": Outfit("a blue T-shirt with orange stripes", "male_casualsuit02", sexes=("man",)),
    "striped-shirt": Outfit("a dark shirt with red stripes", "male_casualsuit03", sexes=("man",)),
    "coat": Outfit("a grey coat over a striped shirt", "male_casualsuit05", sexes=("man",)),
    "white-tee": Outfit("a white T-shirt", "male_casualsuit06", sexes=("man",)),
    "suit": Outfit("a dark suit and tie", "male_elegantsuit01", sexes=("man",)),
    "overalls": Outfit("blue overalls over a white T-shirt", "male_worksuit01", sexes=("man",)),
    "round-jersey": Outfit("a blue T-shirt with orange stripes", "female_casualsuit01", sexes=("woman",)),
    "striped-blouse": Outfit("a dark blouse with red stripes", "female_elegantsuit01", sexes=("woman",)),
    "sports-top": Outfit("a blue V-neck with orange stripes", "female_sportsuit01", sexes=("woman",)),
    "tee": Outfit("a {colour} T-shirt"),
    "striped-tee": Outfit("a {colour} striped T-shirt", pattern="striped"),
    "v-neck": Outfit("a {colour} V-neck sweater", neckline="v", pattern="knitted", ease_dm=0.09),
    "sweater": Outfit("a {colour} knitted sweater", pattern="knitted", ease_dm=0.11),
    "turtleneck": Outfit("a {colour} turtleneck", neckline="turtleneck", pattern="knitted", ease_dm=0.08),
    "checked": Outfit("a {colour} checked top", neckline="v", pattern="checked"),
    "scoop": Outfit("a {colour} scoop-neck top", neckline="scoop", sexes=("woman",)),
    "boat": Outfit("a {colour} boat-neck top", neckline="boat", sexes=("woman",)),
    "dotted": Outfit("a {colour} dotted top", neckline="scoop", pattern="dotted", sexes=("woman",)),
    "square": Outfit("a {colour} square-neck dress", neckline="square", sexes=("woman",)),
    "tank": Outfit("a {colour} tank top", neckline="tank"),
    "denim": Outfit("a denim V-neck shirt", neckline="v", pattern="denim", ease_dm=0.08),
}


def outfits(sex: Sex) -> list[str]:
    """Names of the outfits that this sex wears, in a fixed order."""
    return [name for name, outfit in OUTFITS.items() if sex in outfit.sexes]


@dataclass(frozen=True)
class Hat:
    """Headwear: a fitted mesh, or our own shell over the head."""

    words: str
    mesh: str | None = None
    kind: Literal["mesh", "beanie", "headband", "headscarf"] = "mesh"


HATS: dict[str, Hat] = {
    "fedora": Hat("a {colour} fedora", "fedora"),
    "beanie": Hat("a {colour} beanie", kind="beanie"),
    "headband": Hat("a {colour} headband", kind="headband"),
    "headscarf": Hat("a {colour} headscarf", kind="headscarf"),
}
HAT_CHANCES: dict[Sex, dict[str, float]] = {
    "man": {"fedora": 0.4, "beanie": 0.5, "headband": 0.1},
    "woman": {"fedora": 0.25, "beanie": 0.35, "headband": 0.2, "headscarf": 0.2},
}

GLASSES = ("round", "rectangular", "oval", "square")
EARRINGS: dict[str, str] = {"studs": "stud earrings", "hoops": "hoop earrings"}
MAKEUP: dict[str, str] = {"none": "", "lipstick": "red lipstick", "full": "lipstick and eye shadow"}
