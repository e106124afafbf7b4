"""Keeps a server serving: starts it, says when it really is ready, brings back a model whose process died, and ends it for certain."""

import contextlib
import ctypes
import logging
import os
import re
import secrets
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import tritonclient.grpc as triton_grpc
from omokage.models import STREAMED
from tritonclient.utils import InferenceServerException

from server_config import plans
from server_config.arguments import EXIT_SECONDS, KEY_NAME, LOOPBACK, Ports, arguments
from server_config.errors import Crashed, NotReady, ServerError
from server_config.processes import alive, started_from, stubs
from server_config.runtime import TENSORRT, environment, find_triton, lay_out

LOG = logging.getLogger(__name__)
READY_SECONDS = 60.0
CRASHES = (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS)
STARTS = 3  # at most, of a server that crashes before it is ready: Triton 2.x's Python backend rarely does (boost's lock_exception)
VERSION = "1"  # the folder of every model's only version
LOOK_SECONDS = 0.5  # between two looks at the processes
GRACE_SECONDS = 2.0  # beyond the server's own exit timeout
LOAD_SECONDS = 30.0  # for one model to be loaded anew
LAST_LINES = 15
RUNNING = re.compile(r'^omokage_portraits_running\{model="(\w+)",process="(\d+)"\} (\S+)$', re.MULTILINE)
"""The gauge of the models that make portraits."""
SHARED_MEMORY = Path("/dev/shm")
Canary = Callable[[triton_grpc.InferenceServerClient], None]
"""A real inference; raises where its answer is not what it must be."""


