"""Nothing that a client sends is raised, answered with a 5xx, or refused after it took effect."""

from dataclasses import replace
from pathlib import Path
from random import Random  # noqa: TID251 - from a seed

import pytest
from doubles.api_recipes import as_request

from fuzz.requests import CORPUS, Fuzz, kept, read
from pytest_turris.core.api.routes import OPERATIONS

SEEDS = 20
REQUESTS = 30


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
