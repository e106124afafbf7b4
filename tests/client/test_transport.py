"""The client over a transport of the test's own: what it asks for, what it makes of the answers, what is tried again."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import omokage
import pytest
from omokage.models import OUTPUTS, STREAMED
from omokage.texts import text
from omokage.transport import wire
from omokage.transport.over_grpc import GrpcTransport
from tritonclient.utils import InferenceServerException

from engines.served import ensembles, python_models
from export import specs
from export.families import FAMILIES

MINI = FAMILIES["mini"]


class Answers:
    """A transport that gives what it was told to, and notes what it was asked."""

    def __init__(self, answers: dict[str, dict[str, Any]]) -> None:
        self.answers, self.asked = answers, []  # type: ignore[var-annotated]

    def infer(self, model: str, inputs: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((model, inputs))
        return self.answers[model]

    def stream(self, model: str, inputs: dict[str, Any]) -> Iterator[dict[str, Any]]:
        self.asked.append((model, inputs))
        yield from self.answers[model]["all"]

    def ready(self) -> bool:
        return True

    def close(self) -> None:
        pass


def test_a_portrait_is_one_call_and_its_report_becomes_the_result() -> None:
    report = {"system": "face0", "seed": 5, "steps": 20, "likeness": None, "server_seconds": 1.5, "words_cut": "", "notes": []}
    transport = Answers({"portrait": {"image": np.array([[b"png"]], object), "report": text(json.dumps(report))}})
    with omokage.Client(transport=transport) as client:
        made = client.portrait("smiling", photo=b"jpg", system="face0", seed=5, knobs={"steps": 20}, pictures={"pose": b"pose"})
    assert (made.png, made.seed, made.likeness, made.server_seconds) == (b"png", 5, None, 1.5)
    ((model, inputs),) = transport.asked
    assert model == "portrait"
    assert len(inputs.pop("client")[0, 0]) == 16
    assert {name: value[0, 0] for name, value in inputs.items()} == {
        "words": b"smiling",
        "unwanted": b"",
        "system": b"face0",
        "photo": b"jpg",
        "pose": b"pose",
        "seed": 5,
        "knobs": b'{"steps": 20}',
    }


def test_without_a_seed_one_is_drawn_and_told() -> None:
    report = {"system": "face0", "seed": 5, "steps": 20, "likeness": 0.5, "server_seconds": 1.5}
    transport = Answers({"portrait": {"image": np.array([[b"png"]], object), "report": text(json.dumps(report))}})
    with omokage.Client(transport=transport) as client:
        for _ in range(3):
            client.portrait("smiling", photo=b"jpg", system="face0")
    assert len({int(inputs["seed"][0, 0]) for _, inputs in transport.asked}) == 3


def test_a_stream_tells_steps_and_then_the_portrait() -> None:
    report = {"system": "face0", "seed": 5, "steps": 2, "likeness": 0.5, "server_seconds": 1.5, "words_cut": "", "notes": []}
    steps = [{"step": np.array([[number]]), "steps": np.array([[2]]), "preview": text(png)} for number, png in ((1, b""), (2, b"png"))]
    transport = Answers({"portrait_stream": {"all": [*steps, {"image": text(b"png"), "report": text(json.dumps(report))}]}})
    with omokage.Client(transport=transport) as client:
        first, second, made = client.stream("smiling", photo=b"jpg", preview_every=2, deadline=1.5, priority=3)
    assert (first, second) == (omokage.Step(1, 2, None), omokage.Step(2, 2, b"png"))
    assert isinstance(made, omokage.Portrait)
    ((_, inputs),) = transport.asked
    assert [int(inputs[name][0, 0]) for name in ("preview_every", "deadline", "priority")] == [2, 1500, 3]
    assert "decode_every" not in inputs


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"deadline": 0}, "deadline is 0 s; it must be a thousandth of a second or more"),
        ({"deadline": float("nan")}, "deadline is nan s"),
        ({"priority": 10}, "priority is 10; it must be a whole number from 0 to 9"),
        ({"priority": -1}, "priority is -1"),
    ],
)
def test_a_turn_that_cannot_be_had_is_refused_before_anybody_is_asked(given: dict[str, Any], says: str) -> None:
    with omokage.Client(transport=Answers({})) as client, pytest.raises(omokage.InvalidRequest, match=says):
        client.portrait("smiling", photo=b"jpg", **given)


def test_who_runs_the_loop_has_no_deadline() -> None:
    with omokage.Client(transport=Answers({}), orchestrate=True) as client, pytest.raises(omokage.InvalidRequest, match="leave orchestrate out"):
        client.portrait("smiling", photo=b"jpg", deadline=3)


def test_a_server_that_is_busy_is_told_with_when_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    over, failing = transport(monkeypatch)
    over.infer("about", {"ask": text("")})
    failing.errors = [fault("UNAVAILABLE", "busy: 64 requests are waiting already; try again in about 3.5 s")]
    with pytest.raises(omokage.Busy) as told:
        over.infer("about", {"ask": text("")})
    assert told.value.retry_after == 3.5
    assert failing.tries == 2


def test_steps_can_be_watched_only_where_they_run() -> None:
    with omokage.Client(transport=Answers({})) as client, pytest.raises(omokage.InvalidRequest, match="orchestrate=True"):
        client.portrait("smiling", photo=b"jpg", on_step=lambda step, of, clean: None)


def test_every_model_a_recipe_calls_has_the_outputs_it_takes() -> None:
    known = {model.name: {tensor.name for tensor in model.outputs} for model in python_models(MINI)}
    known |= {name: {tensor.name for tensor in network.outputs} for name, network in specs.networks(MINI).items()}
    known |= {ensemble.name: set(ensemble.outputs) for ensemble in ensembles(MINI)}
    for model, outputs in OUTPUTS.items():
        assert set(outputs) <= known[model], model


def test_the_models_that_give_several_answers_are_those_that_are_listed() -> None:
    assert set(STREAMED) == {model.name for model in python_models(MINI) if model.several}


class Failing:
    """Triton's client that fails with the given errors, one after another, and then answers."""

    def __init__(self, *errors: InferenceServerException) -> None:
        self.errors, self.tries = list(errors), 0

    def infer(self, model: str, inputs: Any, outputs: Any, client_timeout: float) -> Any:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return {"about": text("{}")}

    def close(self) -> None:
        pass


