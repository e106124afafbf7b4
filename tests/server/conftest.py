"""One real server with all models, under its supervisor, for all tests that only ask it something."""

import threading
from collections.abc import Iterator
from pathlib import Path

import omokage
import pytest

from engines import build as building
from engines.__main__ import REPOSITORY
from engines.install import install, install_tokenizer
from export.families import FAMILIES
from server_config.arguments import SERVED, Ports
from server_config.canary import sing
from server_config.runtime import find_triton
from server_config.supervisor import Server
from tests.server.repository import copied

SAMPLE = Path(__file__).parents[2] / "docs" / "img" / "sample.jpg"


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All engines of the released mini family: of the CPU, but where OMOKAGE_TRITON names a Triton with a TensorRT backend."""
    folder = tmp_path_factory.mktemp("engines")
    list(building.build(folder, FAMILIES["mini"], find_triton().target))
    return folder


@pytest.fixture(scope="session")
def whole_repository(engines: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = [folder.name for folder in REPOSITORY.iterdir() if (folder / "config.pbtxt").exists()]
    repository = copied(models, tmp_path_factory.mktemp("whole"))
    target = find_triton().target
    install(engines, "mini", target, repository, [folder.name for folder in (engines / "mini" / target).iterdir()])
    install_tokenizer("mini", repository)
    return repository


@pytest.fixture(scope="session")
def whole_server(whole_repository: Path) -> Iterator[Server]:
    """Watched in a thread: what dies comes back."""
    over = threading.Event()
    with Server(whole_repository, Ports.free(), models=SERVED, canary=sing) as running:
        watcher = threading.Thread(target=running.watch, args=(over.is_set,))
        watcher.start()
        yield running
        over.set()
        watcher.join()


@pytest.fixture
def omokage_client(whole_server: Server) -> Iterator[omokage.Client]:
    with omokage.Client(whole_server.url, timeout=60) as made:
        yield made


@pytest.fixture(scope="session")
def sample() -> bytes:
    return SAMPLE.read_bytes()


@pytest.fixture(scope="session")
def passport(whole_server: Server, sample: bytes) -> omokage.Passport:
    with omokage.Client(whole_server.url) as client:
        return client.enroll(sample)
