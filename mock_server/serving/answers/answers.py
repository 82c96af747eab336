"""Answers the requests to a server: by one of its sandboxes, or by that of a connected test."""

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlsplit

from mock_server.control.tenant import Tenant
from mock_server.control.tenants import Tenants
from mock_server.relay_hub import RelayHub
from mock_server.serving.answers.production import meant_for_production
from mock_server.serving.answers.together import SharedAnswers
from mock_server.serving.log import ServerLog
from mock_server.store.errors import StoreError, TenantGoneError
from pytest_turris.core.tenants import credentials_in
from pytest_turris.core.text.redaction import redact, redact_target
from pytest_turris.core.wire.errors import ConnectionFailure, error_document
from pytest_turris.core.wire.messages import JSON_HEADERS, NO_SNIFFING, Request, Response, encode

THREADS = 8
"""How many requests are answered at a time from a shared store."""
_REFUSED = 400
_UNAUTHORIZED = frozenset({401, 403})
_LONG_BODY = 65_536
"""The length in bytes from which parsing a body could delay other clients."""

_NOT_STORED = (
    "The sandbox cannot use its store, so the outcome of this request is unknown; its log has "
    "the reason"
)


class ServedAnswers:
    """The answers of one server.

    Args:
        tenants: Its sandboxes.
        hub: The tests that are connected.
        public_url: The URL that clients use, if it is not that of the socket.
        log: Gets a redacted line for each exchange.
    """

    def __init__(self, tenants: Tenants, hub: RelayHub, public_url: str, log: ServerLog) -> None:
        self._tenants = tenants
        self._hub = hub
        self._public_url = public_url
        self._log = log.write
        self._warn = log.warn
        # A shared store may make a request wait for another server; other requests are answered
        # meanwhile.
        self._threads = ThreadPoolExecutor(THREADS) if tenants.is_shared else None
        self._together = SharedAnswers(
            tenants, alone=self._answer_alone, failed=self._unavailable, log=self._log_line
        )

    def stop(self) -> None:
        """Begin no further answer from a shared store."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def answer(self, request: Request) -> Response | Awaitable[Response]:
        """Answer at once, unless the request may be for the sandbox of a test."""
        if self._public_url:
            public = urlsplit(self._public_url)
            request = replace(request, scheme=public.scheme, host=public.netloc)
        answer = self._forward(request) if self._hub.is_in_use else self._answered_here(request)
        if isinstance(answer, Response):
            return self._looked_at(request, answer)
        return self._looked_at_later(request, answer)

    async def _looked_at_later(self, request: Request, answer: Awaitable[Response]) -> Response:
        return self._looked_at(request, await answer)

    def _looked_at(self, request: Request, response: Response) -> Response:
        """Warn if what was refused was meant for the production API; let no browser run errors."""
        if response.status < _REFUSED:
            return response
        if response.status in _UNAUTHORIZED and (why := meant_for_production(request)):
            path = redact_target(request.path)
            self._warn(f"{request.method} {path} -> {response.status}  {why}")
        return replace(response, headers=(*response.headers, NO_SNIFFING))

    def _answered_here(self, request: Request) -> Response | Awaitable[Response]:
        """Answer with a sandbox of this server."""
        if self._threads is not None:
            credentials = credentials_in(request)
            known = self._tenants.known(credentials) if credentials else self._tenants.default
            if known is not None:
                return self._together.ask(known, request, self._threads)
            loop = asyncio.get_running_loop()
            return loop.run_in_executor(self._threads, self._answer_alone, request)
        own = self._own(request) if self._tenants.has_others else None
        return self._handle(request, own or self._tenants.default)

    def _answer_alone(self, request: Request) -> Response:
        """Answer with a sandbox that other servers have too; this may take a while."""
        try:
            own = self._own(request)
        except StoreError as error:
            return self._unavailable(error)
        return self._answered(request, own or self._tenants.default)

    async def _forward(self, request: Request) -> Response:
        """Forward a request to the sandbox of a test if it is for one; else answer it here."""
        tenant = None
        try:
            own = await self._own_meanwhile(request)
        except StoreError as error:
            return self._unavailable(error)
        if not own:
            tenant = self._hub.by_credential(request) or await self._hub.by_socket(request)
        if tenant is None:
            return await _settled(self._answered_here(request))
        line = f"{request.method} {redact(request.path)}"
        try:
            response = await tenant.process.forward(request)
        except ConnectionFailure:
            self._log(f"{line} -> no answer  for {tenant.name}")
            raise
        self._log(f"{line} -> {response.status}  for {tenant.name}")
        return response

    def _own(self, request: Request) -> Tenant | None:
        """The sandbox of this server that issued the request's credential."""
        return self._tenants.find(credentials_in(request))

    async def _own_meanwhile(self, request: Request) -> Tenant | None:
        """As ``_own``; other requests are answered while a shared store is asked."""
        credentials = credentials_in(request)
        known = self._tenants.known(credentials)
        if known is not None or self._threads is None or not credentials:
            return known or self._own(request)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._own, request)

    def _handle(self, request: Request, tenant: Tenant) -> Response | Awaitable[Response]:
        # A form has a file, which may be packed: how long its parser takes is not known.
        is_form = len(request.body) > 0 and request.media_type.startswith("multipart/")
        is_long = is_form or len(request.body) > _LONG_BODY
        return tenant.carry_out(lambda: self._answered(request, tenant), is_long=is_long)

    def _answered(self, request: Request, tenant: Tenant) -> Response:
        line = ""
        try:
            with tenant.sandbox.lock:
                try:
                    return tenant.handle(request)
                finally:
                    # Under the lock, the last line is this exchange's. A journal may keep none.
                    line = tenant.last_line
        except TenantGoneError:
            self._tenants.forget(tenant.name)
            return self._answer_alone(request)
        except StoreError as error:
            return self._unavailable(error)
        finally:
            self._log_line(line, tenant)

    def _unavailable(self, error: StoreError) -> Response:
        self._warn(str(error))
        body = encode(error_document(503, "internal_error", [_NOT_STORED]))
        return Response(status=503, headers=JSON_HEADERS, body=body)

    def _log_line(self, line: str, tenant: Tenant) -> None:
        """Log an exchange, if any."""
        if line:
            self._log(line if tenant is self._tenants.default else f"{line}  for {tenant.name}")


async def _settled(answer: Response | Awaitable[Response]) -> Response:
    return answer if isinstance(answer, Response) else await answer
