"""The steps of a call, from the request to the response.

1. Route: which operation has this method and path.
2. Fault: a scripted fault or hostile answer replaces the steps below, or runs them first.
3. Transport: the size of the body, HTTPS.
4. Authentication: the caller and its permissions.
5. Deprecation: the three headers, and 410 after the sunset date.
6. Rate limit: writes count.
7. Idempotency: a repeated key gets the stored response.
8. Operation: its function reads the input, does the work and returns the payload.
9. Envelope: the payload becomes the response.

The order is that of a NestJS server: guards, interceptors, pipes (assumed).
"""

import contextlib
import datetime as dt
from dataclasses import replace
from functools import partial

from pytest_turris.core.access.authentication import Authentication
from pytest_turris.core.api.call import Call
from pytest_turris.core.api.envelope import refusal_document, success_body
from pytest_turris.core.api.http_semantics import options_answer
from pytest_turris.core.api.operation import Operation, Payload
from pytest_turris.core.api.router import Routes
from pytest_turris.core.clock import Clock
from pytest_turris.core.faults.fault import TOKEN, Fault
from pytest_turris.core.faults.hostile.raw import RawAnswer
from pytest_turris.core.faults.scripted import Faults
from pytest_turris.core.middleware.allowance import used_up
from pytest_turris.core.middleware.idempotency import REPLAYED, Idempotency
from pytest_turris.core.options import Options
from pytest_turris.core.wire.errors import (
    ConnectionFailure,
    Forbidden,
    Gone,
    InvalidInput,
    MethodNotAllowed,
    PayloadTooLarge,
    RateLimitExceeded,
    ScriptedError,
    TurrisError,
    UnknownOperation,
)
from pytest_turris.core.wire.hosts import is_decoy, is_turris
from pytest_turris.core.wire.messages import JSON_HEADERS, Fields, Request, Response, encode
from pytest_turris.core.wire.model import is_object_id

_NO_CONTENT = 204
SUNSET = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
DEPRECATION: Fields = (
    ("deprecation", "true"),
    ("sunset", "Sat, 01 Jan 2027 00:00:00 GMT"),
    ("link", '<https://docs.turrisfi.com/migration>; rel="deprecation"'),
)
"""The three headers of a deprecated operation (documented: guides/versioning).

The date is the guide's example: 1 January 2027 is a Friday, and is sent as printed.
"""


