"""NPN lookup: whether NPNs belong to a firm or an individual, or are unknown."""

import datetime as dt
from typing import Annotated

from pydantic import Field, StringConstraints

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import operation
from pytest_turris.core.entity.records import is_pending
from pytest_turris.core.middleware.allowance import fields_to_retry
from pytest_turris.core.resources.npns import NpnLookupResult
from pytest_turris.core.wire.errors import RateLimitExceeded
from pytest_turris.core.wire.model import RequestModel

Npn = Annotated[str, StringConstraints(min_length=1)]


class NpnLookupDto(RequestModel):
    """1 to 20 NPNs (documented); the name ``npns`` is assumed."""

    npns: Annotated[list[Npn], Field(min_length=1, max_length=20)]


@operation(
    "POST",
    "/v1/npn-lookup",
    summary="Look up NPNs via NIPR",
    tag="npn-lookup",
    page="tools/validate-npns",
    operation_id="NpnLookupController_lookupNpns_v1",
    body=NpnLookupDto,
    documented_errors=(429,),
)
def lookup_npns(call: Call) -> list[NpnLookupResult]:
    """Look up each NPN once, in the order given."""
    body = call.body(NpnLookupDto, (call.options.npn_lookup_member, "npns"))
    npns = call.records.npns
    if npns.busy and (until := npns.busy_until):
        raise _busy(call, until)
    npns.occupy(call.options.npn_lookup_duration)
    return [_result(call, npn) for npn in dict.fromkeys(body.npns)]


def _busy(call: Call, until: dt.datetime) -> RateLimitExceeded:
    error = RateLimitExceeded(
        "Too Many Requests",
        reason=f"another NPN lookup of this account is in progress until {until}",
    )
    error.headers = fields_to_retry(until, call.at, call.options)
    return error


def _result(call: Call, npn: str) -> NpnLookupResult:
    records = call.records
    if (known := records.npns.find(npn)) is not None:
        found = known.entity_type
        name = None if found == "not found" else known.name
        return NpnLookupResult(npn=npn, entity_type=found, name=name, members=known.members)
    if call.options.unknown_npn == "not_found" and all(map(is_pending, records.owners(npn))):
        return NpnLookupResult(npn=npn, entity_type="not found")
    if (entry := records.agents.with_npn(npn)) is not None:
        name = f"{entry.agent.first_name} {entry.agent.last_name}".strip()
        return NpnLookupResult(npn=npn, entity_type="individual", name=name or None)
    if (association := records.associations.one_where(npn=npn)) is not None:
        name = association.downstream_entity.legal_name
        return NpnLookupResult(npn=npn, entity_type="firm", name=name or None)
    return NpnLookupResult(npn=npn, entity_type="not found")
