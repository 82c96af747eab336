"""Licenses of an agency: list with filters, surplus lines by FEIN."""

from typing import Annotated

from pydantic import Field, StringConstraints

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import operation
from pytest_turris.core.api.operations.associations import ASSOCIATION, association_of
from pytest_turris.core.api.operations.nipr import StateAndStatusQuery, subscription_of
from pytest_turris.core.entity.records import is_pending
from pytest_turris.core.resources.associations import FEIN, Association, digits
from pytest_turris.core.resources.licenses import License, LineOfAuthority
from pytest_turris.core.resources.record import WireModel
from pytest_turris.core.wire.errors import NotFound
from pytest_turris.core.wire.model import RequestModel, StateCode, Timestamp


class SurplusLinesQuery(RequestModel):
    """Both are required; the FEIN is taken with or without its hyphen (documented)."""

    fein: Annotated[str, StringConstraints(pattern=f"^{FEIN}$")]
    state_code: StateCode


class DangerousSurplusLinesQuery(RequestModel):
    """The same filters, without a check of the FEIN's format."""

    fein: str
    state_code: StateCode


class SurplusLinesLicense(WireModel):
    """A license with the members that the surplus lines pages show, in their order (documented)."""

    license_number: str
    license_class_name: str
    license_class_code: str
    state_code: StateCode
    status: str
    issue_date: Timestamp | None = None
    next_renewal_date: Timestamp | None = None
    residency_status: str
    lines_of_authority: list[LineOfAuthority] = Field(default_factory=list)


class SurplusLinesResponse(WireModel):
    """An agency with its surplus lines licenses in a state (documented)."""

    agency_name: str
    agency_npn: str | None = None
    agency_fein: str
    surplus_lines_licenses: list[SurplusLinesLicense]


@operation(
    "GET",
    ASSOCIATION + "/licenses",
    summary="List an agency's licenses",
    tag="downstream-entity-associations",
    page="licenses/downstream-entity-licenses",
    operation_id="DownstreamEntityLicensesController_getDownstreamEntityLicenses_v1",
    operation_id_documented=False,
    query=StateAndStatusQuery,
)
def list_licenses(call: Call) -> list[License]:
    """List an agency's licenses, each with its status now."""
    query = call.query(StateAndStatusQuery)
    association = association_of(call)
    held = _licenses(call, association)
    return [one for one in held if query.matches(one.state_code, one.status)]


@operation(
    "GET",
    "/v1/downstream-entity-associations/licenses/surplus-lines",
    summary="Surplus lines licenses by FEIN and state",
    tag="downstream-entity-associations",
    page="licenses/surplus-lines",
    operation_id="DownstreamEntityLicensesController_getSurplusLinesLicenses_v1",
    operation_id_documented=False,
    query=SurplusLinesQuery,
    errors=(404,),
)
def list_surplus_lines(call: Call) -> SurplusLinesResponse:
    """List an agency's surplus lines licenses in a state, by FEIN."""
    return _surplus_lines(call, call.query(SurplusLinesQuery))


@operation(
    "GET",
    "/v1/downstream-entity-associations/licenses/dangerously-surplus-lines",
    summary="Surplus lines licenses by FEIN and state, without checks",
    tag="downstream-entity-associations",
    page="licenses/dangerously-surplus-lines",
    operation_id="DownstreamEntityLicensesController_dangerouslyGetSurplusLinesLicenses_v1",
    query=DangerousSurplusLinesQuery,
    errors=(404,),
    deprecated=True,
)
def dangerously_list_surplus_lines(call: Call) -> SurplusLinesResponse:
    """List the same without a check of the FEIN (documented: bypasses checks)."""
    return _surplus_lines(call, call.query(DangerousSurplusLinesQuery))


def _licenses(call: Call, association: Association) -> list[License]:
    if association.npn is None or is_pending(association):
        return []
    subscription = subscription_of(association)
    return [
        held.model_copy(update=subscription | {"status": held.status_at(call.at)})
        for held in call.records.licenses.where(npn=association.npn)
    ]


def _surplus_lines(
    call: Call, query: SurplusLinesQuery | DangerousSurplusLinesQuery
) -> SurplusLinesResponse:
    # Branches of an agency share its FEIN, and may have NPNs of their own.
    associations = call.records.associations
    found = associations.where(fein=digits(query.fein) or "")
    branches = [branch for branch in found if associations.is_shown(branch)]
    if not branches:
        if call.options.unknown_fein == "empty":
            return SurplusLinesResponse(
                agency_name="", agency_fein=query.fein, surplus_lines_licenses=[]
            )
        raise NotFound("Agency not found", reason="no association with this FEIN")
    association = branches[0]
    held = {one.key: one for branch in branches for one in _licenses(call, branch)}
    return SurplusLinesResponse.model_construct(
        agency_name=association.downstream_entity.legal_name,
        agency_npn=association.npn,
        agency_fein=association.downstream_entity.ein or "",
        surplus_lines_licenses=[
            SurplusLinesLicense.model_construct(
                **{name: getattr(one, name) for name in SurplusLinesLicense.model_fields}
            )
            for one in held.values()
            if one.state_code == query.state_code
            and "surplus lines" in one.license_class_name.lower()
        ],
    )
