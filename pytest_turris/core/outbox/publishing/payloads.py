"""From changes of compliance to the payload of one documented event."""

from collections.abc import Iterable
from typing import Any

from pytest_turris.core.entity.event_facts import ComplianceChange, EventKind, StateEntry
from pytest_turris.core.entity.event_models import (
    AgentComplianceEntry,
    ComplianceEntry,
    DownstreamEntityComplianceEntry,
    ProductCompliance,
)
from pytest_turris.core.entity.records import EntityRecords
from pytest_turris.core.resources.associations import Association


def compliance_payload(
    kind: EventKind, changes: Iterable[ComplianceChange], records: EntityRecords
) -> list[ComplianceEntry]:
    """One entry for each entity, with every product and state of it that changed.

    An association that was removed meanwhile has no entry: its documented members are gone.
    """
    entries: dict[tuple[str, str | None], ComplianceEntry] = {}
    for change in changes:
        place = change.downstream_entity_association_id, change.npn
        association = records.associations.find(change.downstream_entity_association_id)
        if association is None:
            continue
        if place not in entries:
            entries[place] = _entry(kind, change, association)
        _states(entries[place], change).append(change.state)
    return list(entries.values())


def _states(entry: ComplianceEntry, change: ComplianceChange) -> list[StateEntry]:
    """The states of the product that changed, in the entry."""
    for product in entry.products:
        if product.product_id == change.product_id:
            return product.states
    product = ProductCompliance(
        product_id=change.product_id, product_name=change.product_name, states=[]
    )
    entry.products.append(product)
    return product.states


def _entry(kind: EventKind, change: ComplianceChange, association: Association) -> ComplianceEntry:
    members: dict[str, Any] = {
        "downstream_entity_association_id": association.id,
        "legal_name": association.downstream_entity.legal_name,
        "branch_name": association.branch_name or "",
        "producer_code": association.producer_code,
        "npn": change.npn,
        "products": [],
    }
    if kind == "AGENT_COMPLIANCE_STATUS_CHANGE":
        return AgentComplianceEntry(entity="agent", **members)
    return DownstreamEntityComplianceEntry(entity="downstreamEntity", **members)
