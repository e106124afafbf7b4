"""When a request is served: how urgent it is, until when it is wanted, and whose it is."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from omokage.errors import InvalidRequest
from omokage.system import Arrays

MOST_PRIORITY = 9
MOST_CLIENT = 64  # characters


@dataclass(frozen=True, kw_only=True)
class Turn:
    """`deadline`: seconds from when the server has the request, None for no end; `priority`: 0 to 9, higher goes first; `client`: any text, those of
    one text share what one client gets. Raises InvalidRequest."""

    deadline: float | None = None
    priority: int = 0
    client: str = ""

    def __post_init__(self) -> None:
        if self.deadline is not None and not 0.001 <= self.deadline < 1e6:
            raise InvalidRequest(f"deadline is {self.deadline} s; it must be a thousandth of a second or more, from when the server has the request")
        if type(self.priority) is not int or not 0 <= self.priority <= MOST_PRIORITY:
            raise InvalidRequest(f"priority is {self.priority!r}; it must be a whole number from 0 to {MOST_PRIORITY}, higher goes first")
        if len(self.client) > MOST_CLIENT:
            raise InvalidRequest(f"client has {len(self.client)} characters; at most {MOST_CLIENT} are taken")

    def inputs(self) -> Arrays:
        """As `portrait`, `portrait_stream` and `denoiser` take it; what is as it always is is left out."""
        found: dict[str, Any] = {}
        if self.deadline is not None:
            found["deadline"] = np.array([[round(self.deadline * 1000)]], np.int64)
        if self.priority:
            found["priority"] = np.array([[self.priority]], np.int64)
        if self.client:
            found["client"] = np.array([[self.client.encode()]], object)
        return found


AT_LEISURE = Turn()
