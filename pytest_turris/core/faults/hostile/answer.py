"""A hostile answer: its id, what a client should do with it, and its variants."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic_core import from_json

from pytest_turris.core.clock import later
from pytest_turris.core.faults.hostile.raw import MAX_SECONDS
from pytest_turris.core.levels import Level
from pytest_turris.core.wire.errors import error_document
from pytest_turris.core.wire.messages import JSON_HEADERS, Fields, Request, Response, encode

EndpointKind = Literal["token", "api", "write", "record", "handshake"]
"""Which requests get the answer: those for a token; all others; of those, writes only, or the
GET of one record only; or none, because the connection already fails."""

Transport = Literal["process", "socket", "both"]
"""Which clients can get the answer: those answered in process, those on a socket, or both."""

Expectation = Literal["succeeds", "refuses", "either"]
"""The user's call returns a result; raises an error of the client's own; or does either."""


@dataclass(frozen=True)
class AnswerContext:
    """What an answer is made from: the request, the honest answer, and the time."""

    request: Request
    at: dt.datetime
    honest: Callable[[], Response]
    pass_time: Callable[[dt.timedelta], object] = lambda _: None
    """Advances the sandbox's clock."""
    max_seconds: float = MAX_SECONDS
    """The maximum number of real seconds that an answer of raw bytes lasts."""

    def document(self) -> dict[str, Any]:
        """The honest answer's JSON document."""
        return dict(from_json(self.honest().body))

    def edited(self, **members: Any) -> Response:  # noqa: ANN401 - any JSON value
        """The honest answer with members of ``data`` replaced; ``...`` removes one."""
        response, document = self.honest(), self.document()
        data = {k: v for k, v in (document["data"] | members).items() if v is not ...}
        return replace(response, body=encode(document | {"data": data}))

    def body(self, body: bytes) -> Response:
        """The honest answer with another body."""
        return replace(self.honest(), body=body)

    def seconds(self, ahead: float) -> str:
        """The time this far from now, in Unix seconds, as in ``X-RateLimit-Reset``."""
        return str(int(later(self.at, dt.timedelta(seconds=ahead)).timestamp()))


AnswerMaker = Callable[[AnswerContext], Response]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One form of an answer.

    Args:
        name: Its name in ``AR-27/milliseconds``.
        make: Makes the answer.
        endpoint: Which requests get it.
        times: How many requests get it; ``None``: all, until the fault is removed.
        expects: What the user's call should do.
        max_requests: How many requests of that kind one call of the user may make.
        min_wait: The minimum number of seconds that a client must wait before it asks again.
        paced: Whether a client must pause between its tries; the first retry may be at once, as
            that of urllib3 is.
        delay: How long the answer takes on the sandbox's clock.
        cached: Whether the client holds a token inside its refresh buffer at that time.
        transport: Which clients can get it.
        endless: Whether it lasts until the client hangs up or a limit is reached: with ``silence``
            a timeout for each read ends it, with ``bytes`` a limit of size or of the whole time.
        large: Whether it is an honest answer of 16 MB: only a size limit refuses it.
        processed: Whether a write takes effect before the answer, and must not do so again.
    """

    name: str
    make: AnswerMaker
    endpoint: EndpointKind = "api"
    times: int | None = None
    expects: Expectation = "refuses"
    max_requests: int = 10
    min_wait: float = 0
    paced: bool = False
    delay: dt.timedelta = dt.timedelta(0)
    cached: bool = False
    transport: Transport = "both"
    endless: Literal["", "silence", "bytes"] = ""
    large: bool = False
    processed: bool = False


@dataclass(frozen=True, kw_only=True)
class HostileAnswer:
    """One row of the catalogue; ``expects`` says in words what a good client does."""

    id: str
    title: str
    expects: str
    source: str
    variants: tuple[Variant, ...]
    level: Level = "must"

    @property
    def can_be_scripted(self) -> bool:
        """Whether a fault can give it: not if the connection fails before any request."""
        return all(variant.endpoint != "handshake" for variant in self.variants)


def error_answer(status: int, *, headers: Fields = (), **members: Any) -> AnswerMaker:  # noqa: ANN401 - any JSON value
    """Answers with an error in Turris's shape, with members replaced."""

    def make(context: AnswerContext) -> Response:
        document = error_document(
            status,
            "internal_error",
            ["A hostile answer that the test asked for"],
            request_id="dev-00000000-0000-4000-8000-000000000000",
            timestamp=context.at.isoformat(),
        )
        fields = (*JSON_HEADERS, *headers)
        return Response(status=status, headers=fields, body=encode(document | members))

    return make
