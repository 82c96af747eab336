"""The requests of a sandbox, with what is known about each, and the call that made it."""

import datetime as dt
import sys
import weakref
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from pytest_turris.audit.places import (
    NOWHERE,
    CallSite,
    Place,
    PlaceFinder,
    call_of,
    is_of_application,
)
from pytest_turris.core.access.authentication import RESTRICTED_HEADER
from pytest_turris.core.access.tokens import AccessToken
from pytest_turris.core.middleware.idempotency import IDEMPOTENCY_HEADERS
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.durations import moment
from pytest_turris.core.text.redaction import redact_target
from pytest_turris.core.wire.messages import Fields, Request, Response

_MOST = 5_000
_CARRIERS = frozenset({"authorization", RESTRICTED_HEADER})
_SERVER_ERROR = 500
_HEAD = 65_536


@dataclass(slots=True, kw_only=True)
class SeenRequest:
    """One request. ``status`` is 0 where it got no answer."""

    number: int
    in_journal: int
    """Its number in the journal of the sandbox."""
    at: dt.datetime
    request: Request
    status: int
    operation: str | None
    environment: str
    answer: Fields
    notes: list[str]
    request_id: str
    shows_request_id: bool
    """Whether the answer had it, so that the client could log it."""
    scripted: bool = False
    """Whether the answer is an error that the test asked for."""
    slow: bool = False
    """Whether a fault delayed the answer, so that the client may have gone before it came."""
    credential: str | None
    token: AccessToken | None
    token_in_url: bool
    answered: bytes
    """The body of the answer, if it is not long."""
    call: CallSite
    is_token_request: bool
    """Whether it asks for a token."""
    carries_credential: bool
    """Whether a token, a restricted token or a token request's secret is in it."""
    client: int | None = None
    """Which object of the application asked for a token, where there is one."""
    knows_time: bool = True
    """Whether the client could know the time: not only the sandbox's clock was moved."""

    @property
    def refused(self) -> bool:
        """Whether the answer was a 4xx."""
        return 400 <= self.status < _SERVER_ERROR  # noqa: PLR2004 - RFC 9110, client errors

    @property
    def is_unknown(self) -> bool:
        """Whether the client cannot know if it took effect: no answer, or a 5xx."""
        return self.status == 0 or self.status >= _SERVER_ERROR

    @property
    def strand(self) -> tuple[int, int]:
        """The source of requests in order: a task, a thread, else a connection.

        Two requests of one strand were sent one after the other; of others, the second may have
        been sent before the answer to the first.
        """
        return (self.call.strand, 0 if self.call.strand else self.request.client_port)

    @property
    def is_write(self) -> bool:
        """Whether it changes something."""
        return self.request.method == "POST" and not self.is_token_request and bool(self.operation)

    @property
    def in_process(self) -> bool:
        """Whether it came without a socket."""
        return not self.request.client_port

    @property
    def key(self) -> str:
        """Its idempotency key, from either header."""
        return next(filter(None, map(self.request.header, IDEMPOTENCY_HEADERS)), "")

    @property
    def content(self) -> tuple[str, str, bytes]:
        """Its method, target and body: a request that repeats another has the same."""
        return self.request.method, self.request.target, self.request.body

    def same_as(self, other: "SeenRequest") -> bool:
        """Whether it repeats another request."""
        return self.content == other.content

    def line(self, start: dt.datetime) -> str:
        """The exchange in one line, redacted; the time counts from ``start``."""
        request = self.request
        text = f"+{moment(self.at - start)}  {request.method} {redact_target(request.target[:300])}"
        if self.token:
            text += f", token of age {moment(self.at - self.token.issued_at)}"
        return f"{text} -> {self.status or 'no answer'} [{self.operation or 'no operation'}]"


