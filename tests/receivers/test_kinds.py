"""Every kind of receiver is reached, with the same bytes and the same outcome."""

import asyncio
import dataclasses
from collections.abc import Iterable
from typing import Any

import pytest
from doubles.receivers.kinds import (
    NAMES,
    PATH,
    BrokenError,
    Verify,
    broken,
    fastapi_app,
    flask_app,
    listening,
    receiver,
)
from freezegun import freeze_time

from pytest_turris.webhooks.factory import WebhookFactory


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_receiver(webhooks: WebhookFactory, verify: Verify, name: str) -> None:
    """Each kind of receiver accepts what is genuine and refuses what is not."""
    webhook = webhooks.producer_agreement_executed(branchName="Wést")
    with receiver(name, verify) as target:
        assert webhook.send(target, PATH).status_code == 204
        assert webhook.send(target, PATH).accepted
        for hostile in (webhook.tampered(), webhook.unsigned(), webhook.signed_with("other key")):
            answer = hostile.send(target, PATH)
            assert (answer.status_code, answer.error) == (401, None)
            assert not answer.accepted


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_receiver_from_a_coroutine(
    webhooks: WebhookFactory, verify: Verify, name: str
) -> None:
    """Each kind of receiver is reached from a running loop, by either method."""
    webhook = webhooks.producer_agreement_executed()

    async def deliver(target: object) -> list[int]:
        answers = [await webhook.asend(target, PATH), await webhook.tampered().asend(target, PATH)]
        if name != "url":
            answers.append(webhook.send(target, PATH))
        return [answer.status_code for answer in answers]

    with receiver(name, verify) as target:
        assert asyncio.run(deliver(target))[:2] == [204, 401]


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_receiver_under_frozen_time(
    webhooks: WebhookFactory, verify: Verify, name: str
) -> None:
    """A frozen clock does not hold a delivery up."""
    with receiver(name, verify) as target, freeze_time("2025-03-17"):
        assert webhooks.sign(b"{}").send(target, PATH).status_code == 204


@pytest.mark.parametrize("name", ["fastapi", "flask", "wsgi", "asgi", "flask client"])
def test_bodies_arrive_byte_for_byte(webhooks: WebhookFactory, name: str) -> None:
    """A receiver gets the bytes that were signed, JSON or not."""
    seen: list[bytes] = []

    def keep(body: bytes, headers: object) -> bool:
        seen.append(body)
        return True

    bodies = [b"", b'{ "a" : 1.0,\r\n"b": "\\u00e9\xc3\xa9" }\n', b"\xff\x00"]
    with receiver(name, keep) as target:
        for body in bodies:
            assert webhooks.sign(body).send(target, PATH).accepted
    assert seen == bodies


def test_repeated_header_lines_reach_the_receiver(webhooks: WebhookFactory) -> None:
    """A header sent twice is two lines in ASGI and one joined value in WSGI, as servers do."""
    webhook = webhooks.sign(b"{}")

    lines = (("X-Turris-Signature", "a"), ("X-Turris-Signature", "b"))
    webhook = dataclasses.replace(webhook, header_lines=lines)
    seen: list[Any] = []

    def keep(body: bytes, headers: Any) -> bool:  # noqa: ANN401 - each framework's own
        seen.append(headers.getlist("X-Turris-Signature"))
        return True

    assert webhook.send(fastapi_app(keep), PATH).accepted
    assert webhook.send(flask_app(lambda _, headers: keep(b"", headers)), PATH).accepted
    assert seen == [["a", "b"], ["a, b"]]


def test_default_path(webhooks: WebhookFactory) -> None:
    """Without a path an application is called at its root, and a URL as it is written."""

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    webhook = webhooks.sign(b"{}")
    assert webhook.send(app).text == "/"
    assert webhook.send(app, "a/b").text == "/a/b"
    with listening(lambda _body, _headers: True) as url:
        assert webhook.send(url).headers["x-path"] == "/"
        assert webhook.send(f"{url}/a?b=c").headers["x-path"] == "/a?b=c"
        assert webhook.send(f"{url}/a/", "/b").headers["x-path"] == "/a/b"
        assert webhook.send(url, "b").headers["x-path"] == "/b"
        assert url.endswith(webhook.send(url).headers["x-host"])


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"url", "flask"}])
def test_receivers_that_raise(webhooks: WebhookFactory, name: str) -> None:
    """An application that raises has answered 500, and the answer holds and shows why."""
    with receiver(name, broken) as target:
        if name == "flask client":
            target.application.testing = True
        if name in {"httpx client", "httpx2 client"}:
            target._transport.app.testing = True
        answer = webhooks.sign(b"{}").send(target, PATH)
    assert answer.status_code == 500
    if name in {"django wsgi", "django asgi"}:
        assert answer.error is None  # Django's handlers answer 500 themselves
    else:
        assert isinstance(answer.error, BrokenError)
        assert "BrokenError('no database')" in repr(answer)


def test_flask_answers_for_itself(webhooks: WebhookFactory) -> None:
    """An application that turns its error into an answer has answered, as in production."""
    answer = webhooks.sign(b"{}").send(flask_app(broken), PATH)
    assert (answer.status_code, answer.error) == (500, None)
    assert "Internal Server Error" in answer.text


def test_applications_without_an_answer(webhooks: WebhookFactory) -> None:
    """An application that ends without an answer, or within it, has answered 500."""

    async def silent(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        pass

    async def halfway(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def never(environ: object, start_response: object) -> Iterable[bytes]:
        return []

    for app in (silent, halfway, never):
        answer = webhooks.sign(b"{}").send(app)
        assert answer.status_code == 500
        assert isinstance(answer.error, RuntimeError)
