"""The server's arguments, each with its reason."""

import contextlib
import socket
from dataclasses import dataclass
from pathlib import Path

from omokage.models import OUTPUTS

from server_config.errors import NotReady
from server_config.runtime import CPU, Triton

LOOPBACK = "127.0.0.1"
SERVED = tuple(OUTPUTS)
"""What recipes call; Triton loads the members of ensembles with them. What nobody calls takes no memory."""
KEY_NAME = "admin-key"
EXIT_SECONDS = 10  # for what is under way when it is told to stop


@dataclass(frozen=True)
class Ports:
    """Of gRPC, HTTP and metrics."""

    grpc: int = 8001
    http: int = 8000
    metrics: int = 8002

    @classmethod
    def free(cls) -> "Ports":
        """Three that nobody listens on now."""
        with contextlib.ExitStack() as opened:
            sockets = [opened.enter_context(socket.socket()) for _ in range(3)]
            for one in sockets:
                one.bind((LOOPBACK, 0))
            return cls(*(one.getsockname()[1] for one in sockets))

    def check(self) -> None:
        """Raises NotReady for one that somebody listens on: whoever asks there would be answered by another server."""
        for name, number in vars(self).items():
            with socket.socket() as one:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what a server left a minute ago does not count
                try:
                    one.bind((LOOPBACK, number))
                except OSError as error:
                    raise NotReady(f"port {number} for {name} cannot be had ({error.strerror}); end what listens there, or choose another") from None


def arguments(
    triton: Triton, repository: Path, backends: Path, ports: Ports, memory_prefix: str, key: str, models: tuple[str, ...] = ()
) -> list[str]:
    """The command line; `key`: who may load models; `models`: only these are loaded (default: all)."""
    given: list[tuple[str, str | None]] = [
        # paths are absolute: the models are told them as they are written here
        ("model-repository", str(repository.resolve())),
        ("backend-directory", str(backends.resolve())),
        ("cache-directory", str(triton.caches)),
        # one repository for every target: this chooses configs/cpu.pbtxt where there is one
        *([("model-config-name", CPU)] if triton.target == CPU else []),
        # explicit, so that the supervisor may load a model anew whose process died
        ("model-control-mode", "explicit"),
        *[("load-model", name) for name in models or ("*",)],
        # loading brings in code, so only who started the server may
        ("grpc-restricted-protocol", f"model-repository,logging,trace:{KEY_NAME}={key}"),
        ("http-restricted-api", f"model-repository,logging,trace:{KEY_NAME}={key}"),
        # nobody outside this machine reaches it
        *[(f"{kind}-address", LOOPBACK) for kind in ("http", "grpc", "metrics")],
        ("http-port", str(ports.http)),
        ("grpc-port", str(ports.grpc)),
        ("metrics-port", str(ports.metrics)),
        ("allow-gpu-metrics", "false"),  # there is no GPU here, and asking for one logs errors
        ("disable-auto-complete-config", None),  # every config is whole; asking would start each Python model twice
        ("exit-on-error", "true"),  # a model that does not load is an error of the whole server
        ("strict-readiness", "true"),
        ("exit-timeout-secs", str(EXIT_SECONDS)),
        # a prefix of our own: what a killed process leaves in shared memory can be told from others' and removed
        ("backend-config", f"python,shm-region-prefix-name={memory_prefix}"),
        ("backend-config", "python,shm-default-byte-size=4194304"),
        ("backend-config", "python,shm-growth-byte-size=4194304"),
        ("log-format", "ISO8601"),
    ]
    return [str(triton.binary), *(f"--{name}" if value is None else f"--{name}={value}" for name, value in given)]
