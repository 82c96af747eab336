"""What HTTP requires of the answers to HEAD and OPTIONS (RFC 9110)."""

from collections.abc import Iterable
from dataclasses import replace

from pytest_turris.core.wire.messages import Fields, Response


def without_content(response: Response) -> Response:
    """The answer to HEAD: that to GET, with its length and without its content (9.3.2)."""
    length = ("content-length", str(len(response.body)))
    return replace(response, body=b"", headers=(*response.headers, length))


def options_answer(methods: Iterable[str], more: Fields) -> Response:
    """The answer to OPTIONS for a path with these methods, as Express gives it by default.

    Args:
        methods: Those of its operations.
        more: Further headers.
    """
    allowed = ",".join("GET,HEAD" if method == "GET" else method for method in methods)
    headers = (("allow", allowed), ("content-type", "text/html; charset=utf-8"))
    return Response(status=200, headers=(*headers, *more), body=allowed.encode())
