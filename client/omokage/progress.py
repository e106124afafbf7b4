"""One line that says how far something is: on a terminal, and nowhere else."""

import threading
import time
from types import TracebackType
from typing import Self, TextIO

SECONDS = 0.5  # between two writings of the line


class Bar:
    """A context; its line tells the seconds as they pass, and is gone when it is left."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._started, self._text = stream, time.monotonic(), ""
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        if self._stream.isatty():
            self._ticker.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        if self._ticker.is_alive():
            self._ticker.join()
            self._write("")

    def show(self, text: str) -> None:
        """What is being done now."""
        self._text = text

    def _tick(self) -> None:
        while not self._over.wait(SECONDS):
            self._write(f"{self._text} ({time.monotonic() - self._started:.0f} s)")

    def _write(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{text}")
        self._stream.flush()
