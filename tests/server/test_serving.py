"""The real server: faces found in real bytes, refusals that leave it serving, processes that die and come back."""

import io
import os
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tritonclient.grpc as triton_grpc
from omokage import faces
from PIL import Image
from tritonclient.utils import InferenceServerException

from engines import build as building
from engines.__main__ import REPOSITORY
from engines.install import install
from export.families import FAMILIES
from server_config.arguments import Ports
from server_config.errors import Crashed, NotReady
from server_config.processes import stubs
from server_config.supervisor import SHARED_MEMORY, STARTS, Server
from training.people.graders import Graders
from training.people.person import person
from training.people.render import Renderer
from training.people.shot import shot

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
pytestmark = pytest.mark.assets
ENGINES = ["face_detector", "face_landmarks", "person_mask", "face_texture", "appearance_encoder", "identity_encoder"]
MODELS = (*ENGINES, "face_analysis")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models of face analysis, with their engines and those that are lent with them."""
    folder = tmp_path_factory.mktemp("served")
    for model in MODELS:
        shutil.copytree(REPOSITORY / model, folder / "repository" / model, ignore=shutil.ignore_patterns("model.onnx*", "__pycache__"))
    list(building.build(folder / "engines", FAMILIES["mini"], "cpu", ENGINES))
    install(folder / "engines", "mini", "cpu", folder / "repository", ENGINES)
    return folder / "repository"


@pytest.fixture(scope="module")
def server(repository: Path) -> Iterator[Server]:
    with Server(repository, Ports.free(), models=MODELS) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[triton_grpc.InferenceServerClient]:
    with triton_grpc.InferenceServerClient(server.url) as made:
        yield made


@pytest.fixture(scope="module")
def portrait() -> Pixels:
    who = person(1_000_003)
    return Renderer(256).picture(who, shot(who, 1)).image


def png(pixels: Pixels) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def analysed(client: triton_grpc.InferenceServerClient, data: bytes) -> triton_grpc.InferResult:
    given = triton_grpc.InferInput("photo", [1, 1], "BYTES")
    given.set_data_from_numpy(np.array([[data]], object))
    return client.infer("face_analysis", [given], client_timeout=30)


def identity(client: triton_grpc.InferenceServerClient, face: Floats) -> Floats:
    given = triton_grpc.InferInput("face", list(face.shape), "FP32")
    given.set_data_from_numpy(face)
    found: Floats = client.infer("identity_encoder", [given]).as_numpy("identity")
    return found


def test_a_face_is_found_and_recognised_as_in_training(client: triton_grpc.InferenceServerClient, portrait: Pixels) -> None:
    found = analysed(client, png(portrait))
    graders = Graders()
    face = graders.detect(portrait)
    assert face is not None
    np.testing.assert_allclose(found.as_numpy("points")[0], face[1], atol=0.05)
    vector = identity(client, found.as_numpy("face"))[0]
    assert float(vector @ graders.sface(portrait, face[1])) > 0.999


def test_requests_that_come_together_are_answered_as_alone(client: triton_grpc.InferenceServerClient) -> None:
    crops = np.random.default_rng(0).uniform(0, 255, (24, 1, 3, faces.CROP, faces.CROP)).astype(np.float32)
    alone = [identity(client, crop) for crop in crops]
    before = _runs(client)
    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(lambda crop: identity(client, crop), crops))
    assert _runs(client) - before < len(crops)  # some were run as one
    np.testing.assert_allclose(together, alone, atol=1e-5)


def _runs(client: triton_grpc.InferenceServerClient) -> int:
    """How often the engine ran so far."""
    return int(client.get_inference_statistics("identity_encoder", as_json=True)["model_stats"][0]["execution_count"])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"", "the photo is empty", id="empty"),
        pytest.param(b"hello", "the photo is none of", id="text"),
        pytest.param(png(np.full((64, 64, 3), 128, np.uint8)), "no face was found", id="no face"),
    ],
)
def test_a_refusal_has_a_code_and_no_path_and_the_server_goes_on(
    client: triton_grpc.InferenceServerClient, portrait: Pixels, data: bytes, says: str
) -> None:
    with pytest.raises(InferenceServerException) as refused:
        analysed(client, data)
    assert refused.value.status() == "StatusCode.INVALID_ARGUMENT"
    assert says in refused.value.message()
    assert "/" not in refused.value.message()
    assert analysed(client, png(portrait)).as_numpy("face").shape == (1, 3, faces.CROP, faces.CROP)


def test_of_two_faces_the_larger_is_used_and_the_report_says_so(client: triton_grpc.InferenceServerClient, portrait: Pixels) -> None:
    both = np.zeros((256, 420, 3), np.uint8)
    both[:, :256] = portrait
    both[20:180, 258:418] = np.asarray(Image.fromarray(portrait).resize((160, 160)))
    found = analysed(client, png(both))
    assert b"2 faces were found, the largest was used" in found.as_numpy("report")[0, 0]
    assert found.as_numpy("points")[0, :, 0].max() < 256


def test_a_wrong_shape_is_refused_by_name(client: triton_grpc.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="unexpected shape for input 'face'") as refused:
        identity(client, np.zeros((1, 3, 112, 111), np.float32))
    assert refused.value.status() == "StatusCode.INVALID_ARGUMENT"


@pytest.mark.parametrize("model", MODELS)
def test_a_process_that_is_killed_is_brought_back_and_answers(
    server: Server, client: triton_grpc.InferenceServerClient, portrait: Pixels, model: str
) -> None:
    for _ in range(2):  # a second time nothing in the model's folder is new but what the supervisor touches
        (pid,) = [pid for pid, name in stubs(server.pid).items() if name == model]
        os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 10
        while model not in server.look():
            assert time.monotonic() < until, "nobody noticed"
            time.sleep(0.1)
        assert model in stubs(server.pid).values()
    assert analysed(client, png(portrait)).as_numpy("points").shape == (1, 5, 2)
    assert identity(client, np.zeros((1, 3, 112, 112), np.float32)).shape == (1, 128)
    assert model in stubs(server.pid).values()


def test_a_server_that_is_stopped_leaves_nothing(repository: Path) -> None:
    with Server(repository, Ports.free(), models=("identity_encoder",)) as running:
        pid, prefix = running.pid, running._prefix
        assert list(SHARED_MEMORY.glob(f"{prefix}*"))
        left = stubs(pid)
    assert not Path(f"/proc/{pid}").exists()
    assert not any(Path(f"/proc/{stub}").exists() for stub in left)
    assert not list(SHARED_MEMORY.glob(f"{prefix}*"))


def crashing(repository: Path, times: int, told: list[str]) -> Server:
    """One whose server is aborted while it starts, so many times."""
    aborted: set[int] = set()

    def abort() -> bool:
        if running.pid not in aborted and len(aborted) < times:
            aborted.add(running.pid)
            os.kill(running.pid, signal.SIGABRT)
        return False

    running = Server(repository, Ports.free(), models=MODELS, stopped=abort, tell=told.append)
    return running


def test_a_server_that_crashes_before_it_is_ready_is_started_again(repository: Path) -> None:
    told: list[str] = []
    with crashing(repository, 1, told) as running, triton_grpc.InferenceServerClient(running.url) as client:
        assert identity(client, np.zeros((1, 3, 112, 112), np.float32)).shape == (1, 128)
    assert [said.splitlines()[-1] for said in told] == ["starting it again"]


def test_a_server_that_crashes_at_every_start_is_given_up_and_leaves_nothing(repository: Path) -> None:
    told: list[str] = []
    running = crashing(repository, STARTS, told)
    with pytest.raises(Crashed, match="ended with code -6 before it was ready"), running:
        pass
    assert len(told) == STARTS - 1
    assert not list(SHARED_MEMORY.glob(f"{running._prefix}*"))


def test_a_model_whose_engine_is_damaged_does_not_start_and_the_log_says_why(repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository, tmp_path / "repository")
    engine = tmp_path / "repository" / "identity_encoder" / "1" / "model.onnx"
    data = bytearray(engine.read_bytes())
    data[1000] ^= 1
    engine.unlink()
    engine.write_bytes(data)
    with (
        pytest.raises(NotReady, match="the engine of identity_encoder is damaged"),
        Server(tmp_path / "repository", Ports.free(), models=("identity_encoder",)),
    ):
        pass
