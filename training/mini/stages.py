"""The stages in their order, each from the folders of those before it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from omokage.engine import keep_pages
from safetensors.torch import load_file

from export.__main__ import WEIGHTS as RELEASES
from export.autoencoder import Autoencoder
from export.even import EvenLight
from export.face_models import clean_models
from export.generator import Generator
from export.networks import WEIGHTS
from export.text_encoder import TextEncoder, encode, load_tokenizer
from training.mini import characters, checkpoint, control, corpus, harmonizer, parsing, precision, worn
from training.mini.autoencoder import AutoencoderConfig, AutoencoderStage, measure_latents
from training.mini.clothes import ClothesStage
from training.mini.compiling import compile_all
from training.mini.even import EvenStage
from training.mini.expression import expression_stage
from training.mini.generator import GeneratorStage
from training.mini.generator_config import GeneratorConfig
from training.mini.guided import GuidedStage
from training.mini.light import light_stage
from training.mini.likeness import TextureLikeness
from training.mini.loop import CHECKPOINT, Run, Stage
from training.mini.overlay import OverlayStage
from training.mini.phrases import phrases
from training.mini.settings import Settings
from training.mini.team import Team
from training.people import farm, plan, prepare
from training.people.graders import Graders
from training.people.loader import Dataset

RELEASE = RELEASES / "mini"
FINISHED = "finished.safetensors"  # the autoencoder that latents were made with: it stays as it is from then on


@dataclass(frozen=True)
class Workshop:
    """Where everything lies, and how it is made."""

    folder: Path
    settings: Settings
    minutes: float | None = None  # of a stage; it goes on next time
    quiet: bool = False
    cores: int = 1  # processes that render
    compiled: bool = False  # the networks that take most of the time, before training
    team: Team = Team()  # that trains

    def pictures(self, name: str) -> Path:
        return self.folder / "pictures" / name

    def corpus(self, name: str) -> Path:
        return self.folder / "corpus" / name

    def weights(self, stage: str) -> dict[str, torch.Tensor]:
        """A stage's averaged weights, of its checkpoint or as `export.released` leaves them. Raises MissingPiece."""
        saved, released = self.folder / stage / CHECKPOINT, self.folder / stage / WEIGHTS
        return load_file(released) if released.exists() and not saved.exists() else checkpoint.load(saved).average

    def run(self, stage: Stage) -> None:
        run = Run(stage, self.folder / stage.name, self.team)
        if self.compiled:
            compile_all(stage.heavy)
        run.train(minutes=self.minutes, quiet=self.quiet)


def pictures(shop: Workshop) -> None:
    prepare.prepare()
    digest = plan.renderer_digest()
    for one in shop.settings.pictures:
        wanted = plan.Plan(one.kind, one.first_person, one.people, one.shots, 256, digest)
        farm.render(shop.pictures(one.name), wanted, workers=shop.cores, quiet=shop.quiet)


def _untrained(config: AutoencoderConfig) -> Autoencoder:
    return Autoencoder(config.shape).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _autoencoder_stage(shop: Workshop, name: str, config: AutoencoderConfig, begun: Autoencoder) -> AutoencoderStage:
    train, held_out = (Dataset(shop.pictures(part)) for part in ("train", "validation"))
    return AutoencoderStage(name, config, begun, train, held_out, clean_models()[1])


def autoencoder(shop: Workshop) -> None:
    config = shop.settings.autoencoder
    torch.manual_seed(config.schedule.seed)
    shop.run(_autoencoder_stage(shop, "autoencoder", config, _untrained(config)))


def finished_autoencoder(shop: Workshop) -> Autoencoder:
    """The trained autoencoder, with its latents' mean and deviation; measured, and kept with its weights, on first use. Its decoder is that of the
    stage `decoder` where there is one."""
    network = _untrained(shop.settings.autoencoder).eval()
    finished = shop.folder / "autoencoder" / FINISHED
    if (shop.folder / "decoder" / WEIGHTS).exists():
        network.load_state_dict(shop.weights("decoder"))
    elif finished.exists():
        network.load_state_dict(load_file(finished))
    else:
        network.load_state_dict(shop.weights("autoencoder"))
        measure_latents(network, Dataset(shop.pictures("train")))
        checkpoint.save_weights(finished, network.state_dict())
    network.requires_grad_(False)
    return network


def decoder(shop: Workshop) -> None:
    shop.run(_autoencoder_stage(shop, "decoder", shop.settings.decoder, finished_autoencoder(shop)))


def make_corpus(shop: Workshop) -> None:
    makers: dict[str, Callable[[], corpus.Maker]] = {
        "faces": lambda: corpus.face_maker(Graders(), corpus.face_networks(RELEASE)),
        "words": corpus.word_maker,
        "worn": lambda: worn.worn_maker(Graders(), corpus.face_networks(RELEASE)),
        "latents": lambda: corpus.latent_maker(finished_autoencoder(shop)),
    }
    for name in ("validation", "train"):
        for kind, maker in makers.items():
            corpus.compute(shop.pictures(name), shop.corpus(name), kind, maker, quiet=shop.quiet)


def _states(texts: Sequence[str]) -> list[npt.NDArray[np.float16]]:
    """[tokens, 384] each: the text encoder's."""
    return [states.half().numpy() for states in encode(TextEncoder(), load_tokenizer(), texts)]


def _no_words() -> npt.NDArray[np.float16]:
    """[tokens, 384]: the text encoder's states of an empty prompt."""
    return _states([""])[0]


def _generator(shop: Workshop, name: str, config: GeneratorConfig) -> GeneratorStage:
    train, held_out = (corpus.load(shop.corpus(part)) for part in ("train", "validation"))
    return GeneratorStage(name, config, train, held_out, _no_words(), finished_autoencoder(shop))


