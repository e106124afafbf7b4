"""Text and JSON as the server's models take and give them."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from omokage.errors import InvalidRequest
from omokage.system import Arrays


def text(value: bytes | str) -> npt.NDArray[np.object_]:
    """[1, 1]: a string as the models take it. Raises InvalidRequest for what is no text, like bytes of another encoding on a command line."""
    try:
        return np.array([[value.encode() if isinstance(value, str) else value]], object)
    except UnicodeEncodeError as error:
        raise InvalidRequest(f"the text is not UTF-8 (character {error.start}); give it in UTF-8") from None


def report_of(outputs: Arrays) -> dict[str, Any]:
    """What a model says of how it went."""
    return json_of(outputs["report"])


def json_of(value: npt.NDArray[Any]) -> dict[str, Any]:
    """The object in a tensor of one text."""
    found: dict[str, Any] = json.loads(value.reshape(-1)[0])
    return found
