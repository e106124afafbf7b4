"""A network that another process has answers as one's own would."""

import os
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
from omokage.errors import ServerFault, ServerUnreachable
from omokage.system import Arrays
from omokage.transport import beside, lending


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> str:
    mine = os.getpid()
    monkeypatch.setattr(beside, "_address", lambda model: f"\0omokage-test-{mine}-{model}")
    return f"lender-{time.monotonic_ns()}"


def doubled(inputs: Arrays) -> Arrays:
    assert inputs["scale"].ndim == 1, "one number a row comes as the engine takes it"
    return {"twice": 2 * inputs["rows"] * inputs["scale"][:, None]}


def test_a_borrowed_network_answers_as_one_s_own(model: str) -> None:
    listening = beside.Listening(model, partial(lending.answer, {"double": doubled}))
    given: Arrays = {"rows": np.arange(6, dtype=np.float32).reshape(2, 3), "scale": np.array([1, 10], np.float32)}
    np.testing.assert_array_equal(lending.borrowed(model, "double")(given)["twice"], doubled(given)["twice"])
    with pytest.raises(ServerFault, match="halve is not lent here; it is one of: double"):
        lending.borrowed(model, "halve")(given)
    listening.close()


def test_who_lends_and_is_not_there_is_being_brought_back(model: str) -> None:
    with pytest.raises(ServerUnreachable, match="being brought back; repeat"):
        lending.borrowed(model, "double")({"rows": np.zeros((1, 1), np.float32)})


def test_what_a_server_s_process_imports_brings_no_grpc() -> None:
    code = "import sys; from omokage import engine; from omokage.transport import lending; print('grpc' in sys.modules, 'safetensors' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == ["False", "False"]
