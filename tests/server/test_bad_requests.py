"""Words, knobs, passports, tensors and servers that are not what they must be: told early, with a code, and nothing breaks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import omokage
import pytest
import tritonclient.grpc as triton_grpc
from omokage.knobs import Knob
from omokage.models import OUTPUTS, STREAMED
from omokage.passport import Passport
from omokage.portrait import asked
from omokage.systems import BY_ONE_PHOTO
from omokage.texts import text
from omokage.transport.over_grpc import _answers, _Patience
from tritonclient.utils import InferenceServerException

from engines.__main__ import REPOSITORY
from server_config.arguments import Ports
from server_config.supervisor import Server
from tests.server.conftest import SAMPLE

pytestmark = pytest.mark.server
QUICK = {"steps": 1}


def told(client: omokage.Client, error: type[omokage.OmokageError], says: str, **inputs: Any) -> None:
    """The server itself refuses such inputs of `portrait`, and makes a portrait right after."""
    good = {"words": text("a person"), "photo": text(SAMPLE.read_bytes()), "knobs": text(json.dumps(QUICK))}
    given = {name: value for name, value in (good | inputs).items() if value is not None}
    with pytest.raises(error) as refused:
        client._transport.infer("portrait", given)
    assert says in str(refused.value)
    assert "/" not in str(refused.value).replace("omokage-passport/2", "")
    assert client._transport.infer("portrait", good)["image"].shape == (1, 1)


@pytest.mark.parametrize("words", ["", "x" * 10_000, "顔 😀 with a hat"])
def test_any_text_is_words(omokage_client: omokage.Client, passport: Passport, words: str) -> None:
    assert omokage_client.portrait(words, person=passport, seed=1, knobs=QUICK).image.size == (256, 256)


def test_words_that_the_encoder_does_not_hold_are_told(omokage_client: omokage.Client, passport: Passport) -> None:
    words = "a person with a red hat and " * 20 + "a green scarf"
    made = omokage_client.portrait(words, person=passport, seed=1, knobs=QUICK)
    assert made.report["words_cut"].endswith("a green scarf")
    assert words.endswith(made.report["words_cut"])


def test_words_that_are_no_text_or_without_end_are_refused(omokage_client: omokage.Client) -> None:
    told(omokage_client, omokage.InvalidRequest, "words is not UTF-8 text (byte 2 is 0xff)", words=text(b"ab\xff"))
    told(omokage_client, omokage.InvalidRequest, "the words have 20001 characters, at most 20000 are read", words=text("y" * 20_001))


@pytest.mark.parametrize("system", BY_ONE_PHOTO)
def test_every_knob_is_refused_below_above_and_beside_its_range(omokage_client: omokage.Client, system: str) -> None:
    for knob in BY_ONE_PHOTO[system].knobs:
        beyond = (knob.low - 1, knob.high + 1) if isinstance(knob, Knob) else (0, 1)
        unset = [] if knob.default is None else [None]
        for value in (*beyond, "much", *unset, True, [1]):
            with pytest.raises(omokage.InvalidRequest, match=f"^{knob.name} is "):
                _ask(omokage_client, system, json.dumps({knob.name: value}))
        with pytest.raises(omokage.InvalidRequest, match=f"{knob.name} is nan"):
            _ask(omokage_client, system, f'{{"{knob.name}": NaN}}')


def _ask(client: omokage.Client, system: str, knobs: str) -> None:
    inputs = {"words": text("a person"), "photo": text(SAMPLE.read_bytes()), "system": text(system), "knobs": text(knobs)}
    client._transport.infer("portrait", inputs)


def test_unknown_names_are_refused_with_those_there_are(omokage_client: omokage.Client) -> None:
    told(omokage_client, omokage.InvalidRequest, "unknown system 'face1'; choose one of: face0", system=text("face1"))
    told(omokage_client, omokage.InvalidRequest, "unknown knob 'stepps'; this system has: preset", knobs=text('{"stepps": 3}'))
    told(omokage_client, omokage.InvalidRequest, "knobs is not JSON", knobs=text("steps=3"))
    told(omokage_client, omokage.InvalidRequest, "knobs is list in JSON", knobs=text("[3]"))
    told(omokage_client, omokage.InvalidRequest, "seed is -1; it must be a whole number from 0", seed=np.array([[-1]], np.int64))


def test_without_a_person_or_with_two_it_says_so(omokage_client: omokage.Client, passport: Passport) -> None:
    told(omokage_client, omokage.InvalidRequest, "nobody came with the words; send one of: a photo, a passport, a character", photo=None)
    told(omokage_client, omokage.InvalidRequest, "a photo and a passport came with the words", passport=text(passport.to_bytes()))


def test_a_passport_that_is_not_right_is_refused(omokage_client: omokage.Client, passport: Passport) -> None:
    data = passport.to_bytes()
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    for harmed, says in (
        (Passport(family="sd15", face=passport.face).to_bytes(), "the passport is of the family 'sd15', this server's is 'mini'"),
        (data[:-100], "cannot be read"),
        (bytes(flipped), "the passport is damaged"),
        (b"", "cannot be read"),
        (SAMPLE.read_bytes(), "cannot be read"),
    ):
        told(omokage_client, omokage.InvalidRequest, says, photo=None, passport=text(harmed))


def test_a_passport_past_its_date_is_refused_as_consent(omokage_client: omokage.Client, passport: Passport) -> None:
    import datetime

    old = Passport(family="mini", face=passport.face, expires=datetime.date(2020, 1, 31))
    told(omokage_client, omokage.Refused, "the passport's consent ended on 2020-01-31", photo=None, passport=text(old.to_bytes()))


def test_a_bad_pose_is_refused_as_a_photo_is(omokage_client: omokage.Client) -> None:
    told(omokage_client, omokage.InvalidRequest, "the photo is none of", pose=text(b"no picture"))


@pytest.mark.parametrize("model", [name for name in OUTPUTS if (REPOSITORY / name).exists()])
def test_a_wrong_shape_or_dtype_is_refused_by_every_public_model(whole_server: Server, model: str) -> None:
    with triton_grpc.InferenceServerClient(whole_server.url) as client:
        ports = client.get_model_metadata(model, as_json=True)["inputs"]
        shapes = {port["name"]: [2 if int(side) < 0 else int(side) for side in port["shape"]] for port in ports}
        for wrong in ports:
            for change in ("shape", "dtype"):
                given = []
                for port in ports:
                    shape, kind = list(shapes[port["name"]]), port["datatype"]
                    if port is wrong and change == "shape":
                        shape = [*shape, 3]
                    if port is wrong and change == "dtype":
                        kind = "FP64"
                    tensor = triton_grpc.InferInput(port["name"], shape, kind)
                    value = {"BYTES": np.full(shape, b"x", object), "FP64": np.zeros(shape), "INT64": np.zeros(shape, np.int64)}
                    tensor.set_data_from_numpy(value.get(kind, np.zeros(shape, np.float32)))
                    given.append(tensor)
                with pytest.raises(InferenceServerException) as refused:
                    list(_answers(whole_server.url, model, given, _Patience(30))) if model in STREAMED else client.infer(
                        model, given, client_timeout=30
                    )
                assert refused.value.status() == "StatusCode.INVALID_ARGUMENT", (model, wrong["name"], change, refused.value)
                assert "/" not in refused.value.message()
        assert client.is_model_ready(model)


def test_a_server_that_is_not_there_is_told_at_once() -> None:
    with omokage.Client(f"127.0.0.1:{Ports.free().grpc}") as client:
        for ask in (client.ready, client.about, lambda: client.portrait("x", photo=SAMPLE)):
            with pytest.raises(omokage.ServerUnreachable, match=r"no server answers at 127\.0\.0\.1"):
                ask()


def test_a_call_that_takes_too_long_is_told(whole_server: Server) -> None:
    with omokage.Client(whole_server.url, timeout=0.4) as client, pytest.raises(omokage.ServerUnreachable, match=r"did not answer within 0\.4 s"):
        client.portrait("a person", photo=SAMPLE, knobs={"steps": 100})


def test_a_photo_that_is_not_there_is_told(omokage_client: omokage.Client) -> None:
    with pytest.raises(omokage.InvalidRequest, match=r"nobody\.jpg cannot be read"):
        omokage_client.enroll(Path("nobody.jpg"))
    with pytest.raises(omokage.InvalidRequest, match="0 photos were given; give 1 to 12"):
        omokage_client.enroll([])


def test_the_client_refuses_what_the_server_would_without_asking_it(passport: Passport) -> None:
    def nobody(model: str, inputs: Any) -> Any:
        raise AssertionError("asked")

    with pytest.raises(omokage.InvalidRequest, match="unknown system"):
        asked(nobody, omokage.portrait.Order(words="x", passport=passport, system="face1"))
