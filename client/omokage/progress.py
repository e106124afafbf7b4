"""One line that says how far something is: on a terminal, and nowhere else."""

import time
from types import TracebackType
from typing import Self, TextIO


class Bar:
    """A context; its line is gone when it is left."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._started = stream, time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._write("")

    def show(self, text: str) -> None:
        """Replace the line."""
        self._write(f"{text} ({time.monotonic() - self._started:.0f} s)")

    def _write(self, text: str) -> None:
        if self._stream.isatty():
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()