def _begun_as(begin: str, shop: Workshop, name: str, config: GeneratorConfig) -> GeneratorStage:
    """The stage, with the weights that an earlier one left."""
    stage = _generator(shop, name, config)
    stage.network.load_state_dict(shop.weights(begin))
    return stage


def expression(shop: Workshop) -> None:
    train, held_out = (corpus.load(shop.corpus(part)) for part in ("train", "validation"))
    shop.run(expression_stage(shop.settings.expression, train, held_out, _no_words()))


def even(shop: Workshop) -> None:
    train, held_out = (corpus.load(shop.corpus(part)) for part in ("train", "validation"))
    shop.run(EvenStage(shop.settings.even, train, held_out, TextureLikeness()))


def light(shop: Workshop) -> None:
    train, held_out = (corpus.load(shop.corpus(part)) for part in ("train", "validation"))
    evened = EvenLight()
    evened.load_state_dict(shop.weights("even"))
    shop.run(light_stage(shop.settings.light, evened, train, held_out, _no_words()))


def _dressed(shop: Workshop, part: str) -> tuple[corpus.Corpus, worn.Worn]:
    faces = corpus.load(shop.corpus(part))
    return faces, worn.load(shop.corpus(part), faces)


def overlay(shop: Workshop) -> None:
    said = phrases()
    states = _states([text for text, *_ in said])
    shop.run(OverlayStage(shop.settings.overlay, _dressed(shop, "train"), _dressed(shop, "validation"), list(zip(said, states, strict=True))))


def clothes(shop: Workshop) -> None:
    shop.run(ClothesStage(shop.settings.clothes, _dressed(shop, "train"), _dressed(shop, "validation")))


def base(shop: Workshop) -> None:
    shop.run(_generator(shop, "base", shop.settings.base))


def generator(shop: Workshop) -> None:
    if (shop.folder / "generator" / WEIGHTS).exists():  # a release to go on from, or the checkpoint's
        shop.run(_begun_as("generator", shop, "generator", shop.settings.generator))
        return
    stage = _begun_as("base", shop, "generator", shop.settings.generator)
    stage.network.cross.begin_as(stage.network.makeup)
    stage.network.cross_kv.load_state_dict(stage.network.makeup_kv.state_dict())
    shop.run(stage)


def other_shot(shop: Workshop) -> None:
    shop.run(_begun_as("generator", shop, "other-shot", shop.settings.other_shot))


def same_shot(shop: Workshop) -> None:
    shop.run(_begun_as("generator", shop, "same-shot", shop.settings.same_shot))


def make_characters(shop: Workshop) -> None:
    network = Generator(shop.settings.generator.shape)
    network.load_state_dict(shop.weights("generator"))
    found = characters.fitted(corpus.load(shop.corpus("train")), network.appearance, shop.settings.face)
    folder = shop.folder / "characters"
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.save_weights(folder / WEIGHTS, found)


def shading(shop: Workshop) -> None:
    frozen = _begun_as("generator", shop, "generator", replace(shop.settings.generator, posed=0.0))
    shop.run(control.ShadingStage(shop.settings.shading, frozen))


def guided(shop: Workshop) -> None:
    shop.run(GuidedStage(shop.settings.guided, _begun_as("generator", shop, "generator", shop.settings.generator)))


def make_harmonizer(shop: Workshop) -> None:
    train, held_out = (harmonizer.read_pairs(Dataset(shop.pictures(name))) for name in ("borders", "borders-validation"))
    shop.run(harmonizer.HarmonizerStage(shop.settings.harmonizer, train, held_out))


def make_parsing(shop: Workshop) -> None:
    train, held_out = (parsing.read(Dataset(shop.pictures(name))) for name in ("train", "validation"))
    shop.run(parsing.ParsingStage(shop.settings.parsing, train, held_out))


TOGETHER = (
    *("autoencoder", "decoder", "expression", "even", "light", "overlay", "clothes", "base", "generator", "shading", "guided"),
    *("other-shot", "same-shot", "harmonizer", "parsing"),
)
"""The stages that several processes train together."""
STAGES: dict[str, tuple[str, Callable[[Workshop], None]]] = {
    "pictures": ("render all sets of pictures", pictures),
    "autoencoder": ("pictures to latents and back", autoencoder),
    "decoder": ("the way back from latents alone, so that faces stay who they are", decoder),
    "corpus": ("faces, words, what is worn and latents of all pictures", make_corpus),
    "expression": ("how the words move a face's points", expression),
    "even": ("heads without their photos' own light", even),
    "light": ("how the words change a head's light", light),
    "overlay": ("what words put over a head: lids, glasses, a hat", overlay),
    "clothes": ("what on a head's texture is worn on the body: the rest goes with the head", clothes),
    "base": ("UNet, contexts and the ControlNet of poses, until there are faces", base),
    "generator": ("the same, so that the faces are the person's, and crossfaceid's context", generator),
    "characters": ("how faces vary, so that people can be invented", make_characters),
    "shading": ("ControlNet of light, colour and soft shape", shading),
    "guided": ("keys and values with the guidance in them, for portraits in few steps", guided),
    "other-shot": ("crossfaceid's context trained on as it was, with another shot's face: for the evaluation only", other_shot),
    "same-shot": ("the same with the very picture's face: for the evaluation only", same_shot),
    "harmonizer": ("the network that makes pasted borders whole", make_harmonizer),
    "parsing": ("what a portrait shows, pixel by pixel", make_parsing),
}


def run(team: Team, name: str, shop: Workshop) -> None:
    """One stage, as one process of a team."""
    keep_pages()
    precision.choose(team)
    STAGES[name][1](replace(shop, team=team))
