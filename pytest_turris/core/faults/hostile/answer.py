"""What a hostile answer is: an id, what a client is to do about it, and its variants."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic_core import from_json

from pytest_turris.core.faults.hostile.raw import MAX_SECONDS
from pytest_turris.core.levels import Level
from pytest_turris.core.wire.messages import JSON_HEADERS, Fields, Request, Response, encode

Where = Literal["token", "api", "write", "record", "handshake"]
"""The token endpoint; every other operation, or of them those that write; the GET of one
record; or before any request, when the connection is made."""

Over = Literal["process", "socket", "both"]
"""Where it can be given: only to a client that is answered in process, only over a socket."""

Expectation = Literal["succeeds", "refuses", "either"]
"""The user's call gives a result; raises an error of the client's own; or one of both."""


@dataclass(frozen=True)
class AnswerContext:
    """What an answer is made from: the request, the honest answer, and the moment."""

    request: Request
    at: dt.datetime
    honest: Callable[[], Response]
    pass_time: Callable[[dt.timedelta], object] = lambda _: None
    """Lets time pass on the sandbox's clock."""
    max_seconds: float = MAX_SECONDS
    """For how many real seconds an answer of raw bytes may go on."""

    def document(self) -> dict[str, Any]:
        """The honest answer's JSON document."""
        return dict(from_json(self.honest().body))

    def edited(self, **members: Any) -> Response:  # noqa: ANN401 - any JSON value
        """The honest answer with members of ``data`` replaced; ``...`` takes one out."""
        response, document = self.honest(), self.document()
        data = {k: v for k, v in (document["data"] | members).items() if v is not ...}
        return replace(response, body=encode(document | {"data": data}))

    def body(self, body: bytes) -> Response:
        """The honest answer with another body."""
        return replace(self.honest(), body=body)

    def seconds(self, ahead: float) -> str:
        """A moment from now in Unix seconds, as in ``X-RateLimit-Reset``."""
        return str(int((self.at + dt.timedelta(seconds=ahead)).timestamp()))


Make = Callable[[AnswerContext], Response]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One answer; ``times=None`` is sent until it is taken back.

    ``most`` is how many requests of its kind one user call may make of it; ``waits`` how
    many seconds a client is at least to wait before it asks again.
    """

    name: str
    make: Make
    where: Where = "api"
    times: int | None = None
    expects: Expectation = "refuses"
    most: int = 10
    waits: float = 0
    delay: dt.timedelta = dt.timedelta(0)
    cached: bool = False
    """Whether the client holds a token inside its refresh buffer when the answer comes."""
    over: Over = "both"
    endless: bool = False
    """Whether it goes on until the client hangs up, or its bounds are reached."""
    processed: bool = False
    """Whether a write took effect before this answer, so that it must not take effect again."""


@dataclass(frozen=True, kw_only=True)
class HostileAnswer:
    """A row of the catalogue."""

    id: str
    title: str
    expects: str
    source: str
    variants: tuple[Variant, ...]
    level: Level = "must"


def error(status: int, *, headers: Fields = (), **members: Any) -> Make:  # noqa: ANN401 - any JSON value
    """Answers with a Turris-shaped error; members replace those of the document."""

    def make(occasion: AnswerContext) -> Response:
        document = {
            "statusCode": status,
            "requestId": "dev-00000000-0000-4000-8000-000000000000",
            "errorType": "internal_error",
            "errorMessage": ["A hostile answer that the test asked for"],
            "timestamp": occasion.at.isoformat(),
        }
        fields = (*JSON_HEADERS, *headers)
        return Response(status=status, headers=fields, body=encode(document | members))

    return make
