"""The dispatcher: turns a request into a call, answers it, and records both in the journal."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_turris.core.access.authentication import carries_token
from pytest_turris.core.access.credentials import Credentials
from pytest_turris.core.access.tokens import Tokens
from pytest_turris.core.api.call import Call
from pytest_turris.core.api.http_semantics import without_content
from pytest_turris.core.api.pipeline import Pipeline
from pytest_turris.core.clock import Clock
from pytest_turris.core.entity.entity import UpstreamEntity
from pytest_turris.core.journal.expectations import Refusals
from pytest_turris.core.journal.journal import NO_ANSWER, Journal
from pytest_turris.core.middleware.limits import Limits
from pytest_turris.core.options import Options
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.text.moments import http_date
from pytest_turris.core.text.redaction import mask, redact
from pytest_turris.core.wire.errors import ConnectionFailure, ExpiredToken, TurrisError
from pytest_turris.core.wire.hosts import environment_of, is_turris
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.core.wire.validation import MISSPELT

if TYPE_CHECKING:
    from pytest_turris.core.outbox.outbox import Outbox


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Has everything that a call can use; ``refusals`` collects those that can fail the test."""

    options: Options
    clock: Clock
    randomness: Randomness
    entity: UpstreamEntity
    open_outbox: Callable[[], "Outbox"]
    credentials: Credentials
    tokens: Tokens
    limits: Limits
    pipeline: Pipeline
    journal: Journal
    refusals: Refusals

    def answer(self, request: Request) -> Response:
        """Answer one request and record it. Never raises for anything a client sends.

        Raises:
            ConnectionFailure: A scripted fault: there is no answer.
        """
        call = self._call(request)
        try:
            response = self.pipeline.answer(call)
        except TurrisError as error:
            response = self.pipeline.refuse(call, error)
            reason = error.reason
            if isinstance(error, ExpiredToken):
                mismatch = self.clock.mismatch(over_a_socket=not is_turris(request.host))
                reason = f"{reason}. {mismatch}" if mismatch else reason
            self._record(call, response, reason=reason, is_client_error=error.is_client_error)
        except ConnectionFailure as failure:
            self._record(call, None, reason=str(failure))
            failure.delay = call.delay
            raise
        else:
            self._record(call, response)
        if call.real_delay:
            longest = max(response.delay, dt.timedelta(seconds=call.real_delay))
            response = replace(response, delay=longest, real_delay=call.real_delay)
        return without_content(response) if request.method == "HEAD" else response

    def _call(self, request: Request) -> Call:
        if self.options.client_ip:
            request = replace(request, client_ip=self.options.client_ip)
        at = self.clock.now()
        return Call(
            request=request,
            at=at,
            # RFC 9110, 6.6.1: by the sandbox's clock.
            headers=[("date", http_date(at))] if self.options.date_header else [],
            request_id=self.randomness.request_id(),
            environment=environment_of(request.host, self.options.environment),
            entity=self.entity,
            credentials=self.credentials,
            tokens=self.tokens,
            limits=self.limits,
            options=self.options,
            open_outbox=self.open_outbox,
        )

    def _record(
        self,
        call: Call,
        response: Response | None,
        *,
        reason: str = "",
        is_client_error: bool = False,
    ) -> None:
        in_url = carries_token(call.request)
        if in_url:
            call.notes.append("a token was sent in the URL; Turris says never to do that")
        caller = call.caller
        used = caller.token if caller and caller.token else self.tokens.find(call.request)
        facts = {
            "at": call.at,
            "environment": call.environment,
            "operation": call.operation,
            "status": response.status if response else NO_ANSWER,
            "credential": caller.credential.name if caller else None,
            "token": mask(caller.token.text) if caller and caller.token else None,
            "reason": reason,
            "is_client_error": is_client_error,
            "notes": call.notes,
            "request_id": call.request_id,
            "token_id": used.jti if used else None,
            "token_in_url": in_url,
            # For the observer alone:
            "access_token": used,
            "scripted": call.scripted,
            "slow": bool(call.delay or call.real_delay),
        }
        entry = self.journal.record(call.request, response.body if response else b"", facts)
        if self.journal.observer:
            self.journal.observer(call.request, response, facts)
        for note in call.notes:
            if note.startswith(MISSPELT) and not is_client_error:
                self.refusals.suspect(f"{call.operation}: {redact(note.removeprefix(MISSPELT))}")
        if is_client_error:
            self.refusals.note(entry.redacted())
