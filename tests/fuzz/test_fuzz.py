"""Nothing that a client sends is raised, answered with a 5xx, or refused after it took effect."""

from dataclasses import replace
from pathlib import Path
from random import Random  # noqa: TID251 - from a seed

import pytest
from doubles.api_recipes import as_request

from fuzz.control import ControlFuzz
from fuzz.doors import DOORS, Answer
from fuzz.fuzz import Fuzz
from fuzz.requests import CORPUS, kept, read
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.wire.messages import Response

SEEDS = 20
REQUESTS = 30
THROUGH_A_DOOR = 60


@pytest.fixture(autouse=True)
def still_time() -> None:
    """Let time pass, unlike in other tests: the world is made before each test."""


@pytest.fixture(scope="module")
def fuzz() -> Fuzz:
    """One sandbox for all."""
    return Fuzz(0)


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.json")), ids=lambda file: file.stem)
def test_what_failed_once_is_refused(file: Path, fuzz: Fuzz) -> None:
    """Each request of the corpus gets an answer now."""
    assert fuzz.problem(read(file.read_text(encoding="utf-8"), fuzz.world)) == ""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_any_request_gets_an_answer(seed: int, fuzz: Fuzz) -> None:
    """A few of the requests that ``make fuzz`` sends."""
    fuzz.random = Random(seed)
    for _ in range(REQUESTS):
        sent = fuzz.changed()
        assert fuzz.problem(sent) == "", kept(sent)


@pytest.mark.parametrize("door", sorted(DOORS.keys() - {"handle"}))
def test_any_request_gets_an_answer_through_each_door(door: str) -> None:
    """Libraries in this process, sockets, TLS, bytes that hardly are HTTP, and all of ``serve``."""
    with Fuzz(0, door) as through:
        for _ in range(THROUGH_A_DOOR):
            sent = through.changed()
            assert through.problem(sent) == "", kept(sent)
        assert through.unsent < THROUGH_A_DOOR / 2


@pytest.mark.parametrize(
    "file", sorted((CORPUS / "control").glob("*.json")), ids=lambda file: file.stem
)
def test_a_call_that_failed_once_is_refused(file: Path, fuzz: Fuzz) -> None:
    """Each call of the control API that was kept gets an answer now."""
    with ControlFuzz(0) as control:
        assert control.problem(read(file.read_text(encoding="utf-8"), fuzz.world)) == ""


def test_any_call_of_the_control_api_gets_an_answer() -> None:
    """Of every row, by who has the token."""
    with ControlFuzz(0) as fuzz:
        for _ in range(THROUGH_A_DOOR):
            sent = fuzz.changed()
            assert fuzz.problem(sent) == "", kept(sent)


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (b"{}", 503, "answered 503: []"),
        (b"{}", 400, "the refusal has another shape"),
        (b'{"statusCode": 400, "a": "<b>"}', 400, "the refusal shows what was sent"),
        (b'{"statusCode": 400}', 400, "the refusal changed the state"),
    ],
)
def test_a_fault_of_the_control_api_is_found(
    body: bytes, status: int, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As below, for its shape of a refusal."""
    monkeypatch.setattr("fuzz.control._WHOLE_LOOKS", 1)
    with ControlFuzz(0) as fuzz:

        def answer(_sent: object) -> Response:
            fuzz._server.sandbox.agents.add()
            return Response(status=status, headers=(), body=body)

        monkeypatch.setattr(fuzz, "_answer", answer)
        assert fuzz.problem(fuzz.changed()) == problem


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (None, "no answer"),
        (Answer(400, b"no JSON"), "the refusal has another shape"),
        (Answer(400, b"[]"), "the refusal has another shape"),
        (Answer(200, b"{}"), ""),
    ],
)
def test_a_fault_of_a_door_is_found(
    answer: Answer | None, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that nobody answers, or that is refused in another shape."""
    broken = Fuzz(1)
    monkeypatch.setattr(broken._door, "answer", lambda _sent: answer)
    assert broken.problem(broken.changed()) == problem


@pytest.mark.parametrize(
    ("status", "effect", "problem"),
    [(503, False, "answered 503"), (400, True, "the refusal changed the state")],
)
def test_a_fault_is_found(
    status: int, effect: bool, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sandbox that answers with a 5xx, or acts before it refuses, is reported."""
    broken = Fuzz(1)
    sandbox, sent = broken.world.sandbox, broken.world.request(OPERATIONS[4])
    handle = sandbox.handle
    answer = handle(as_request(replace(sent, headers={})))

    def act(request: object) -> object:
        if effect:
            sandbox.agents.add(npn="99999999")
        document = b'{"statusCode":400}'
        return type(answer)(status=status, headers=answer.headers, body=document)

    monkeypatch.setattr(type(sandbox), "handle", lambda _self, request: act(request))
    assert broken.problem(sent) == problem


def test_an_exception_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported with its type, and the sandbox is as before."""
    broken = Fuzz(1)
    sent = broken.changed()

    def fail(_self: object, _request: object) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr(type(broken.world.sandbox), "handle", fail)
    assert broken.problem(sent) == "raised RuntimeError: canary"
    assert read(kept(sent), broken.world) == sent
