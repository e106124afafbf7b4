"""How long the stages of a portrait take."""

import time


class Watch:
    """Seconds of stages, one after the other."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def done(self, stage: str) -> None:
        """What was done since the last one ended."""
        now = time.monotonic()
        self.seconds[stage], self._last = self.seconds.get(stage, 0.0) + now - self._last, now
