"""Whether tensors fit a component: every one that it has, no other, all of the right shape."""

from functools import cache

import torch

from export.errors import Mismatch
from export.families import FAMILIES, Family
from export.published import Tensors, empty

SHOWN = 20  # names of an error, of each kind
COUNTED = ("position_ids", "num_batches_tracked")
"""Endings of tensors that older files carry and nothing is computed from."""


@cache
def shapes(family: Family, component: str) -> dict[str, tuple[int, ...]]:
    """Of all tensors that a component has."""
    with torch.device("meta"):
        found = empty(family, component).state_dict()
    return {name: tuple(value.shape) for name, value in found.items() if not name.endswith(COUNTED)}


def fitted(family: Family, component: str, tensors: Tensors, where: str) -> Tensors:
    """The tensors that the component needs. Raises Mismatch with the first that are missing, extra or misshapen, and how many there are."""
    wanted = shapes(family, component)
    found = {name: value for name, value in tensors.items() if not name.endswith(COUNTED)}
    wrong = [
        f"{name}: {list(value.shape)}, wanted {list(wanted[name])}" for name, value in found.items() if value.shape != wanted.get(name, value.shape)
    ]
    kinds = {"missing": wanted.keys() - found.keys(), "extra": found.keys() - wanted.keys(), "misshapen": wrong}
    faults = [f"{len(names)} {kind} ({_few(sorted(names))})" for kind, names in kinds.items() if names]
    if faults:
        raise Mismatch(f"{where}: its {component} is not that of {family.name}: {', '.join(faults)}{_other(family, component, found)}")
    return found


def _few(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


def _other(family: Family, component: str, found: Tensors) -> str:
    """Which family it is of, if of any."""
    has = {name: tuple(value.shape) for name, value in found.items()}
    for other in FAMILIES.values():
        if (
            other.published
            and other.name != family.name
            and (component != "text_encoder_2" or len(other.clip) > 1)
            and has == shapes(other, component)
        ):
            return f"; it is of {other.name}: give --family {other.name}"
    return ""
