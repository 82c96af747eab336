"""From changes of compliance to the payload of one documented event."""

from collections.abc import Iterable
from typing import Any

from pytest_turris.core.entity.event_models import (
    AgentComplianceEntry,
    ComplianceChange,
    ComplianceEntry,
    DownstreamEntityComplianceEntry,
    EventKind,
    ProductCompliance,
    StateEntry,
)
from pytest_turris.core.entity.records import EntityRecords


def compliance_payload(
    kind: EventKind, changes: Iterable[ComplianceChange], records: EntityRecords
) -> list[ComplianceEntry]:
    """One entry for each entity, with every product and state of it that changed."""
    entries: dict[tuple[str | None, str | None], ComplianceEntry] = {}
    for change in changes:
        place = change.downstream_entity_association_id, change.npn
        if place not in entries:
            entries[place] = _entry(kind, change, records)
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


def _entry(kind: EventKind, change: ComplianceChange, records: EntityRecords) -> ComplianceEntry:
    """What is known of the agency; an association that is gone leaves its texts empty."""
    id_ = change.downstream_entity_association_id
    association = records.associations.find(id_) if id_ else None
    agency = association.downstream_entity if association else None
    members: dict[str, Any] = {
        "downstream_entity_association_id": id_,
        "legal_name": agency.legal_name if agency else "",
        "branch_name": (association.branch_name if association else None) or "",
        "producer_code": association.producer_code if association else None,
        "npn": change.npn,
        "products": [],
    }
    if kind == "AGENT_COMPLIANCE_STATUS_CHANGE":
        return AgentComplianceEntry(entity="agent", **members)
    return DownstreamEntityComplianceEntry(entity="downstreamEntity", **members)