class Answer(dict[str, Any]):
    as_numpy = dict.__getitem__


def transport(monkeypatch: pytest.MonkeyPatch, *errors: InferenceServerException, timeout: float = 60.0) -> tuple[GrpcTransport, Failing]:
    failing = Failing(*errors)
    monkeypatch.setattr("omokage.transport.over_grpc.time.sleep", lambda seconds: None)
    made = GrpcTransport("127.0.0.1:1", timeout)
    made._client.close()
    made._client = failing
    infer = failing.infer
    failing.infer = lambda *given, **named: Answer(infer(*given, **named))  # type: ignore[method-assign]
    return made, failing


def fault(code: str, said: str) -> InferenceServerException:
    return InferenceServerException(said, status=f"StatusCode.{code}")


@pytest.mark.parametrize(
    "said",
    ["Stub process 'unet_0_0' is not healthy.", "in ensemble 'finish', Request for unknown model: 'x' has no available versions", "'x' is not ready"],
)
def test_a_fault_that_passes_is_tried_again(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    over, failing = transport(monkeypatch, fault("INTERNAL", said), fault("INTERNAL", said))
    over.infer("about", {"ask": text("")})
    assert failing.tries == 3


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        ("INVALID_ARGUMENT", "in ensemble 'encode_person', bad request: no face", omokage.InvalidRequest),
        ("INVALID_ARGUMENT", "unexpected shape for input 'x'", omokage.InvalidRequest),
        ("INVALID_ARGUMENT", "refused: the passport's consent ended", omokage.Refused),
        ("INTERNAL", "the server failed: KeyError", omokage.ServerFault),
        ("NOT_FOUND", "Request for unknown model: 'about' is not found", omokage.ServerUnreachable),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", omokage.ServerUnreachable),
        ("UNAVAILABLE", "failed to connect to all addresses", omokage.ServerUnreachable),
        ("UNAVAILABLE", "too late: the deadline passed", omokage.TooLate),
        ("CANCELLED", "cancelled: whoever asked is gone", omokage.Cancelled),
    ],
)
def test_every_other_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch, code: str, said: str, kind: type[omokage.OmokageError]) -> None:
    over, failing = transport(monkeypatch, fault(code, said))
    with pytest.raises(kind) as told:
        over.infer("about", {"ask": text("")})
    assert failing.tries == 1
    assert "in ensemble" not in str(told.value)
    assert not str(told.value).startswith(tuple(wire.SAID))


def test_a_server_that_was_met_and_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    over, failing = transport(monkeypatch)
    over.infer("about", {"ask": text("")})
    failing.errors = [fault("UNAVAILABLE", "failed to connect to all addresses")] * 2
    over.infer("about", {"ask": text("")})
    assert failing.tries == 4


def test_one_number_a_row_gets_a_column_on_the_wire() -> None:
    found = wire.laid_out({"weight": np.ones(3, np.float32), "sample": np.ones((3, 8, 4, 4), np.float32)})
    assert {name: value.shape for name, value in found.items()} == {"weight": (3, 1), "sample": (3, 8, 4, 4)}
