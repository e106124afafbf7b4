"""A person: a seed, and everything that stays the same over all pictures of that person."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from training.people import assets, colours, wardrobe
from training.people.catalogue import HERITAGES
from training.people.wardrobe import Sex

AGE_RANGE = (18, 85)  # years, drawn evenly
AGE_GROUPS = (("young", 18, 35), ("middle-aged", 35, 58), ("elderly", 58, 200))
SKIN_TONES = ("very light", "light", "medium", "tan", "brown", "dark")  # drawn evenly
SKIN_GROUPS = {"very light": "light", "light": "light", "medium": "medium", "tan": "medium", "brown": "dark", "dark": "dark"}
# Prior weights of the three heritages under a skin tone: shapes vary freely within what is common with the tone.
HERITAGE_PRIOR = {
    "very light": (0.02, 0.20, 0.90),
    "light": (0.04, 0.50, 0.55),
    "medium": (0.12, 0.60, 0.40),
    "tan": (0.35, 0.50, 0.25),
    "brown": (0.75, 0.30, 0.10),
    "dark": (0.95, 0.10, 0.05),
}
CAUTIOUS = ("head-", "neck-", "forehead-scale", "chin-height", "eye-scale", "eye-height", "mouth-scale-depth")
LEFT_OUT: tuple[str, ...] = ("head-trans", "head-angle", "head-age", "nose-trans", "mouth-trans", "neck-trans", "neck-scale-vert")
LEFT_OUT += ("chin-jaw-drop", "ear-trans", "ear-rot", "measure")
OPPOSITES = (("-decr", "-incr"), ("-down", "-up"), ("-in", "-out"), ("-backward", "-forward"), ("-concave", "-convex"), ("-compress", "-uncompress"))
HEAD_SHAPES: tuple[str, ...] = (
    "head-oval",
    "head-round",
    "head-square",
    "head-rectangular",
    "head-triangular",
    "head-invertedtriangular",
    "head-diamond",
)
HEAD_SHAPES += ("chin-triangle", "l-ear-shape-round")


@dataclass(frozen=True)
class Person:
    """What stays: shape, skin, eyes, hair. Strengths are 0..1 unless said otherwise."""

    seed: int
    sex: Sex
    maleness: float
    age: int  # years
    heritage: dict[str, float] = field(hash=False)  # sums to 1
    skin_tone: str
    skin_shift: tuple[float, float, float]  # lightness, redness, yellowness; log scale
    skin_variant: int
    weight: float
    muscle: float
    shape: dict[str, float] = field(hash=False)  # -1..1 of each pair of opposite targets
    head_shape: dict[str, float] = field(hash=False)
    asymmetry: float
    resting: dict[str, float] = field(hash=False)  # ARKit units of the relaxed face
    eye_colour: str
    brow: str
    brow_strength: float
    hair: str
    hair_mirrored: bool
    hair_volume: float  # 1 as modelled
    hair_colour: str
    beard: str
    freckles: float
    moles: tuple[tuple[float, float, float], ...]  # rest x, rest y, radius; dm
    blush: float
    oiliness: float
    texture_seed: int
    glasses: str  # the frame this person owns
    glasses_colour: str
    glasses_chance: float

    @property
    def age_group(self) -> str:
        return next(name for name, low, high in AGE_GROUPS if low <= self.age < high)

    @property
    def group(self) -> str:
        """Sex and skin group, within which likeness is judged too."""
        return f"{self.sex}, {SKIN_GROUPS[self.skin_tone]} skin"


@lru_cache(maxsize=1)
def opposites() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Shape parameters: name -> (targets below zero, targets above zero); left and right move together."""
    pairs: dict[str, tuple[list[str], list[str]]] = {}
    for target in sorted(name for name in assets.load().targets if "/" not in name):
        stem = target[2:] if target[:2] in ("l-", "r-") else target
        for below, above in OPPOSITES:
            if stem.endswith(above):
                pairs.setdefault(stem[: -len(above)], ([], []))[1].append(target)
                break
            if stem.endswith(below):
                pairs.setdefault(stem[: -len(below)], ([], []))[0].append(target)
                break
    return {name: (tuple(below), tuple(above)) for name, (below, above) in sorted(pairs.items()) if not name.startswith(LEFT_OUT)}


def pick(draw: np.random.Generator, chances: dict[str, float]) -> str:
    """One of the names, by their weights (any sum)."""
    weights = np.array(list(chances.values()))
    return str(draw.choice(list(chances), p=weights / weights.sum()))


def _shape(draw: np.random.Generator) -> dict[str, float]:
    strengths = {}
    for name in opposites():
        sigma, most = (0.105, 0.25) if name.startswith(CAUTIOUS) else (0.41, 0.9)
        strengths[name] = round(float(np.clip(draw.normal(0, sigma), -most, most)), 4)
    return strengths


