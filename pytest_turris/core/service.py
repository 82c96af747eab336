"""The way of a call: route, fault, transport, caller, limit, idempotency, operation.

The order is that of a NestJS server, guards before interceptors before pipes (assumed).
"""

import contextlib

from pytest_turris.core.authentication import Authentication
from pytest_turris.core.call import Call, Operation, Payload
from pytest_turris.core.clock import Clock
from pytest_turris.core.envelope import error_document, success_document
from pytest_turris.core.errors import (
    ConnectionFailure,
    Forbidden,
    PayloadTooLarge,
    ScriptedError,
    TurrisError,
)
from pytest_turris.core.faults import Fault, Faults
from pytest_turris.core.hosts import HOSTS
from pytest_turris.core.idempotency import Idempotency
from pytest_turris.core.messages import JSON_HEADERS, Response, encode
from pytest_turris.core.options import Options
from pytest_turris.core.routes import ROUTES


class Service:
    """Answers calls, or refuses them; keeps nothing itself."""

    def __init__(
        self,
        *,
        options: Options,
        clock: Clock,
        authentication: Authentication,
        idempotency: Idempotency,
        faults: Faults,
    ) -> None:
        self._options = options
        self._clock = clock
        self._authentication = authentication
        self._idempotency = idempotency
        self._faults = faults

    def answer(self, call: Call) -> Response:
        """Do what a request asks for.

        Raises:
            TurrisError: It is refused.
            ConnectionFailure: A scripted fault: there is no answer.
        """
        request = call.request
        operation, call.parameters = ROUTES.find(request.method, request.path)
        call.operation = operation
        fault = self._faults.next_for(operation.name)
        return (
            self._perform(call, operation) if fault is None else self._fail(call, operation, fault)
        )

    def _fail(self, call: Call, operation: Operation, fault: Fault) -> Response:
        if fault.delay:
            self._clock.advance(fault.delay)
            call.delay = fault.delay
        if fault.status is None and fault.error is None:
            return self._perform(call, operation)
        if fault.processed:
            # It takes effect, or is refused, as it would; either way the answer is lost.
            with contextlib.suppress(TurrisError):
                self._perform(call, operation)
        if fault.error is not None:
            raise ConnectionFailure(fault.error)
        error = ScriptedError(fault.status or 0, f"Scripted fault of {fault.operation}")
        error.headers = tuple((name.lower(), value) for name, value in fault.headers.items())
        raise error

    def _perform(self, call: Call, operation: Operation) -> Response:
        self._check_transport(call)
        if operation.access != "public":
            self._authenticate(call, operation)
        name = call.caller.credential.name if call.caller else ""
        if operation.limited:
            call.spend("write", name)
        if not operation.idempotent:
            return self._success(call, operation, operation.handler(call))
        key = self._idempotency.key_of(call.request, name, operation.name)
        if key and (stored := self._idempotency.replay(key, call.request)):
            call.notes.append("the stored response for this idempotency key was sent again")
            return stored
        response = self._success(call, operation, operation.handler(call))
        if key:
            self._idempotency.store(key, call.request, response)
        return response

    def _check_transport(self, call: Call) -> None:
        request, most = call.request, self._options.max_body_bytes
        if len(request.body) > most:
            raise PayloadTooLarge(
                "Request body is too large",
                reason=f"the body has {len(request.body):,} bytes; option max_body_bytes: {most:,}",
            )
        plain = request.scheme == "http" and request.host in HOSTS.values()
        if plain and not self._options.allow_plain_http:
            raise Forbidden(
                "HTTPS is required",
                reason="plain http:// to a Turris host; option allow_plain_http=True lets it pass",
            )

    def _authenticate(self, call: Call, operation: Operation) -> None:
        oauth_only = operation.access == "oauth"
        caller = self._authentication.caller(call.request, call.environment, oauth_only=oauth_only)
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

    def _success(self, call: Call, operation: Operation, payload: Payload) -> Response:
        document = success_document(
            payload, call, operation, self._options.envelope, self._options.optional_fields
        )
        headers = (*JSON_HEADERS, *call.headers)
        return Response(
            status=operation.status, headers=headers, body=encode(document), delay=call.delay
        )

    def refuse(self, call: Call, error: TurrisError) -> Response:
        """The response to a call that was refused."""
        own = {name for name, _ in error.headers}
        spent = (field for field in call.headers if field[0] not in own)
        return Response(
            status=error.status,
            headers=(*JSON_HEADERS, *spent, *error.headers),
            body=encode(error_document(error, call)),
            delay=call.delay,
        )
