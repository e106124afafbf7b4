"""`python -m server_config`: the embedded server in the foreground, until it is told to stop."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from server_config.arguments import SERVED, Ports
from server_config.canary import sing
from server_config.errors import NotReady, ServerError
from server_config.supervisor import Server

REPOSITORY = Path(__file__).resolve().parents[1] / "model_repository"
LONG_ENOUGH = 30.0  # seconds


def _parser() -> argparse.ArgumentParser:
    ports, parser = Ports(), argparse.ArgumentParser(prog="python -m server_config", description="Serve on loopback until stopped.")
    parser.add_argument("--repository", type=Path, default=REPOSITORY, help=f"default: {REPOSITORY.name}")
    said = "a server that served so long before it ended by itself is begun again (default: 30)"
    parser.add_argument("--long-enough", type=float, default=LONG_ENOUGH, metavar="SECONDS", help=said)
    for name, number in vars(ports).items():
        parser.add_argument(f"--{name}-port", type=int, default=number, help=f"default: {number}")
    return parser


def _serve(given: argparse.Namespace) -> None:
    """Begin again where the whole server ends by itself, unless it does so at once."""
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopped.append(number))
    ports = Ports(given.grpc_port, given.http_port, given.metrics_port)
    while not stopped:
        began, ready = time.monotonic(), None
        try:
            with Server(given.repository, ports, models=SERVED, canary=sing, stopped=lambda: bool(stopped)) as server:
                ready = time.monotonic()
                print(f"ready after {ready - began:.1f} s: gRPC {server.url}, metrics on port {given.metrics_port}; stop with Ctrl-C", flush=True)
                server.watch(lambda: bool(stopped))
        except NotReady as error:
            if stopped:
                return
            if ready is None or time.monotonic() - ready < given.long_enough:
                raise
            print(f"{error}\nbeginning again", file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """0 when told to stop, 1 for anything that the user can mend."""
    try:
        _serve(_parser().parse_args(argv))
    except ServerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