def _hair_colour(draw: np.random.Generator, age: int, european: float) -> str:
    if age > 48 and draw.random() < (age - 40) / 45:
        return pick(draw, {"grey": 0.6, "white": 0.4})
    if age < 45 and draw.random() < 0.03:
        return pick(draw, {"blue": 0.5, "pink": 0.5})
    if draw.random() < european:
        chances = {"black": 0.09, "dark brown": 0.22, "brown": 0.22, "light brown": 0.17, "blonde": 0.16, "auburn": 0.07, "red": 0.07}
        return pick(draw, chances)
    return pick(draw, {"black": 0.66, "dark brown": 0.26, "brown": 0.08})


def _eye_colour(draw: np.random.Generator, european: float) -> str:
    if draw.random() < european:
        return pick(draw, dict(zip(colours.EYES, (0.14, 0.10, 0.18, 0.16, 0.06, 0.13, 0.11, 0.05, 0.07), strict=True)))
    return pick(draw, {"brown": 0.75, "brownlight": 0.25})


def _resting(draw: np.random.Generator) -> dict[str, float]:
    """A relaxed face is friendly more often than stern: the brows of the base mesh sit low."""
    brow, outer, mouth = draw.uniform(0.18, 0.55), draw.uniform(0.05, 0.40), float(np.clip(draw.normal(0.16, 0.10), -0.06, 0.38))
    corners = {"mouthSmileLeft": mouth, "mouthSmileRight": mouth} if mouth >= 0 else {"mouthFrownLeft": -mouth, "mouthFrownRight": -mouth}
    units = {"browInnerUp": brow, "browOuterUpLeft": outer, "browOuterUpRight": outer, **corners}
    return {name: round(float(value), 4) for name, value in units.items()}


def _hair(draw: np.random.Generator, sex: Sex, age: int, african: float) -> str:
    chances = dict(wardrobe.HAIR_CHANCES[sex])
    for name in ("afro", "curls", "crop"):
        chances[name] *= 0.5 + 3.5 * african
    if sex == "man" and age > 45:
        chances["receding"] *= 4
        chances["bald"] *= 2.5
    return pick(draw, chances)


@lru_cache(maxsize=512)
def person(seed: int) -> Person:
    """The person of a seed (0 or more); the same seed gives the same person."""
    draw = np.random.default_rng([seed, 1])
    sex: Sex = "woman" if draw.random() < 0.5 else "man"
    feminine = float(np.clip(draw.beta(2, 10), 0, 0.35))
    age = int(draw.integers(AGE_RANGE[0], AGE_RANGE[1]))
    skin_tone = str(draw.choice(SKIN_TONES))
    heritage = draw.dirichlet(np.array(HERITAGE_PRIOR[skin_tone]) * 1.2 + 0.02)
    african, _, european = heritage
    woman = sex == "woman"
    freckled = european > 0.5 and skin_tone in ("very light", "light", "medium")
    return Person(
        seed=seed,
        sex=sex,
        maleness=round(feminine if woman else 1 - feminine, 4),
        age=age,
        heritage={name: round(float(share), 4) for name, share in zip(HERITAGES, heritage, strict=True)},
        skin_tone=skin_tone,
        skin_shift=(round(draw.normal(0, 0.08), 4), round(draw.normal(0, 0.035), 4), round(draw.normal(0, 0.05), 4)),
        skin_variant=int(draw.integers(8)),
        weight=round(float(np.clip(draw.normal(0.5, 0.2), 0, 1)), 4),
        muscle=round(float(np.clip(draw.normal(0.5, 0.18), 0, 1)), 4),
        shape=_shape(draw),
        head_shape={name: round(float(np.clip(draw.normal(-0.12, 0.26), 0, 0.4)), 4) for name in HEAD_SHAPES},
        asymmetry=round(float(draw.normal(0, 0.12)), 4),
        resting=_resting(draw),
        eye_colour=_eye_colour(draw, european),
        brow=f"eyebrow{draw.integers(1, 13):03}",
        brow_strength=round(float(draw.uniform(0.7, 1.0)), 4),
        hair=_hair(draw, sex, age, african),
        hair_mirrored=bool(draw.random() < 0.5),
        hair_volume=round(float(draw.uniform(0.97, 1.06)), 4),
        hair_colour=_hair_colour(draw, age, european),
        beard="none" if woman or age < 20 else pick(draw, wardrobe.BEARD_CHANCES),
        freckles=round(float(max(0, draw.normal(-0.2, 0.5))) if freckled else 0.0, 4),
        moles=tuple(
            (round(draw.uniform(-0.55, 0.55), 4), round(draw.uniform(6.5, 7.75), 4), round(draw.uniform(0.012, 0.026), 4))
            for _ in range(min(draw.poisson(0.9), 6))
        ),
        blush=round(float(draw.uniform(0.1, 1)), 4),
        oiliness=round(float(draw.uniform(0.25, 1)), 4),
        texture_seed=int(draw.integers(1 << 30)),
        glasses=str(draw.choice(list(wardrobe.GLASSES))),
        glasses_colour=str(draw.choice(list(colours.FRAME))),
        glasses_chance=0.7 if draw.random() < 0.16 else 0.10,
    )
