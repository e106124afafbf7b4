"""Streams of portraits, with somebody in Triton's place who can be made slow."""

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

TRITON = "triton_python_backend_utils"


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, which otherwise runs inside Triton alone."""
    triton = SimpleNamespace(TRITONSERVER_RESPONSE_COMPLETE_FINAL=1, get_input_tensor_by_name=lambda request, name: request.get(name))
    monkeypatch.setitem(sys.modules, TRITON, triton)
    for name in ("live", "omokage.transport.inside_triton", "omokage.transport.asking"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("live")


class Sender:
    """What is asked while Triton looks happens before it answers that nobody left."""

    def __init__(self) -> None:
        self.meanwhile: Any = lambda: None

    def is_cancelled(self) -> bool:
        self.meanwhile()
        return False


class Request(dict[str, Any]):
    def __init__(self) -> None:
        self.sender = Sender()

    def get_response_sender(self) -> Sender:
        return self.sender


def test_who_gives_up_while_triton_is_asked_whether_they_left_stays_gone(live: ModuleType) -> None:
    request = Request()
    stream = live.Stream(request)
    request.sender.meanwhile = stream.gone.set
    stream.look()
    assert stream.gone.is_set()
