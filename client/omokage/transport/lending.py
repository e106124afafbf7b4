"""Networks that one process of a server has, and others call: so their weights lie in memory once, and a runtime is not loaded for each."""

from collections.abc import Callable, Mapping

import numpy as np

from omokage.errors import ServerFault
from omokage.system import Arrays
from omokage.transport import beside
from omokage.transport.wire import taken_up

NETWORK = "network"
Run = Callable[[Arrays], Arrays]
"""Inputs by name to outputs by name."""


def borrowed(model: str, network: str) -> Run:
    """A network that a model's process lends. Calling it raises ServerUnreachable while that process is not there, and what it answers with."""
    which: Arrays = {NETWORK: np.array([[network.encode()]], object)}

    def run(inputs: Arrays) -> Arrays:
        (found,) = beside.stream(model, {**inputs, **which})
        return found

    return run


def answer(networks: Mapping[str, Run], inputs: Arrays, caller: beside.Caller) -> None:
    """Raises ServerFault for a network that is not lent."""
    asked = inputs.pop(NETWORK).flat[0].decode()
    if asked not in networks:
        raise ServerFault(f"{asked} is not lent here; it is one of: {', '.join(networks) or 'none'}")
    caller.send(networks[asked](taken_up(inputs)), last=True)
