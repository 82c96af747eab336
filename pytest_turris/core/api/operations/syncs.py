"""Syncs of an agent's or agency's data with NIPR: queue one, get its state."""

from typing import ClassVar

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import operation
from pytest_turris.core.api.operations.agents import AGENT, agent_of
from pytest_turris.core.api.operations.associations import ASSOCIATION, association_of
from pytest_turris.core.resources.subscriptions import NiprDataSubscription
from pytest_turris.core.wire.errors import InvalidInput, NotFound


class ComplianceDataSubscriptionResponse(NiprDataSubscription):
    """A subscription on its own (assumed: the fields of the embedded object)."""

    internal_fields: ClassVar[frozenset[str]] = frozenset({"sync_due"})


@operation(
    "POST",
    AGENT + "/sync",
    summary="Queue a sync of an agent with NIPR",
    tag="agents",
    page="compliance-data-subscriptions/sync-agent",
    status=201,
    operation_id="AgentFeatureController_enqueueAgentEntityInfo_v1",
    documented_errors=(401, 404),
)
def sync_agent(call: Call) -> None:
    """Queue a fetch of an agent's data from NIPR."""
    call.entity.enqueue_sync(agent_of(call))


@operation(
    "POST",
    ASSOCIATION + "/sync",
    summary="Queue a sync of an agency with NIPR",
    tag="downstream-entity-associations",
    page="compliance-data-subscriptions/sync-downstream-entity",
    status=201,
    operation_id="AssociatedDownstreamEntitiesController_enqueueDownstreamEntityInfo_v1",
    operation_id_documented=False,
    errors=(400,),
    status_provenance="assumed",
    status_option="write_success_status",
)
def sync_association(call: Call) -> None:
    """Queue a fetch of an agency's data from NIPR."""
    association = association_of(call)
    if association.nipr_data_subscription is None:
        raise InvalidInput("Downstream entity has no NPN", reason="nothing to fetch from NIPR")
    call.entity.enqueue_sync(association)


@operation(
    "GET",
    "/v1/compliance-data-subscriptions/{niprDataSubscriptionId}",
    summary="Get a NIPR data subscription's status",
    tag="compliance-data-subscriptions",
    page="compliance-data-subscriptions/get-status",
    operation_id="ComplianceDataSubscriptionsController_getStatus_v1",
)
def get_subscription_status(call: Call) -> ComplianceDataSubscriptionResponse:
    """Get a subscription; 404 for an unknown id (assumed)."""
    owner = call.records.owner(call.parameters["niprDataSubscriptionId"])
    if owner is None or owner.nipr_data_subscription is None:
        raise NotFound("NIPR data subscription not found", reason="no subscription with this id")
    return ComplianceDataSubscriptionResponse.model_construct(**dict(owner.nipr_data_subscription))
