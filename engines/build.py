"""Graphs to engines in a folder, each with its side-car; what is there and right is left alone."""

import hashlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from engines import quantize, sidecar
from engines.errors import BadEngine, BuildFailed, EngineError, InvalidRequest
from engines.sidecar import Port, Recipe, Sidecar
from engines.sources import graph_of
from engines.targets import Target, target_named
from export import room, specs, sums
from export.families import FAMILIES, Family
from export.licences import licences_of
from export.packages import digest
from export.tensors import Network, Tensor

NO_WEIGHTS = hashlib.sha256(b"").hexdigest()


def family_named(name: str) -> Family:
    """Raises InvalidRequest with the names there are."""
    if name not in FAMILIES:
        raise InvalidRequest(f"unknown family {name!r}; choose one of: {', '.join(FAMILIES)}")
    return FAMILIES[name]


def engine_path(out: Path, family: str, target: str, network: str) -> Path:
    return out / family / target / network / target_named(target).engine_file


def build(out: Path, family: Family, target: str, networks: list[str] | None = None) -> Iterator[tuple[str, Sidecar, bool]]:
    """(network, side-car, whether it was built now) of every network, as they get ready; of a quantized target, of those that are quantized."""
    wanted = target_named(target)
    known = specs.networks(family)
    for name in networks or list(known if wanted.quantized is None else quantize.KEPT):
        if name not in known:
            raise InvalidRequest(f"{family.name} has no network {name!r}; choose one of: {', '.join(known)}")
        yield name, *_ensure(engine_path(out, family.name, target, name), family, wanted, known[name])


def _ensure(engine: Path, family: Family, target: Target, network: Network) -> tuple[Sidecar, bool]:
    """The side-car of an engine that is right, built now if it was not. Raises DamagedData for a file that the release's sums are not of."""
    graph, weights = _sources(family.name, network.name, target)
    of_graph, of_weights = digest(graph), digest(weights) if weights else NO_WEIGHTS
    sums.check(graph, of_graph)
    if weights:
        sums.check(weights, of_weights)
    recipe = Recipe(family.name, network.name, target.name, target.runtime(), target.options, of_graph, of_weights)
    try:
        return sidecar.verify(engine, recipe), False
    except BadEngine:
        pass  # whatever is wrong with it, it is built anew
    began = time.monotonic()
    engine.parent.mkdir(parents=True, exist_ok=True)
    partial = engine.with_name("partial-" + engine.name)
    _sweep(engine.parent)
    room.check(network.name, room.BUILD, sum(source.stat().st_size for source in (graph, weights) if source), engine.parent)
    try:
        made = target.build(family.name, graph, partial, network)
    except BaseException as error:  # also Ctrl-C: nothing half-written stays
        _sweep(engine.parent)
        if isinstance(error, EngineError) or not isinstance(error, Exception):
            raise
        raise BuildFailed(f"{network.name} of {family.name} for {target.name}: {error}") from error
    licences = licences_of(graph_of(family.name, network.name)[0])  # the graph that quantizing gave may have lost them
    sidecar.path_of(engine).unlink(missing_ok=True)  # never an old side-car beside a new engine
    partial.replace(engine)
    took = round(time.monotonic() - began, 2)
    found = Sidecar(recipe, recipe.key, ports_of(network.inputs), ports_of(network.outputs), digest(engine), took, made, licences)
    sidecar.write(found, engine)
    return found, True


def _sources(family: str, network: str, target: Target) -> tuple[Path, Path | None]:
    """(graph, its weights or None where they are inside). Raises MissingPiece, BadEngine."""
    if target.quantized is None:
        return graph_of(family, network)
    return quantize.quantized_graph(quantize.OUT, family, network, target.quantized), None


def _sweep(folder: Path) -> None:
    """Remove what a build that was killed has left beside the engine."""
    for left in folder.glob("partial-*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def ports_of(tensors: tuple[Tensor, ...]) -> tuple[Port, ...]:
    """As a side-car has them."""
    return tuple(Port(tensor.name, tensor.dtype, tuple(dim if isinstance(dim, int) else dim.name for dim in tensor.dims)) for tensor in tensors)
