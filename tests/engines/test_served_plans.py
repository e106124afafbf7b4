"""Configs of the server and side-cars of plans agree, for every network; a plan that is not a model's is refused before Triton sees it."""

import dataclasses
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from engines import configs, sidecar
from engines.build import ports_of
from engines.sidecar import Port, Recipe, Sidecar
from export import specs
from export.families import FAMILIES, Family
from server_config import plans
from server_config.errors import MissingPiece

MINI = FAMILIES["mini"]
Change = Callable[[Sidecar], Sidecar]


def repository(folder: Path, names: list[str], change: Change = lambda found: found, family: Family = MINI) -> Path:
    """A family's configs, each with a plan of some bytes and the side-car that building writes beside it."""
    texts = configs.plans(family)
    for name in names:
        plan = folder / name / "1" / "model.plan"
        plan.parent.mkdir(parents=True)
        plan.write_bytes(name.encode())
        (folder / name / "config.pbtxt").write_text(texts[f"{name}/config.pbtxt"])
        network = specs.network(family, name)
        recipe = Recipe(family.name, name, "tensorrt", "tensorrt 11.4 on NVIDIA L4", {}, "0", "0")
        digest = hashlib.sha256(name.encode()).hexdigest()
        sidecar.write(change(Sidecar(recipe, recipe.key, ports_of(network.inputs), ports_of(network.outputs), digest, 1.0)), plan)
    return folder


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_every_network_s_config_has_the_ports_of_its_plan(family: Family, tmp_path: Path) -> None:
    names = list(specs.networks(family))
    assert plans.check(repository(tmp_path, names, family=family)) == sorted(names)


def test_models_that_are_no_plans_are_not_looked_at(tmp_path: Path) -> None:
    texts = configs.files(MINI)
    for name in ("about", "encode_person"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.pbtxt").write_text(texts[f"{name}/config.pbtxt"])
    assert plans.check(tmp_path) == []


def other_port(**changes: object) -> Change:
    def changed(found: Sidecar) -> Sidecar:
        first, *rest = found.inputs
        return dataclasses.replace(found, inputs=(dataclasses.replace(first, **changes), *rest))  # type: ignore[arg-type]

    return changed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (other_port(name="samples"), "unet: input sample is .* in the config, not there in the engine"),
        (other_port(dtype="fp16"), "input sample is .*TYPE_FP32.* in the config, .*TYPE_FP16.* in the engine"),
        (other_port(dims=("batch", 8, 32, 33)), "8, 32, 33"),
        (lambda found: dataclasses.replace(found, outputs=(*found.outputs, Port("more", "fp32", ("batch", 1)))), "output more is not there in the"),
        (lambda found: dataclasses.replace(found, sha256="0" * 64), "the engine of unet is damaged"),
        (lambda found: dataclasses.replace(found, recipe=dataclasses.replace(found.recipe, network="vae_decoder")), "has the engine of vae_decoder"),
    ],
)
def test_a_plan_that_is_not_its_model_s_is_refused(tmp_path: Path, change: Change, says: str) -> None:
    with pytest.raises(MissingPiece, match=says):
        plans.check(repository(tmp_path, ["unet"], change))


@pytest.mark.parametrize("gone", ["model.plan", "model.plan.json"])
def test_a_plan_without_its_side_car_and_the_other_way_round_are_refused(tmp_path: Path, gone: str) -> None:
    (repository(tmp_path, ["unet"]) / "unet" / "1" / gone).unlink()
    with pytest.raises(MissingPiece, match=re.escape("run `make engines TARGET=tensorrt`")):
        plans.check(tmp_path)


def test_a_config_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (repository(tmp_path, ["unet"]) / "unet" / "config.pbtxt").write_text("max_batch_size: many")
    with pytest.raises(MissingPiece, match="the config of unet cannot be read"):
        plans.check(tmp_path)