class Server:
    """A running server, as a context: entering waits until it is ready, leaving ends it and all it left behind."""

    def __init__(
        self,
        repository: Path,
        ports: Ports | None = None,
        *,
        models: tuple[str, ...] = (),
        canary: Canary | None = None,
        stopped: Callable[[], bool] = lambda: False,
        tell: Callable[[str], None] = LOG.warning,
    ) -> None:
        """`stopped`: asked while it is waited for, so that waiting can be given up; `tell` hears of all that was begun anew or brought back."""
        self.ports = ports or Ports()
        self.url = f"{LOOPBACK}:{self.ports.grpc}"
        self.restarted: list[str] = []  # models that were brought back, in order
        self._repository, self._models, self._canary = repository, models, canary
        self._prefix = f"omokage_{os.getpid()}_{self.ports.grpc}_"
        self._folder = tempfile.TemporaryDirectory(prefix="omokage-")
        self._log = Path(self._folder.name) / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped, self._tell, self._key = stopped, tell, secrets.token_hex(16)
        self._wanted: Counter[str] = Counter()  # processes of each model
        self._living: dict[int, str] = {}  # as last seen
        self._missed: Counter[str] = Counter()  # at the last look

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self.stop()
            raise
        return self

    def _begin(self) -> None:
        """Start until it is ready; one that crashes before is started again, a few times."""
        for again in reversed(range(STARTS)):
            self._start()
            try:
                return self._wait()
            except Crashed as error:
                if not again or self._stopped():
                    raise
                self._end_all()
                self._tell(f"{error}\nstarting it again")

    def _start(self) -> None:
        triton = find_triton()
        if triton.target == TENSORRT:
            plans.check(self._repository, self._models)
        self.ports.check()
        _sweep()
        backends = Path(self._folder.name) / "backends"
        if not backends.exists():
            lay_out(backends, triton)
        command = arguments(triton, self._repository, backends, self.ports, self._prefix, self._key, self._models)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                env=environment(triton, dict(os.environ)),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the supervisor, which ends the server in its own way
                preexec_fn=_end_with_parent,
            )

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _wait(self) -> None:
        """Until it says it is ready and the canary sings. Raises NotReady with the server's own last words, Crashed where it crashed."""
        assert self._process is not None
        until = time.monotonic() + READY_SECONDS
        with triton_grpc.InferenceServerClient(self.url) as client:
            while True:
                if (code := self._process.poll()) is not None:
                    kind = Crashed if -code in CRASHES else NotReady
                    raise kind(f"the server ended with code {code} before it was ready; its last words:\n{self.last_words()}")
                if _is_ready(client):
                    break
                if self._stopped():
                    raise NotReady("told to stop before the server was ready")
                if time.monotonic() > until:
                    raise NotReady(f"the server was not ready after {READY_SECONDS:.0f} s; its last words:\n{self.last_words()}")
                time.sleep(0.1)
            if self._canary is not None:
                self._canary(client)
        self._living = stubs(self.pid)
        self._wanted = Counter(self._living.values())

    def last_words(self) -> str:
        """The end of the server's log, errors first."""
        lines = self._log.read_text(errors="replace").splitlines()
        wrong = [line for line in lines if "failed to load" in line or "UNAVAILABLE" in line]
        return "\n".join((wrong or lines)[-LAST_LINES:])

    def look(self) -> list[str]:
        """Bring back every model that has fewer processes than at the start, at this look and the last; returns their names. One that cannot be
        brought back now is told, and tried again at the next look. Raises NotReady where the whole server ended.

        Where a process of a model that streams died with requests, the whole server is begun anew: Triton would never answer them, and a connection
        that breaks off is an answer, too.
        """
        assert self._process is not None
        if self._process.poll() is not None:
            raise NotReady(f"the server ended with code {self._process.returncode}; its last words:\n{self.last_words()}")
        missed = self._missing()
        dead, self._missed = sorted(missed.keys() & self._missed.keys()), missed  # one look may miss a process that is there
        if any(model in STREAMED and self._held(model) for model in dead):
            self._end_all()
            self._begin()
            self.restarted += dead
            self._tell(f"a process of {' and '.join(dead)} had died with requests under way; the server was begun anew")
            return dead
        back = []
        with triton_grpc.InferenceServerClient(self.url) as client:
            for model in dead:
                try:
                    # Triton loads anew only what has changed: a new config alone changes the running model, whose process is no more
                    os.utime(self._repository / model / VERSION)
                    os.utime(self._repository / model / "config.pbtxt")
                except OSError as error:
                    raise ServerError(f"{model} died and cannot be loaded anew: its folder cannot be touched ({error.strerror})") from None
                try:
                    client.load_model(model, headers={f"triton-grpc-protocol-{KEY_NAME}": self._key}, client_timeout=LOAD_SECONDS)
                except InferenceServerException as error:
                    self._tell(f"a process of {model} had died; it could not be brought back yet: {error.message()}")
                    continue
                self._tell(f"a process of {model} had died; it was brought back")
                back.append(model)
        self.restarted += back
        return back

    def _missing(self) -> Counter[str]:
        """Processes of each model that are not there. Who they are is sought anew only where one has ended: seeking them twice a second takes the
        networks a tenth of their time."""
        if not (Counter(self._living.values()) >= self._wanted and all(alive(pid, self.pid) for pid in self._living)):
            self._living = stubs(self.pid)
        return self._wanted - Counter(self._living.values())

    def watch(self, until: Callable[[], bool]) -> None:
        """Look again and again until told otherwise."""
        while not until():
            self.look()
            time.sleep(LOOK_SECONDS)

    def _under_way(self) -> list[tuple[str, int]]:
        """Model and number of each process that has portraits under way, also of those that died. Raises OSError where the server does not say."""
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self.ports.metrics}/metrics", timeout=5) as answer:
            return _running(answer.read().decode())

    def _held(self, model: str) -> bool:
        """Whether a process of it that died had portraits under way; a server that does not say may have."""
        try:
            living = stubs(self.pid)
            return any(one == model and pid not in living for one, pid in self._under_way())
        except OSError:
            return True

    def _let_end(self) -> None:
        """Wait for the portraits that are being made: a server that is told to end takes no further call, not even from its own models."""
        assert self._process is not None
        until = time.monotonic() + EXIT_SECONDS
        with contextlib.suppress(OSError):  # a server that gives no metrics makes no portraits either
            while self._process.poll() is None and time.monotonic() < until and any(pid in stubs(self.pid) for _, pid in self._under_way()):
                time.sleep(0.1)

    def stop(self) -> None:
        """Let what is under way end, then end the server for certain, and remove what it left in shared memory."""
        if self._process is not None:
            self._let_end()
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):  # an open stream keeps it alive beyond its own timeout
                self._process.wait(EXIT_SECONDS + GRACE_SECONDS)
        self._end_all()
        self._process = None
        self._folder.cleanup()

    def _end_all(self) -> None:
        """The server, if it still is, and its processes, which outlive one that was killed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        for pid in started_from(Path(self._folder.name)):
            _end(pid)
        for segment in SHARED_MEMORY.glob(f"{self._prefix}*"):
            segment.unlink(missing_ok=True)


def _running(metrics: str) -> list[tuple[str, int]]:
    """Model and number of each process that makes portraits, from Triton's metrics."""
    return [(model, int(pid)) for model, pid, count in RUNNING.findall(metrics) if float(count)]


def _end_with_parent() -> None:
    """In the child, before it becomes the server: should its supervisor be killed, it is told to end, too. prctl(2), PR_SET_PDEATHSIG."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _sweep() -> None:
    """Remove the shared memory of servers whose supervisor is no more."""
    for segment in SHARED_MEMORY.glob("omokage_*"):
        pid = segment.name.split("_")[1]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            segment.unlink(missing_ok=True)


def _is_ready(client: triton_grpc.InferenceServerClient) -> bool:
    try:
        return bool(client.is_server_ready(client_timeout=LOAD_SECONDS))
    except InferenceServerException:
        return False


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
