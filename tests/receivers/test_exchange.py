"""What a response shows of itself."""

from pytest_turris.receivers.exchange import WebhookResponse


def test_answers() -> None:
    """An answer reads as text and JSON, and prints its size and not its contents."""
    answer = WebhookResponse(status_code=200, headers={}, body=b'{"key":"secret"}')
    assert answer.json() == {"key": "secret"}
    assert repr(answer) == "WebhookResponse(200, 16 bytes)"
    assert WebhookResponse(status_code=200, headers={}, body=b"\xff").text == "\ufffd"
    statuses = [
        (status, WebhookResponse(status_code=status, headers={}).accepted)
        for status in (199, 200, 299, 300)
    ]
    assert statuses == [(199, False), (200, True), (299, True), (300, False)]
