"""Plans that Triton is to load: looked at before it does, since its TensorRT backend knows nothing of side-cars."""

from collections.abc import Collection
from pathlib import Path

from google.protobuf import json_format, text_format
from omokage import engine_file
from tritonclient.grpc import model_config_pb2

from server_config.errors import MissingPiece

PLATFORM, FILE = "tensorrt_plan", "1/model.plan"


def check(repository: Path, models: Collection[str] = ()) -> list[str]:
    """The names of all models (or of these) whose plan is whole, is theirs, and has the ports of their config. Raises MissingPiece for one that is
    not, and for a config that cannot be read."""
    found = []
    for path in sorted(repository.glob("*/config.pbtxt")):
        name = path.parent.name
        if models and name not in models:
            continue
        try:
            config = text_format.Parse(path.read_text(), model_config_pb2.ModelConfig())
            if config.platform != PLATFORM:
                continue
            as_json = json_format.MessageToDict(config, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
            engine_file.checked(path.parent / FILE, name, as_json)
        except text_format.ParseError as error:
            raise MissingPiece(f"the config of {name} cannot be read ({error}); run `python -m engines configs`") from None
        except engine_file.BadEngine as error:
            raise MissingPiece(str(error)) from None
        found.append(name)
    return found
