"""`python -m server_config`: ready when it says so, ended when told, and honest when its server dies."""

import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import omokage
import pytest

from server_config.arguments import Ports
from server_config.errors import NotReady
from server_config.processes import children, stubs
from server_config.supervisor import Server
from tests.server.conftest import SAMPLE

pytestmark = pytest.mark.server
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def ports() -> Ports:
    return Ports.free()


@pytest.fixture
def long_enough() -> float:
    return 30.0


@pytest.fixture
def serving(whole_repository: Path, ports: Ports, long_enough: float) -> Iterator[subprocess.Popen[str]]:
    given = [
        f"--long-enough={long_enough}",
        f"--grpc-port={ports.grpc}",
        f"--http-port={ports.http}",
        f"--metrics-port={ports.metrics}",
        f"--repository={whole_repository}",
    ]
    command = [sys.executable, "-m", "server_config", *given]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert f"gRPC 127.0.0.1:{ports.grpc}" in process.stdout.readline()
        yield process
        process.terminate()


def wait_for_a_portrait_under_way(ports: Ports) -> None:
    """Until the server's own gauge says that one is being made."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with urllib.request.urlopen(f"http://127.0.0.1:{ports.metrics}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        if any(line.startswith("omokage_portraits_running") and float(line.split()[-1]) for line in lines):
            return
        time.sleep(0.05)
    raise AssertionError("no portrait was begun")


def test_it_ends_when_told_and_leaves_nothing(serving: subprocess.Popen[str], ports: Ports) -> None:
    (server,) = children(serving.pid)
    processes = [server, *stubs(server)]
    assert len(processes) > 10
    with omokage.Client(f"127.0.0.1:{ports.grpc}") as client:
        assert client.ready()
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(30) == 0
    assert not [pid for pid in processes if Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize("long_enough", [0.1])
def test_a_server_that_served_long_enough_is_begun_again(serving: subprocess.Popen[str], ports: Ports, long_enough: float) -> None:
    (server,) = children(serving.pid)
    time.sleep(2 * long_enough)
    subprocess.run(["kill", "-9", str(server)], check=True)
    assert serving.stdout is not None
    assert "ready after" in serving.stdout.readline()
    assert children(serving.pid) != [server]
    with omokage.Client(f"127.0.0.1:{ports.grpc}") as client:
        assert client.ready()


def test_a_portrait_that_is_under_way_when_it_is_told_to_end_is_finished(serving: subprocess.Popen[str], ports: Ports) -> None:
    made: list[omokage.Portrait] = []

    def ask() -> None:
        with omokage.Client(f"127.0.0.1:{ports.grpc}") as client:
            made.append(client.portrait("a person", photo=SAMPLE, seed=1, knobs={"steps": 30}))

    asker = threading.Thread(target=ask)
    asker.start()
    wait_for_a_portrait_under_way(ports)
    serving.send_signal(signal.SIGTERM)
    asker.join(60)
    assert [portrait.steps for portrait in made] == [30]
    assert serving.wait(30) == 0


def test_a_port_that_is_taken_is_told_before_anything_starts(whole_server: Server, whole_repository: Path) -> None:
    with pytest.raises(NotReady, match=f"port {whole_server.ports.grpc} for grpc cannot be had"), Server(whole_repository, whole_server.ports):
        pass


def test_a_server_without_its_models_yet_is_told(whole_repository: Path) -> None:
    with Server(whole_repository, Ports.free(), models=("about",)) as server, omokage.Client(server.url) as client:
        assert client.about()["family"] == "mini"
        for ask in (lambda: client.portrait("x", photo=SAMPLE), lambda: client.enroll(SAMPLE)):
            with pytest.raises(omokage.ServerUnreachable, match=r"127\.0\.0\.1:\d+ is not ready for this, or serves other models"):
                ask()


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
    wait_for_a_portrait_under_way(ports)
    (server,) = children(serving.pid)
    processes = list(stubs(server))
    subprocess.run(["kill", "-9", str(server)], check=True)
    asker.join(60)
    assert [type(error) for error in told] == [omokage.ServerUnreachable]
    assert serving.wait(30) == 1
    assert serving.stderr is not None
    assert "the server ended with code -9" in serving.stderr.read()
    assert not [pid for pid in processes if Path(f"/proc/{pid}").exists()]
