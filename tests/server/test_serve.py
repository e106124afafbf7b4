"""`python -m server_config`: ready when it says so, ended when told, and honest when its server dies."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import omokage
import pytest

from server_config.arguments import Ports
from server_config.processes import children, stubs
from tests.server.conftest import SAMPLE

pytestmark = pytest.mark.server
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def ports() -> Ports:
    return Ports.free()


@pytest.fixture
def serving(whole_repository: Path, ports: Ports) -> Iterator[subprocess.Popen[str]]:
    given = [f"--grpc-port={ports.grpc}", f"--http-port={ports.http}", f"--metrics-port={ports.metrics}", f"--repository={whole_repository}"]
    command = [sys.executable, "-m", "server_config", *given]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert f"gRPC 127.0.0.1:{ports.grpc}" in process.stdout.readline()
        yield process
        process.terminate()


def test_it_ends_when_told_and_leaves_nothing(serving: subprocess.Popen[str], ports: Ports) -> None:
    (server,) = children(serving.pid)
    processes = [server, *stubs(server)]
    assert len(processes) > 10
    with omokage.Client(f"127.0.0.1:{ports.grpc}") as client:
        assert client.ready()
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(30) == 0
    assert not [pid for pid in processes if Path(f"/proc/{pid}").exists()]


def test_a_server_that_is_killed_in_mid_request_is_told_to_the_client_and_to_the_one_who_started_it(
    serving: subprocess.Popen[str], ports: Ports
) -> None:
    told: list[Exception] = []

    def ask() -> None:
        try:
            with omokage.Client(f"127.0.0.1:{ports.grpc}") as client:
                client.enroll(SAMPLE)
                client.portrait("a person", photo=SAMPLE, knobs={"steps": 100})
        except omokage.OmokageError as error:
            told.append(error)

    asker = threading.Thread(target=ask)
    asker.start()
    time.sleep(3)  # the portrait of a hundred steps is under way
    (server,) = children(serving.pid)
    processes = list(stubs(server))
    subprocess.run(["kill", "-9", str(server)], check=True)
    asker.join(60)
    assert [type(error) for error in told] == [omokage.ServerUnreachable]
    assert serving.wait(30) == 1
    assert serving.stderr is not None
    assert "the server ended with code -9" in serving.stderr.read()
    assert not [pid for pid in processes if Path(f"/proc/{pid}").exists()]
