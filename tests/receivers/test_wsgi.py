"""WSGI applications."""

from collections.abc import Iterable
from typing import Any, ClassVar

from pytest_turris.webhooks.factory import WebhookFactory


def test_wsgi_answers_are_closed(webhooks: WebhookFactory) -> None:
    """A WSGI answer may be written, iterated and replaced, and is closed."""

    class Chunks(list[bytes]):
        closed: ClassVar[list[bool]] = []

        def close(self) -> None:
            self.closed.append(True)

    def app(environ: object, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's
        start_response("200 OK", [])
        write = start_response("201 Created", [("Set-Cookie", "a"), ("Set-Cookie", "b")], None)
        write(b"x")
        return Chunks([b"y"])

    answer = webhooks.sign(b"{}").send(app)
    assert (answer.status_code, answer.body) == (201, b"xy")
    assert answer.headers == {"set-cookie": "a, b"}
    assert Chunks.closed == [True]