class SandboxRecord:
    """What one sandbox saw in one test. It listens to the sandbox's journal.

    Args:
        sandbox: The sandbox.
        test: The code of the test function, if any.
        here: The test's own line: the place of what comes from other processes.
        finder: Makes places of calls.
        sent_from: The call that last sent on a socket, by the socket's port.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        test: CodeType | None,
        here: Place,
        finder: PlaceFinder,
        sent_from: Callable[[int], CallSite] = lambda _: NOWHERE,
    ) -> None:
        self.sandbox = sandbox
        self.seen: list[SeenRequest] = []
        self.dropped: int = 0
        self._test = test
        self.here = here
        self.finder = finder
        self._sent_from = sent_from
        self._clients: list[Callable[[], object]] = []
        sandbox.journal.observer = self.observe

    def stop(self) -> None:
        """Stop listening."""
        self.sandbox.journal.observer = None

    def observe(self, request: Request, response: Response | None, facts: dict[str, Any]) -> None:
        """Note one exchange; called where it is answered, so that the stack shows the caller."""
        if len(self.seen) >= _MOST:
            self.dropped += 1
            return
        clock, at = self.sandbox.clock, facts["at"]
        port = request.client_port
        token = facts["access_token"]
        asks = request.is_token_request
        client = None
        if port:
            call = self._sent_from(port)
        else:
            frame = sys._getframe(2)  # noqa: SLF001 - documented, and a hundred times as fast as inspect
            call = call_of(frame, self._test)
            if asks:
                client = self._number_of(_client_of(frame, self._test))
        knows_time = True
        if token and at > token.expires_at - self.sandbox.options.refresh_buffer:
            knows_time = not clock.mismatch(over_a_socket=bool(port))
        self.seen.append(
            SeenRequest(
                number=len(self.seen) + 1,
                in_journal=self.sandbox.journal.seen,
                at=at,
                request=request,
                status=facts["status"],
                operation=facts["operation"],
                environment=facts["environment"],
                answer=response.headers if response else (),
                notes=facts["notes"],
                request_id=facts["request_id"],
                shows_request_id=response is not None
                and facts["request_id"].encode() in response.body[:_HEAD],
                scripted=facts["scripted"],
                slow=facts["slow"],
                credential=facts["credential"],
                token=token,
                token_in_url=facts["token_in_url"],
                answered=response.body if response and len(response.body) <= _HEAD else b"",
                call=call,
                is_token_request=asks,
                carries_credential=asks or bool(token) or any(map(request.lines, _CARRIERS)),
                client=client,
                knows_time=knows_time,
            )
        )

    def _number_of(self, client: object) -> int | None:
        """The same number for the same object, which is kept alive only if it has to be."""
        if client is None:
            return None
        for number, known in enumerate(self._clients):
            if known() is client:
                return number
        try:
            self._clients.append(weakref.ref(client))
        except TypeError:  # its class has slots, and none for weak references
            self._clients.append(lambda: client)
        return len(self._clients) - 1

    @property
    def calls(self) -> list[SeenRequest]:
        """All but the token requests."""
        return [one for one in self.seen if not one.is_token_request]

    @property
    def strands(self) -> list[list[SeenRequest]]:
        """The requests of each strand, in their order."""
        found = defaultdict(list)
        for one in self.seen:
            found[one.strand].append(one)
        return list(found.values())

    @property
    def authorized(self) -> list[SeenRequest]:
        """The requests with a credential."""
        return [one for one in self.seen if one.carries_credential]

    def place(self, seen: SeenRequest) -> Place:
        """The line of the application that made a request, else the test's."""
        return self.finder.place(seen.call, self.here)

    def is_of_test(self, call: CallSite) -> bool:
        """Whether the test function itself made a call."""
        return call.code is not None and call.code is self._test

    def lines(self, seen: Sequence[SeenRequest]) -> tuple[str, ...]:
        """Exchanges as evidence; their times count from the first that this test saw."""
        return tuple(one.line(self.seen[0].at) for one in seen)


def _client_of(frame: FrameType | None, test: CodeType | None) -> object:
    """The outermost object of the application in the stack: the client, not its parts."""
    found: object = None
    while frame is not None and frame.f_code is not test:
        code = frame.f_code
        if code.co_varnames[:1] == ("self",) and is_of_application(code.co_filename):
            found = frame.f_locals.get("self")
        frame = frame.f_back
    return found
