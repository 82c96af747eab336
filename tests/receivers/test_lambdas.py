"""AWS Lambda handlers, called with the events of their gateways."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from doubles.attack_harness import context_for
from doubles.fixed_webhooks import fixed_factory
from doubles.receivers.good_receiver import KEY, Backend, ReceiverApp
from doubles.walkthrough import steps

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.receivers.address import TargetError
from pytest_turris.receivers.exchange import Post
from pytest_turris.receivers.in_process.lambdas import LambdaReceiver, Source

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "aws-lambda.md"
SOURCES: tuple[Source, ...] = ("api-gateway-v1", "api-gateway-v2", "alb")
POST = Post(
    headers=(("X-A", "1"), ("Content-Type", "application/json"), ("x-a", "2"), ("Cookie", "a; b")),
    body=b"{}",
    path="/hook?tenant=7&e=",
    peer="192.0.2.1",
)


def events_of(source: Source, sent: Post = POST, *, encoded: bool | None = None) -> dict[str, Any]:
    """The event that a handler gets."""
    got: list[Any] = []

    def handler(event: object, context: object) -> dict[str, int]:
        got.extend((event, context))
        return {"statusCode": 204}

    assert LambdaReceiver(handler, source, base64=encoded).post(sent).status_code == 204
    assert got[1].get_remaining_time_in_millis() == 30_000
    return dict(got[0])


def test_rest_api() -> None:
    """Format 1.0 keeps the letters of names, and has the last line and all lines."""
    event = events_of("api-gateway-v1")
    assert (event["httpMethod"], event["path"]) == ("POST", "/hook")
    assert event["queryStringParameters"] == {"tenant": "7", "e": ""}
    assert (event["headers"]["X-A"], event["headers"]["x-a"]) == ("1", "2")
    assert event["multiValueHeaders"]["Cookie"] == ["a; b"]
    assert event["requestContext"]["identity"]["sourceIp"] == "192.0.2.1"
    assert events_of("api-gateway-v1", replace(POST, path=""))["queryStringParameters"] is None
    names = events_of("api-gateway-v1", replace(POST, headers=(("X-A", "1"),), exact_names=True))
    assert "x-a" in names["headers"]


def test_http_api() -> None:
    """Format 2.0 has names in lower case, joined lines, and cookies apart."""
    event = events_of("api-gateway-v2")
    assert (event["version"], event["rawPath"]) == ("2.0", "/hook")
    assert event["rawQueryString"] == "tenant=7&e="
    assert event["headers"]["x-a"] == "1, 2"
    assert (event["cookies"], "cookie" in event["headers"]) == (["a", "b"], False)
    assert event["requestContext"]["http"]["sourceIp"] == "192.0.2.1"
    bare = events_of("api-gateway-v2", Post(headers=(), body=b""))
    assert "queryStringParameters" not in bare
    assert "cookies" not in bare


def test_load_balancer() -> None:
    """A load balancer sends names in lower case, the last of several lines, and what it adds."""
    event = events_of("alb", replace(POST, scheme="https", host="api.example.com"))
    assert event["headers"] == {
        "x-a": "2", "content-type": "application/json", "cookie": "a; b", "host": "api.example.com",
        "x-forwarded-for": "192.0.2.1", "x-forwarded-port": "443", "x-forwarded-proto": "https",
    }  # fmt: skip
    assert "elb" in event["requestContext"]


@pytest.mark.parametrize("source", SOURCES)
def test_bodies(source: Source) -> None:
    """Text is text and bytes are base64, unless the test says otherwise."""
    typed = (("Content-Type", "application/json"),)
    event = events_of(source, Post(headers=typed, body="é".encode()))
    assert (event["body"], event["isBase64Encoded"]) == ("é", False)
    event = events_of(source, Post(headers=typed, body=b"{}"), encoded=True)
    assert (event["body"], event["isBase64Encoded"]) == ("e30=", True)
    raw = Post(headers=(("Content-Type", "application/octet-stream"),), body=b"\xff")
    event = events_of(source, raw)
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\xff", True)


@pytest.mark.parametrize("source", SOURCES)
def test_results(source: Source) -> None:
    """A result is the response; what is not one is a server's error, but for format 2.0."""
    full = {
        "statusCode": "201", "headers": {"X-B": 1}, "body": "aGk=", "isBase64Encoded": True,
    }  # fmt: skip
    answer = LambdaReceiver(lambda event, context: full, source).post(POST)
    assert (answer.status_code, answer.body, answer.headers["x-b"]) == (201, b"hi", "1")
    v2 = source == "api-gateway-v2"
    results: tuple[object, ...] = ({"ok": True}, None, "text")
    for result in results:

        def handler(event: object, context: object, result: object = result) -> object:
            return result

        answer = LambdaReceiver(handler, source).post(POST)
        assert answer.status_code == (200 if v2 else 502), (result, answer)
    failed = LambdaReceiver(lambda event, context: 1 // 0, source).post(POST)
    assert (failed.status_code, type(failed.error)) == (500 if v2 else 502, ZeroDivisionError)


def test_own_context_and_mistakes() -> None:
    """A test may pass its own context; an unknown source is named."""
    receiver = LambdaReceiver(lambda event, context: {"statusCode": context}, context=418)
    assert receiver.post(POST).status_code == 418
    with pytest.raises(TargetError, match="'lambda' is not one of api-gateway-v1, "):
        LambdaReceiver(lambda event, context: None, "lambda")  # type: ignore[arg-type]  # the mistake


def handler_for(
    backend: Backend, *, exact: str = "", decodes: bool = True, lossy: bool = False
) -> Callable[[dict[str, Any], object], dict[str, int]]:
    """A handler that verifies; ``exact`` looks its header up in these letters only."""

    def handler(event: dict[str, Any], context: object) -> dict[str, int]:
        body = event["body"].encode()
        if event["isBase64Encoded"] and decodes:
            body = base64.b64decode(body)
        if lossy:
            body = body.decode(errors="replace").encode()
        lines = event["headers"]
        if not exact:
            lines = {name.lower(): value for name, value in lines.items()}
        given = lines.get(exact or "x-turris-signature", "")
        expected = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(given.encode(), expected.encode()):
            return {"statusCode": 401}
        backend.act(hashlib.sha256(body).hexdigest(), {})
        return {"statusCode": 204}

    return handler


def outcome(id_: str, receiver: LambdaReceiver, backend: Backend) -> str:
    """What comes of one attack."""
    attacked = Receiver(receiver, "/webhooks", effects=backend.effects)
    return run_attack(find_attack(id_), attacked, context_for(backend, ReceiverApp)).outcome


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("encoded", [True, False])
@pytest.mark.parametrize("id_", ["WH-01", "WH-02", "WH-05", "WH-32", "WH-84"])
def test_correct_handler_passes(source: Source, id_: str, *, encoded: bool) -> None:
    """A handler that decodes its body, and asks for its header in any case."""
    backend = Backend()
    receiver = LambdaReceiver(handler_for(backend), source, base64=encoded)
    assert outcome(id_, receiver, backend) == "passed"


def test_broken_handlers_are_caught() -> None:
    """Exact letters fail behind REST APIs, and a body that stays in base64 everywhere."""
    backends = [Backend() for _ in range(2)]
    for id_, expected, backend in zip(
        ("WH-32", "WH-01"), ("failed", "passed"), backends, strict=True
    ):
        exact = handler_for(backend, exact="X-Turris-Signature")
        assert outcome(id_, LambdaReceiver(exact, "api-gateway-v1"), backend) == expected
    assert outcome("WH-01", LambdaReceiver(exact, "alb"), backend) == "failed"
    undecoded = handler_for(backend, decodes=False)
    assert outcome("WH-01", LambdaReceiver(undecoded, base64=True), backend) == "failed"
    assert fixed_factory().sign(b"{}").send(LambdaReceiver(exact)).status_code == 401


@pytest.mark.parametrize("source", SOURCES)
def test_bytes_that_a_gateway_replaces_are_not_held_against_the_handler(source: Source) -> None:
    """A handler that never gets the bytes cannot refuse them: the reason names the gateway."""
    backend = Backend()
    behind = Receiver(
        LambdaReceiver(handler_for(backend), source, base64=False), effects=backend.effects
    )
    verdict = run_attack(find_attack("WH-124"), behind, context_for(backend, ReceiverApp))
    assert verdict.outcome == "not observed", str(verdict)
    assert verdict.reason.startswith(f"{source} passes the body on as text")
    other = Backend()
    lossy = LambdaReceiver(handler_for(other, lossy=True), source, base64=True)
    assert outcome("WH-124", lossy, other) == "failed"


def test_handler_of_the_guide_passes_all_attacks(pytester: pytest.Pytester) -> None:
    """The guide's own test runs in the full profile, and with each kind of body."""
    for step in steps(PAGE.read_text(encoding="utf-8")):
        if step.file:
            both = step.text.replace('base64=source != "alb"', "base64=encoded")
            pytester.path.joinpath(step.file).write_text(both, encoding="utf-8")
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(params=[True, False], autouse=True)
        def encoded(request, monkeypatch):
            import test_handler

            monkeypatch.setattr(test_handler, "encoded", request.param, raising=False)
        """
    )
    result = pytester.runpytest(
        "-o", "turris_attack_profile=full", "-p", "no:randomly", "-W", "ignore"
    )
    found = result.parseoutcomes()
    assert "failed" not in found, result.outlines[-30:]
    assert found["passed"] > 600