class Pipeline:
    """Answers or refuses calls; it has no state of its own."""

    def __init__(
        self,
        *,
        options: Options,
        clock: Clock,
        authentication: Authentication,
        idempotency: Idempotency,
        faults: Faults,
        routes: Routes,
    ) -> None:
        self._options = options
        self._clock = clock
        self._authentication = authentication
        self._idempotency = idempotency
        self._faults = faults
        self._routes = routes

    def answer(self, call: Call) -> Response:
        """Run a call through the steps.

        Raises:
            TurrisError: The call is refused.
            ConnectionFailure: A scripted fault breaks the connection.
        """
        request = call.request
        if is_decoy(request.host):
            raise UnknownOperation(
                "Resource not found",
                reason=f"sent to {request.host[:64]}, where a hostile answer led the client",
            )
        is_told = request.method == "OPTIONS" and self._options.head_and_options == "express"
        if is_told and (methods := self._routes.methods(request.path)):
            return options_answer(methods, tuple(call.headers))
        operation, call.parameters = self._find(request)
        call.operation = operation.name
        fault = self._faults.next_for(operation.name, operation.method)
        if fault is not None:
            return self._fail(call, operation, fault)
        return self._perform(call, operation)

    def _find(self, request: Request) -> tuple[Operation, dict[str, str]]:
        is_head = request.method == "HEAD" and self._options.head_and_options != "unknown"
        try:
            return self._routes.find("GET" if is_head else request.method, request.path)
        except UnknownOperation as unknown:
            allowed = self._routes.methods(request.path)
            if not allowed or self._options.unknown_method == "not_found":
                raise
            error = MethodNotAllowed("Method not allowed", reason=unknown.reason)
            error.headers = (("allow", ", ".join(allowed)),)
            raise error from None

    def _fail(self, call: Call, operation: Operation, fault: Fault) -> Response:
        self._faults.undo.attributes(self._clock, "offset")  # only a fault moves it during a call
        if fault.delay:
            self._clock.advance(_waited(call.request, fault.delay))
            call.delay = fault.delay
        call.real_delay = fault.real_delay
        if fault.hostile:
            return self._hostile(call, operation, fault.hostile, fault.max_seconds)
        if fault.status is None and fault.error is None:
            return self._perform(call, operation)
        if fault.processed:
            # The call takes effect or is refused; in both cases its answer is lost.
            with contextlib.suppress(TurrisError):
                self._perform(call, operation)
        if fault.error is not None:
            raise ConnectionFailure(fault.error)
        raise self._scripted(call, operation, fault)

    def _scripted(self, call: Call, operation: Operation, fault: Fault) -> ScriptedError:
        """An error that a test asked for; a 429 looks like the sandbox's own."""
        call.scripted = True
        error = ScriptedError(fault.status or 0, f"Scripted fault of {fault.operation}")
        fields = tuple((name.lower(), value) for name, value in fault.headers.items())
        if error.status == RateLimitExceeded.status:
            given = {name for name, _ in fields}
            ours = used_up(self._limit_of(operation), self._clock.now(), self._options)
            fields = (*(field for field in ours if field[0] not in given), *fields)
        error.headers = fields
        return error

    def _limit_of(self, operation: Operation) -> int:
        options = self._options
        is_token = operation.name == TOKEN
        return options.token_requests_per_minute if is_token else options.writes_per_minute

    def _hostile(self, call: Call, operation: Operation, name: str, max_seconds: float) -> Response:
        from pytest_turris.core.faults.hostile.answer import AnswerContext  # noqa: PLC0415 - rarely needed
        from pytest_turris.core.faults.hostile.catalogue import find_answer  # noqa: PLC0415 - as above

        _, (variant,) = find_answer(name)
        honest = partial(self._perform, call, operation)
        call.notes.append(f"a hostile answer that the test asked for: {name}")
        try:
            response = variant.make(
                AnswerContext(call.request, call.at, honest, self._clock.advance, max_seconds)
            )
        except RawAnswer as raw:
            self._faults.raw_answers.append(raw)
            raise
        return replace(response, delay=call.delay)

    def _perform(self, call: Call, operation: Operation) -> Response:
        self._check_transport(call, operation)
        if operation.access != "public":
            self._authenticate(call, operation)
        if operation.deprecated:
            self._deprecate(call, operation)
        if operation.limited:
            call.spend("write", call.credential_name)
        if call.parameters:
            self._check_ids(call, operation)
        if not operation.idempotent:
            return self._success(call, operation, operation.handler(call))
        return self._once(call, operation)

    def _once(self, call: Call, operation: Operation) -> Response:
        key = self._idempotency.key_of(call.request, call.credential_name, operation.name)
        if key and (stored := self._idempotency.replay(key, call.request)):
            call.notes.append(REPLAYED)
            # The stored answer is sent with this call's own delay and rate limit headers.
            return replace(stored, headers=(*JSON_HEADERS, *call.headers), delay=call.delay)
        response = self._success(call, operation, operation.handler(call))
        if key:
            self._idempotency.store(key, call.request, response)
        return response

    def _check_transport(self, call: Call, operation: Operation) -> None:
        request = call.request
        most = max(self._options.max_body_bytes, operation.largest_body)
        if len(request.body) > most:
            raise PayloadTooLarge(
                "Request body is too large",
                reason=f"the body has {len(request.body):,} bytes; option max_body_bytes: {most:,}",
            )
        plain = request.scheme == "http" and is_turris(request.host)
        if plain and not self._options.allow_plain_http:
            raise Forbidden(
                "HTTPS is required",
                reason="plain http:// to a Turris host; option allow_plain_http=True lets it pass",
            )

    def _authenticate(self, call: Call, operation: Operation) -> None:
        access = operation.access
        only = access if access in ("oauth", "restricted") else None
        caller = self._authentication.caller(call.request, call.environment, only=only)
        call.caller = caller
        allowed = caller.credential.permissions
        if caller.token is None and self._options.restricted_token_access == "read":
            allowed = allowed & {"read"}
        if operation.permission not in allowed:
            raise Forbidden(
                "Insufficient permissions",
                reason=f"{operation.name} needs the permission {operation.permission!r}; "
                f"{caller.credential.name} has {', '.join(sorted(allowed)) or 'none'}",
            )

    def _check_ids(self, call: Call, operation: Operation) -> None:
        """Read the ids in the path as MongoDB does: in either case (assumed)."""
        for name, value in call.parameters.items():
            if is_object_id(value):
                call.parameters[name] = value.lower()
            elif operation.documented and self._options.malformed_id == "invalid_input":
                raise InvalidInput(f"{name} must be a mongodb id")

    def _deprecate(self, call: Call, operation: Operation) -> None:
        call.headers += DEPRECATION
        if call.at >= SUNSET and self._options.sunset == "gone":
            raise Gone(
                "This endpoint is no longer available",
                reason=f"{operation.name} is deprecated, and its sunset was {SUNSET:%Y-%m-%d}; "
                "option sunset='ignored' lets it answer",
            )

    def _success(self, call: Call, operation: Operation, payload: Payload) -> Response:
        status = operation.status_under(self._options)
        if payload is None and (
            status == _NO_CONTENT or self._options.empty_success_body == "none"
        ):
            return Response(status=status, headers=tuple(call.headers), delay=call.delay)
        body = success_body(payload, call, operation)
        headers = (*JSON_HEADERS, *call.headers)
        return Response(status=status, headers=headers, body=body, delay=call.delay)

    def refuse(self, call: Call, error: TurrisError) -> Response:
        """The response to a call that was refused."""
        own = {name for name, _ in error.headers}
        ours = (field for field in (*JSON_HEADERS, *call.headers) if field[0] not in own)
        return Response(
            status=error.status,
            headers=(*ours, *error.headers),
            body=encode(refusal_document(error, call)),
            delay=call.delay,
        )


def _waited(request: Request, delay: dt.timedelta) -> dt.timedelta:
    """How much of a delay passes: the client may give up before."""
    if request.patience is None or delay.total_seconds() <= request.patience:
        return delay
    return dt.timedelta(seconds=request.patience)
