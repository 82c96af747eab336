"""Faults, hostile answers and rate windows with one click; the checklist."""

import pytest
from doubles.visitor import Visitor

from pytest_turris.core.wire.messages import Request


def test_one_click_scripts_and_takes_back(visitor: Visitor) -> None:
    """What is scripted is visible until then."""
    visitor.post("do/faults/add", operation="list_agents", status="503", times="1")
    visitor.post("do/faults/hostile", name="AR-27/milliseconds", times="1")
    text = visitor.get("faults").text
    assert "hostile answer AR-27/milliseconds" in text
    numbers = [fault.number for fault in visitor.sandbox.faults]
    assert len(numbers) == 2
    for number in numbers:
        visitor.post("do/faults/remove", number=str(number))
    assert "None: each request" in visitor.get("overview").text


def test_what_cannot_be_scripted_has_no_button(visitor: Visitor) -> None:
    """It would only be refused; the page says where it can be had."""
    text = visitor.get("faults").text
    assert 'aria-label="Script AR-27 milliseconds"' in text
    assert "Script AR-36" not in text
    assert text.count("in pytest only") == 1


def test_rate_windows(visitor: Visitor) -> None:
    """Used up, put to their edge, whole."""
    credential = visitor.sandbox.client.client_id
    visitor.post("do/limits/exhaust", bucket="token", credential=credential, leave="1")
    assert "1 of 10" in visitor.get("faults").text
    visitor.post("do/limits/to-before-reset", bucket="token", credential=credential)
    assert visitor.sandbox.limits.allowance("token").used == 9
    visitor.post("do/limits/reset")
    assert visitor.sandbox.limits.allowance("token").used == 0


def test_stored_answers_are_shown(visitor: Visitor) -> None:
    """With their keys."""
    token = visitor.sandbox.tokens.issue(visitor.sandbox.client)
    fields = (
        ("authorization", f"Bearer {token.text}"),
        ("content-type", "application/json"),
        ("idempotency-key", "0b0cbb3c-5f67-4a8f-9a2e-0c5a3c0a7f11"),
    )
    body = b'{"firstName": "A", "lastName": "B", "npn": "12345678", "email": "a@b.example"}'
    visitor.sandbox.handle(Request(method="POST", path="/v1/agents", headers=fields, body=body))
    assert "Stored answers" in visitor.get("faults").text or not list(visitor.sandbox.idempotency)


def test_checklist(visitor: Visitor) -> None:
    """The lines of the vendor's page, and what the requests so far show."""
    assert visitor.get("checklist").status == 200


def test_a_bug_in_what_is_sent_is_logged(
    visitor: Visitor, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if it has a thread of its own."""
    monkeypatch.setattr("mock_server.page.views.actions.form_given", lambda *_: 1 / 0)
    assert visitor.post("do/webhooks/drain").status == 500
    assert "ZeroDivisionError" in log[-1]
