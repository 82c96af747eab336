"""What HTTP itself asks of every answer (RFC 9110): Date, and the answers to HEAD and OPTIONS."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from email.utils import format_datetime
from functools import lru_cache

from pytest_turris.core.wire.messages import Response


def dated(response: Response, at: dt.datetime) -> Response:
    """Add ``Date`` (RFC 9110, 6.6.1), unless the answer has one.

    Args:
        response: The answer.
        at: The moment on the sandbox's clock.
    """
    if any(name == "date" for name, _ in response.headers):
        return response
    return replace(
        response, headers=(*response.headers, ("date", _http_date(at.replace(microsecond=0))))
    )


def without_content(response: Response) -> Response:
    """The answer to HEAD: that to GET, with its length and without its content (9.3.2)."""
    length = ("content-length", str(len(response.body)))
    return replace(response, body=b"", headers=(*response.headers, length))


def options_answer(methods: Iterable[str]) -> Response:
    """The answer to OPTIONS for a path with these methods, as Express gives it by itself."""
    allowed = ",".join("GET,HEAD" if method == "GET" else method for method in methods)
    headers = (("allow", allowed), ("content-type", "text/html; charset=utf-8"))
    return Response(status=200, headers=headers, body=allowed.encode())


@lru_cache(maxsize=8)
def _http_date(at: dt.datetime) -> str:
    return format_datetime(at, usegmt=True)
