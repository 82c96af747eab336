"""Scripted faults and hostile answers: add, list, remove, clear."""

from typing import Literal

from pydantic import Field

from mock_server.control.control import ControlCall, control
from mock_server.control.models import (
    Counted,
    Duration,
    HeaderName,
    HeaderText,
    Listing,
    Nothing,
    Parameters,
    Result,
    no_time,
)
from pytest_turris.core.faults.fault import FailureKind, Fault
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE
from pytest_turris.core.faults.hostile.raw import MAX_SECONDS
from pytest_turris.core.resources.record import UnknownRecordError


class FaultShown(Result):
    """A scripted fault. ``times`` is null for one that fires until it is removed."""

    number: int
    operation: str
    status: int | None
    error: FailureKind | None
    delay: Duration
    real_delay: Duration
    headers: dict[str, str]
    times: int | None
    processed: bool
    optional: bool
    hostile: str | None
    fired: int
    spent: bool


class AnswerShown(Result):
    """A hostile answer of the catalogue. Only pytest gives one that cannot be scripted."""

    id: str
    title: str
    expects: str
    level: str
    can_be_scripted: bool
    variants: list[str]


class AddFault(Parameters):
    """What fails, and how."""

    operation: str = Field(
        min_length=1,
        max_length=200,
        description="The operation: list_agents, GET /v1/agents, or * for any.",
    )
    status: int | None = Field(None, description="Answer with this status, 400 to 599.")
    error: FailureKind | None = Field(None, description="Do not answer: connect or reset.")
    delay: Duration = no_time("How much time passes on the sandbox's clock.")
    real_delay: Duration = no_time(
        "How long the answer really takes, for real clients; 300 s at most."
    )
    headers: dict[HeaderName, HeaderText] = Field(
        {},
        description="Response headers with the status; the server writes those of the connection, "
        "such as Content-Length.",
    )
    times: int | None = Field(1, ge=1, le=1_000_000, description="How often; null: until removed.")
    processed: bool = Field(default=False, description="The request takes effect anyway.")
    optional: bool = Field(default=False, description="It may never fire.")


class AddHostile(Parameters):
    """Which hostile answer, and for what."""

    name: str = Field(
        min_length=1,
        max_length=100,
        description="Such as AR-27/milliseconds; AR-27 alone is its first variant, and "
        "'faults catalogue' lists them.",
    )
    operation: str | None = Field(
        None, max_length=200, description="The operation; by default what the answer is for."
    )
    times: int | None = Field(None, ge=1, le=1_000_000, description="How often.")
    optional: bool = Field(default=False, description="It may never fire.")
    max_seconds: float = Field(
        MAX_SECONDS, gt=0, le=3_600, description="How many real seconds an endless answer lasts."
    )


class FaultNumber(Parameters):
    """Which fault."""

    number: int = Field(ge=0, description="The number of the fault.")


class FaultFilters(Parameters):
    """Which faults."""

    state: Literal["all", "waiting", "spent", "unused"] = Field(
        "all", description="unused: never fired, and not optional."
    )


@control("faults", "list", "GET", "/faults", words=("faults",))
def list_faults(call: ControlCall, given: FaultFilters) -> Listing[FaultShown]:
    """List the scripted faults; the first one that fits a call fires."""
    faults = call.tenant.sandbox.faults
    chosen = {
        "all": list(faults),
        "waiting": [fault for fault in faults if not fault.spent],
        "spent": [fault for fault in faults if fault.spent],
        "unused": list(faults.unused),
    }[given.state]
    return Listing(total=len(chosen), items=[_shown(fault) for fault in chosen])


@control("faults", "add", "POST", "/faults", status=201, positional=("operation",))
def add(call: ControlCall, given: AddFault) -> FaultShown:
    """Script a fault of an operation: an error status, no answer, or a delay."""
    fault = call.tenant.sandbox.faults.add(
        given.operation,
        status=given.status,
        error=given.error,
        delay=given.delay,
        real_delay=given.real_delay,
        headers=given.headers,
        times=given.times,
        processed=given.processed,
        optional=given.optional,
    )
    return _shown(fault)


@control(
    "faults",
    "hostile",
    "POST",
    "/faults/hostile",
    status=201,
    words=("hostile",),
    positional=("name",),
)
def hostile(call: ControlCall, given: AddHostile) -> FaultShown:
    """Script a hostile answer of the catalogue."""
    fault = call.tenant.sandbox.faults.hostile(
        given.name,
        given.operation,
        times=given.times,
        optional=given.optional,
        max_seconds=given.max_seconds,
    )
    return _shown(fault)


@control("faults", "catalogue", "GET", "/faults/catalogue")
def catalogue(call: ControlCall, given: Nothing) -> Listing[AnswerShown]:
    """List the hostile answers, with what a good client does, and whether they can be scripted."""
    del call, given
    found = [
        AnswerShown(
            id=answer.id,
            title=answer.title,
            expects=answer.expects,
            level=answer.level,
            can_be_scripted=answer.can_be_scripted,
            variants=[variant.name for variant in answer.variants],
        )
        for answer in CATALOGUE.values()
    ]
    return Listing(total=len(found), items=found)


@control("faults", "remove", "DELETE", "/faults/{number}", status=204)
def _remove(call: ControlCall, given: FaultNumber) -> None:
    """Remove a fault; it is no longer expected to fire."""
    faults = call.tenant.sandbox.faults
    for fault in faults:
        if fault.number == given.number:
            return faults.remove(fault)
    raise UnknownRecordError(f"no fault with number {given.number}; list them with GET /faults")


@control("faults", "clear", "DELETE", "/faults")
def _clear(call: ControlCall, given: Nothing) -> Counted:
    """Remove all faults."""
    del given
    faults = call.tenant.sandbox.faults
    count = len(list(faults))
    faults.clear()
    return Counted(count=count)


@control("faults", "hang-up", "POST", "/faults/hang-up")
def hang_up(call: ControlCall, given: Nothing) -> Counted:
    """End all endless answers that are still being sent."""
    del given
    faults = call.tenant.sandbox.faults
    count = len(faults.raw_answers)
    faults.hang_up()
    return Counted(count=count)


ROWS = (list_faults, catalogue, add, hostile, hang_up, _remove, _clear)


def _shown(fault: Fault) -> FaultShown:
    return FaultShown.model_validate(fault)
