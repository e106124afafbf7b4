"""The JSON file beside every engine: what it is, what it was made from, and its digest."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.errors import BadEngine
from export.packages import digest

FORMAT = 4  # raise when the fields change: older engines are then built anew


@dataclass(frozen=True)
class Port:
    """An input or output as the runtime sees it: a dim is a number, or the name of its axis."""

    name: str
    dtype: str
    dims: tuple[int | str, ...]


@dataclass(frozen=True)
class Recipe:
    """Everything that can change an engine."""

    family: str
    network: str
    target: str
    runtime: str  # name and version
    options: dict[str, Any]
    graph_sha256: str
    weights_sha256: str
    format: int = FORMAT

    @property
    def key(self) -> str:
        """SHA-256 over all of it, 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps(dataclasses.asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Made:
    """What building took: `peak_bytes`: the most memory, where it was measured; `refused`: what makes plans the same bytes each time
    (`engines.repeatable`) and this system does not allow. Without any, another build gives the same."""

    peak_bytes: int | None = None
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sidecar:
    """What an engine was made from and what it has; `sha256` is that of its file."""

    recipe: Recipe
    key: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    sha256: str
    seconds: float  # it took to build
    made: Made = Made()
    licences: dict[str, str] = field(default_factory=dict)  # of the weights, by component, as the graph says; none of our own


def path_of(engine: Path) -> Path:
    return engine.with_name(engine.name + ".json")


def write(sidecar: Sidecar, engine: Path) -> None:
    """Beside the engine, whole or not at all."""
    partial = path_of(engine).with_suffix(".partial")
    partial.write_text(json.dumps(dataclasses.asdict(sidecar), indent=2) + "\n")
    partial.replace(path_of(engine))


def read(engine: Path) -> Sidecar:
    """Raises BadEngine where there is none, or none of this format."""
    try:
        found = json.loads(path_of(engine).read_text())
        ports = _ports(found["inputs"]), _ports(found["outputs"])
        made = Made(found["made"]["peak_bytes"], tuple(found["made"]["refused"]))
        return Sidecar(Recipe(**found["recipe"]), found["key"], *ports, found["sha256"], found["seconds"], made, found["licences"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadEngine(f"{engine.name} has no readable side-car ({type(error).__name__}); run `make engines`") from error


def _ports(found: list[dict[str, Any]]) -> tuple[Port, ...]:
    return tuple(Port(port["name"], port["dtype"], tuple(port["dims"])) for port in found)


def verify(engine: Path, wanted: Recipe) -> Sidecar:
    """The side-car of an engine that is what it should be. Raises BadEngine with the reason: missing, foreign, stale or damaged."""
    name, again = f"{wanted.network}/{engine.name}", f"run `make engines FAMILY={wanted.family} TARGET={wanted.target}`"
    if not engine.exists():
        raise BadEngine(f"{name} is not there; {again}")
    found = read(engine)
    for what in ("family", "network", "target"):
        if getattr(found.recipe, what) != getattr(wanted, what):
            raise BadEngine(f"{name} is foreign: its {what} is {getattr(found.recipe, what)}, wanted {getattr(wanted, what)}; {again}")
    other = [what for what in dataclasses.asdict(wanted) if getattr(found.recipe, what) != getattr(wanted, what)]
    if other or found.key != wanted.key:
        raise BadEngine(f"{name} is stale: {', '.join(other) or 'its key'} is not what it would be built from now; {again}")
    if digest(engine) != found.sha256:
        raise BadEngine(f"{name} is damaged: its bytes are not those that were built; {again}")
    return found
