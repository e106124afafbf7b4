"""One real inference through Python models and engines: a server that only looks ready does not pass it."""

import numpy as np
import tritonclient.grpc as triton_grpc
from tritonclient.utils import InferenceServerException

from server_config.errors import NotReady

MODEL, WORDS = "encode_prompt", b"a canary sings"
SECONDS = 20.0


def sing(client: triton_grpc.InferenceServerClient) -> None:
    """Raises NotReady where words do not become keys and values that are numbers and not all nothing."""
    words = triton_grpc.InferInput("words", [1, 1], "BYTES")
    words.set_data_from_numpy(np.array([[WORDS]], object))
    try:
        found = client.infer(MODEL, [words], client_timeout=SECONDS).as_numpy("text_kv")
    except (InferenceServerException, ValueError) as error:  # ValueError: empty tensors, as with a numpy that the stubs cannot read
        raise NotReady(f"the server says it is ready, but {MODEL} fails: {error}") from None
    if not (found.size and np.isfinite(found).all() and found.any()):
        raise NotReady(
            f"the server says it is ready, but {MODEL} gives {found.size} numbers that are nothing; numpy must be below 2, run `make setup`"
        )
