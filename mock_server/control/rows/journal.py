"""The journal: the requests, why they were refused, and what would fail a test."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from mock_server.control.control import ControlCall, Judging, control
from mock_server.control.models import (
    Counted,
    Listing,
    Moment,
    Nothing,
    Parameters,
    Part,
    Result,
    part,
)
from mock_server.control.wire.wording import in_commands
from pytest_turris.core.api.router import ROUTES
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.journal.exchange import Exchange
from pytest_turris.core.resources.record import UnknownRecordError

_MOST_AT_ONCE = 500


class ExchangeShown(Result):
    """One request and its answer, redacted; bodies are cut at 2 KiB. Status 0 means no answer."""

    number: int
    at: Moment
    environment: str
    method: str
    target: str
    operation: str | None
    status: int
    credential: str | None
    token: str | None
    token_id: str | None
    reason: str
    is_client_error: bool
    notes: tuple[str, ...]
    request_id: str
    request_headers: dict[str, str]
    request_body: str
    response_body: str
    token_in_url: bool


def _known(operation: str) -> str:
    try:
        return ROUTES.resolve(operation)
    except UnknownNameError as error:
        why = str(error).removeprefix(f"there is no operation {operation!r}")
        raise PydanticCustomError("operation", "an operation{why}", {"why": why}) from None


class JournalFilters(Parameters):
    """Which exchanges."""

    operation: Annotated[str, AfterValidator(_known)] | None = Field(
        None, description="The operation: list_agents, GET /v1/agents, or * for any."
    )
    status: int | None = Field(None, description="The status of the answer; 0 for none.")
    method: str | None = Field(None, description="The method of the request.")
    text: str | None = Field(None, description="A text in target, reason, notes or bodies.")
    credential: str | None = Field(None, description="The credential as the journal shows it.")
    refused: bool | None = Field(None, description="Only those that got a 4xx; false: no 4xx.")

    def fits(self, exchange: Exchange) -> bool:
        """Whether the filters leave an exchange."""
        # The text comes last: it takes longest, and there may be 10,000 exchanges.
        return (
            self.operation in (None, "*", exchange.operation)
            and self.status in (None, exchange.status)
            and self.method in (None, exchange.method)
            and self.credential in (None, exchange.credential)
            and self.refused in (None, exchange.refused)
            and (self.text is None or _has(exchange, self.text))
        )


def _has(exchange: Exchange, text: str) -> bool:
    return (
        text in exchange.target
        or text in exchange.reason
        or text in exchange.request_body
        or text in exchange.response_body
        or any(text in note for note in exchange.notes)
    )


class ListJournal(JournalFilters, Part):
    """Which exchanges, and which part of them."""

    since: int = Field(0, ge=0, description="Only those after the exchange with this number.")
    newest_first: bool = Field(default=False, description="Whether the newest comes first.")


class FollowJournal(JournalFilters):
    """Which exchanges, and from which number on."""

    since: int | None = Field(
        None, ge=0, description="Begin after the exchange with this number; now by default."
    )


class ExchangeNumber(Parameters):
    """Which exchange."""

    number: int = Field(ge=0, description="The number of the exchange.")


class Since(Parameters):
    """From which number on."""

    since: int = Field(0, ge=0, description="The number of the last exchange before.")


class Failures(Result):
    """Why a test would fail, each with the option that relaxes it."""

    failures: list[str]


@control("journal", "list", "GET", "/journal", words=("journal",))
def list_exchanges(call: ControlCall, given: ListJournal) -> Listing[ExchangeShown]:
    """List the exchanges that the filters leave, oldest first."""
    found = [one for one in call.tenant.sandbox.journal.since(given.since) if given.fits(one)]
    shown = part(found[::-1] if given.newest_first else found, given)
    return Listing(total=shown["total"], items=[_shown(one) for one in shown["items"]])


@control("journal", "get", "GET", "/journal/{number}")
def get_exchange(call: ControlCall, given: ExchangeNumber) -> ExchangeShown:
    """Get one exchange."""
    for exchange in call.tenant.sandbox.journal.since(given.number - 1, 1):
        if exchange.number == given.number:
            return _shown(exchange)
    raise UnknownRecordError(f"no exchange with number {given.number}; older ones are dropped")


@control("journal", "follow", "GET", "/journal/stream", streams=True)
def _follow(call: ControlCall, given: FollowJournal) -> Iterator[list[ExchangeShown]]:
    """Follow the exchanges that the filters leave, as they come, until the client hangs up."""
    journal = call.tenant.sandbox.journal
    number = journal.seen if given.since is None else given.since
    while True:
        call.tenant.look()
        number = min(number, journal.seen)  # a reset restarts the numbering
        found = journal.since(number, _MOST_AT_ONCE) if journal.seen > number else ()
        number = found[-1].number if found else journal.seen
        yield [_shown(one) for one in found if given.fits(one)]


@control("journal", "clear", "DELETE", "/journal")
def _clear(call: ControlCall, given: Nothing) -> Counted:
    """Drop all exchanges; the numbering goes on."""
    del given
    journal = call.tenant.sandbox.journal
    dropped = len(journal)
    journal.clear()
    return Counted(count=dropped)


@control("journal", "expect", "POST", "/journal/expect")
def expect(call: ControlCall, given: Since) -> Failures:
    """Take each refusal after an exchange as expected, so that the test does not fail for it."""
    call.tenant.sandbox.expect_since(given.since)
    return _failures(call)


@control(
    "journal",
    "failures",
    "GET",
    "/journal/failures",
    judges=Judging("failures", "a test would fail at its end: {failures[0]}"),
)
def failures(call: ControlCall, given: Nothing) -> Failures:
    """Say why a test would fail at its end: unexpected refusals, faults that never fired."""
    del given
    return _failures(call)


ROWS = (list_exchanges, failures, _follow, get_exchange, expect, _clear)


def _failures(call: ControlCall) -> Failures:
    return Failures(failures=[in_commands(one) for one in call.tenant.sandbox.strict_failures()])


def _shown(exchange: Exchange) -> ExchangeShown:
    return ExchangeShown.model_validate(exchange)
