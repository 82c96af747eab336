"""Compliance of an agent or agency for a product in a state; an agency's E&O and Cyber coverage."""

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import operation
from pytest_turris.core.api.operations.agents import AGENT, agent_of
from pytest_turris.core.api.operations.associations import ASSOCIATION, association_of
from pytest_turris.core.entity.records import Owner, is_pending
from pytest_turris.core.resources.agents import AgentEntry
from pytest_turris.core.resources.compliance import (
    PENDING,
    LicenseComplianceResponse,
    PolicyComplianceResponse,
    StateCompliance,
    assess_compliance,
)
from pytest_turris.core.resources.coverages import Coverage, CoverageKind
from pytest_turris.core.wire.errors import NotFound
from pytest_turris.core.wire.model import ObjectId, RequestModel, StateCode


class LicenseComplianceQuery(RequestModel):
    """Both are required (documented)."""

    state_code: StateCode
    product_id: ObjectId


@operation(
    "GET",
    AGENT + "/license-compliance-statuses",
    summary="Get an agent's license compliance",
    tag="agents",
    page="compliance-status/agent-compliance",
    operation_id="AgentLicenseComplianceController_getAgentCompliance_v1",
    operation_id_documented=False,
    query=LicenseComplianceQuery,
)
def get_agent_compliance(call: Call) -> LicenseComplianceResponse:
    """Get an agent's compliance now."""
    query = call.query(LicenseComplianceQuery)
    return _compliance(call, query, agent_of(call))


@operation(
    "GET",
    ASSOCIATION + "/license-compliance-statuses",
    summary="Get an agency's license compliance",
    tag="downstream-entity-associations",
    page="compliance-status/downstream-entity-compliance",
    operation_id="DownstreamEntitiesLicenseComplianceController_getDownstreamEntityCompliance_v1",
    query=LicenseComplianceQuery,
)
def get_association_compliance(call: Call) -> LicenseComplianceResponse:
    """Get an agency's compliance now."""
    query = call.query(LicenseComplianceQuery)
    return _compliance(call, query, association_of(call))


@operation(
    "GET",
    ASSOCIATION + "/policy-compliance-statuses",
    summary="Get an agency's E&O and Cyber",
    tag="downstream-entity-associations",
    page="eo-cyber-compliance/get-policy-compliance",
    operation_id="EoAndCyberComplianceController_getDownstreamEntityPolicyCompliance_v1",
)
def get_policy_compliance(call: Call) -> PolicyComplianceResponse:
    """Get an agency's E&O and Cyber policies, each with its status now."""
    association = association_of(call)
    entity = association.downstream_entity
    return PolicyComplianceResponse.model_construct(
        e_and_o=_coverage(call, association.id, "E&O"),
        cyber=_coverage(call, association.id, "Cyber"),
        downstream_entity_id=entity.id,
        downstream_entity_name=entity.legal_name,
        downstream_entity_npn=entity.npn,
    )


def _compliance(
    call: Call, query: LicenseComplianceQuery, owner: Owner
) -> LicenseComplianceResponse:
    records = call.records
    product = records.products.find(query.product_id)
    if product is None:
        raise NotFound("Product not found", reason="no product with this id")
    if query.state_code not in product.states:
        call.notes.append(f"{product.name} is not sold in {query.state_code}")
        if call.options.product_not_sold == "not_found":
            raise NotFound("Product not found", reason="it is not sold in this state")
        return LicenseComplianceResponse(product_name=product.name, states=[])
    npn = owner.npn
    result = (
        PENDING
        if is_pending(owner)
        else assess_compliance(
            product,
            query.state_code,
            "agent" if isinstance(owner, AgentEntry) else "agency",
            npn=npn,
            licenses=records.licenses.where(npn=npn) if npn else (),
            appointments=records.appointments.where(npn=npn) if npn else (),
            moment=call.at,
        )
    )
    alone = call.options.compliance_states == "state_code"
    state = query.state_code
    found = StateCompliance(state_code=state) if alone else result.in_state(state)
    return LicenseComplianceResponse(product_name=product.name, states=[found])


def _coverage(call: Call, association_id: str, kind: CoverageKind) -> Coverage | None:
    held = call.records.coverages.current(association_id, kind, call.at)
    if held is None:
        return None
    return held.model_copy(update={"collection_status": held.status_at(call.at)})
