"""How long a request takes that comes right after a model's process died: retried by the client until the supervisor has brought it back."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from tqdm import tqdm

from server_config.processes import stubs
from server_config.supervisor import Server

AT_MOST = 60.0  # seconds that a model may be away


class NotBroughtBack(Exception):
    """A model stayed away, or answered wrongly when it was back."""


def seconds_after_deaths(server: Server, ask: Callable[[], bytes]) -> dict[str, float]:
    """By model: its process is killed and `ask`, which gives the same bytes every time, is timed. Raises NotBroughtBack."""
    wanted, over, found = ask(), threading.Event(), {}
    watcher = threading.Thread(target=server.watch, args=(over.is_set,))
    watcher.start()
    try:
        for model in tqdm(sorted(set(stubs(server.pid).values())), "killed", disable=not sys.stderr.isatty()):
            before = len(server.restarted)
            os.kill(next(pid for pid, name in stubs(server.pid).items() if name == model), signal.SIGKILL)
            began = time.monotonic()
            if ask() != wanted:
                raise NotBroughtBack(f"the first portrait after {model} died is another one")
            found[model] = round(time.monotonic() - began, 2)
            while len(server.restarted) == before:
                if time.monotonic() - began > AT_MOST:
                    raise NotBroughtBack(f"{model} died and was not brought back within {AT_MOST:g} s")
                time.sleep(0.1)
    finally:
        over.set()
        watcher.join()
    return found
