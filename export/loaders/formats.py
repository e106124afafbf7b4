"""The formats of public weights, as a table; and files to all that they hold, checked against a family."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from export.errors import InvalidRequest
from export.families import Family
from export.loaders import diffusers_parts, ip_adapter, low_rank, single_file
from export.loaders.files import read
from export.loaders.fit import fitted
from export.loaders.low_rank import Change, merged
from export.published import Tensors, Weights

OWN = "as whoever published the file says"
RESEARCH = "non-commercial research only"
INSIGHTFACE = f"{RESEARCH}: works on vectors of InsightFace's models"


@dataclass(frozen=True)
class Format:
    """`recognised` by names and shapes of tensors; `components` and `change` raise Mismatch; `commercial`: whether the licence allows such use."""

    name: str
    licence: str
    commercial: bool
    recognised: Callable[[Family, Tensors], bool]
    components: Callable[[Family, Tensors, str], dict[str, Tensors]]
    change: Callable[[Family, Tensors, str], Change] = lambda *_: {}


def _adapter(name: str, kind: str, licence: str, *, commercial: bool, posed: bool = False) -> Format:
    """A file of `image_proj` and `ip_adapter`; `posed`: with a ControlNet."""

    def recognised(family: Family, tensors: Tensors) -> bool:
        if not ip_adapter.recognised(tensors) or ip_adapter.kind_of(family, tensors, name) != kind:
            return False
        return posed == any(one.startswith(ip_adapter.CONTROL) for one in tensors)

    return Format(name, licence, commercial, recognised, ip_adapter.components, ip_adapter.change)


def _part(_: Family, tensors: Tensors, __: str) -> dict[str, Tensors]:
    component = diffusers_parts.component_of(tensors)
    assert component
    return {component: diffusers_parts.renamed(component, tensors)}


FACE0 = "face0.tokens."
PLUS = "IP-Adapter-FaceID-Plus"
FORMATS = (
    Format("single file", OWN, True, lambda _, tensors: single_file.recognised(tensors), single_file.components),
    _adapter("Face-MakeUp", "faceid_plus", INSIGHTFACE, commercial=False, posed=True),
    _adapter(PLUS, "faceid_plus", INSIGHTFACE, commercial=False),
    _adapter("IP-Adapter-FaceID", "faceid", INSIGHTFACE, commercial=False),
    _adapter("InstantID or CrossFaceID", "instantid", INSIGHTFACE, commercial=False),
    _adapter("IP-Adapter", "ip_adapter", "Apache-2.0", commercial=True),
    _adapter("IP-Adapter Plus", "ip_adapter_plus", "Apache-2.0", commercial=True),
    Format("diffusers", OWN, True, lambda _, tensors: diffusers_parts.component_of(tensors) is not None, _part),
    Format(
        "InsightFace's iresnet",
        RESEARCH,
        False,
        lambda _, tensors: {"layer1.0.bn1.weight", "fc.weight", "features.running_mean"} <= tensors.keys(),
        lambda _, tensors, __: {"identity_encoder": tensors},
    ),
    Format(
        "Face0",
        OWN,
        True,
        lambda _, tensors: all(name.startswith(FACE0) for name in tensors),
        lambda _, tensors, __: {"face0.tokens": ip_adapter.below(tensors, FACE0)},
    ),
)
"""The first that recognises a file."""


V1 = "faceid_plus_v1"  # of export.published.VARIANTS


@dataclass(frozen=True)
class Brought:
    """Weights that fit a family, by component; of each, whose they are and under what licence; what is built otherwise because of them."""

    weights: Weights
    licences: dict[str, str]
    variants: tuple[str, ...] = ()


def bring(
    family: Family, paths: Iterable[Path], changes: Iterable[tuple[Path, float]] = (), *, noncommercial: bool = False, plus: int | None = None
) -> Brought:
    """All that files and folders hold, with changes (LoRA, strength) merged in.

    `plus`: which FaceID-Plus a file is of, 1 or 2; their tensors are the same. Raises MissingPiece, DamagedData, Mismatch; InvalidRequest for an
    unknown format, for two files with one component, and for a licence that does not allow commercial use unless `noncommercial` is said.
    """
    weights: dict[str, Tensors] = {}
    licences: dict[str, str] = {}
    merges: list[tuple[Change, float, str, str]] = []
    variants: tuple[str, ...] = ()
    for path, tensors in _files(paths):
        one = _format_of(family, tensors, path)
        if not (one.commercial or noncommercial):
            raise InvalidRequest(f"{path} is of {one.name}, whose licence is: {one.licence}; if that is what you do, give --accept-noncommercial")
        if one.name == PLUS and plus not in (1, 2):
            raise InvalidRequest(f"{path} is of FaceID-Plus or of FaceID-PlusV2, which have the same tensors; say which: --faceid-plus 1 or 2")
        variants = (V1,) if one.name == PLUS and plus == 1 else variants
        parts = {name: fitted(family, name, part, str(path)) for name, part in one.components(family, tensors, str(path)).items()}
        if twice := sorted(parts.keys() & weights.keys()):
            raise InvalidRequest(f"{path} brings {', '.join(twice)}, which another file has brought; give one of them")
        weights |= parts
        licences |= dict.fromkeys(parts, f"{one.name}: {one.licence}")
        merges.append((one.change(family, tensors, str(path)), 1.0, str(path), f"{one.name}: {one.licence}"))
    if {"instantid.tokens", "controlnet"} <= weights.keys():  # InstantID's: nothing in it tells it from another of SDXL
        licences["controlnet"] = f"{licences['controlnet']}; beside InstantID's or CrossFaceID's adapter: {INSIGHTFACE}"
    merges = [merge for merge in merges if merge[0].keys() & weights.keys()]  # an adapter's may be wanted without the UNet
    for path, strength in changes:
        tensors = read(path)
        if not low_rank.recognised(tensors) or ip_adapter.recognised(tensors):
            raise InvalidRequest(f"{path} is no LoRA of kohya's, diffusers' or PEFT's form: it has {', '.join(list(tensors)[:3])}")
        merges.append((low_rank.change(family, tensors, path), strength, str(path), f"LoRA {path.name} at {strength:g}: {OWN}"))
    for change, _, _, licence in merges:
        for component in change.keys() & licences.keys():
            licences[component] += f"; changed by {licence}"
    return Brought(merged(weights, [merge[:3] for merge in merges]), licences, variants)


def _files(paths: Iterable[Path]) -> Iterable[tuple[Path, Tensors]]:
    for path in paths:
        if not path.is_dir():
            yield path, read(path)
            continue
        for shards in diffusers_parts.files(path):
            yield shards[0], {name: value for shard in shards for name, value in read(shard).items()}


def _format_of(family: Family, tensors: Tensors, path: Path) -> Format:
    for one in FORMATS:
        if one.recognised(family, tensors):
            return one
    if low_rank.recognised(tensors):
        raise InvalidRequest(f"{path} is a LoRA; give it as --lora {path}=1.0")
    first = ", ".join(list(tensors)[:3])
    raise InvalidRequest(
        f"{path} is of no known format: its {len(tensors)} tensors begin with {first}; known: {', '.join(one.name for one in FORMATS)}"
    )
