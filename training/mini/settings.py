"""How much of everything: the release's settings, and small ones that only show that every stage runs."""

from dataclasses import dataclass, replace

from export.families import FAMILIES, FaceShape
from training.mini.autoencoder import DECODER, AutoencoderConfig
from training.mini.clothes import ClothesConfig
from training.mini.control import ControlConfig
from training.mini.even import EvenConfig
from training.mini.generator_config import BASE, OTHER_SHOT, SAME_SHOT, GeneratorConfig
from training.mini.guided import GuidedConfig
from training.mini.harmonizer import HarmonizerConfig
from training.mini.light import LIGHT
from training.mini.loop import Schedule
from training.mini.overlay import OverlayConfig
from training.mini.parsing import ParsingConfig
from training.mini.ways import WaysConfig
from training.people import splits


@dataclass(frozen=True)
class PictureSet:
    """A folder of rendered pictures; a `kind` of `training.people kinds`."""

    name: str
    kind: str
    first_person: int
    people: int
    shots: int


FIRST_HELD_OUT = splits.SPLITS["validation"].start


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All stages' settings."""

    pictures: tuple[PictureSet, ...] = (
        PictureSet("validation", "shots", FIRST_HELD_OUT, 128, 4),
        PictureSet("train", "shots", 0, 8000, 3),
        PictureSet("borders-validation", "harmonize", FIRST_HELD_OUT, 64, 1),
        PictureSet("borders", "harmonize", 0, 1500, 1),
    )
    autoencoder: AutoencoderConfig = AutoencoderConfig()
    decoder: AutoencoderConfig = DECODER
    face: FaceShape = FAMILIES["mini"].face
    expression: WaysConfig = WaysConfig()
    even: EvenConfig = EvenConfig()
    light: WaysConfig = LIGHT
    overlay: OverlayConfig = OverlayConfig()
    clothes: ClothesConfig = ClothesConfig()
    base: GeneratorConfig = BASE
    generator: GeneratorConfig = GeneratorConfig()
    other_shot: GeneratorConfig = OTHER_SHOT
    same_shot: GeneratorConfig = SAME_SHOT
    shading: ControlConfig = ControlConfig()
    guided: GuidedConfig = GuidedConfig()
    harmonizer: HarmonizerConfig = HarmonizerConfig()
    parsing: ParsingConfig = ParsingConfig()


def _brief(schedule: Schedule) -> Schedule:
    return replace(schedule, steps=2, batch=8, warmup=1)


def _narrow(config: GeneratorConfig) -> GeneratorConfig:
    shape = replace(config.shape, channels=(32, 64), heads=(1, 2))
    return replace(config, schedule=_brief(config.schedule), shape=shape, judged=8, shown=2, shown_steps=2)


def _little(config: WaysConfig) -> WaysConfig:
    return replace(config, schedule=_brief(config.schedule), shown=2, judged=1)


def smoke() -> Settings:
    """Two steps of every stage, on a handful of pictures and narrow networks."""
    full = Settings()
    people = tuple(replace(one, people=2, shots=2) for one in full.pictures)
    return Settings(
        pictures=people,
        face=replace(full.face, character=1),
        autoencoder=replace(full.autoencoder, schedule=_brief(full.autoencoder.schedule), judged=2),
        decoder=replace(full.decoder, schedule=_brief(full.decoder.schedule), judged=2),
        expression=_little(full.expression),
        even=replace(full.even, schedule=_brief(full.even.schedule), likened=2, shown=2),
        light=_little(full.light),
        overlay=replace(full.overlay, schedule=_brief(full.overlay.schedule), shown=2),
        clothes=replace(full.clothes, schedule=_brief(full.clothes.schedule), shown=2),
        **{name: _narrow(getattr(full, name)) for name in ("base", "generator", "other_shot", "same_shot")},
        shading=replace(full.shading, schedule=_brief(full.shading.schedule), shown=2, shown_steps=2),
        guided=replace(full.guided, schedule=_brief(full.guided.schedule), shown=2, shown_steps=2),
        harmonizer=replace(full.harmonizer, schedule=_brief(full.harmonizer.schedule), shown=2, judged=2),
        parsing=replace(full.parsing, schedule=_brief(full.parsing.schedule), shown=2, judged=2),
    )
