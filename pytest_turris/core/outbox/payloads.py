"""From what happened to the payload that tells of it, in documented member order."""

from collections.abc import Iterable
from typing import Any

from pytest_turris.core.entity.records import EntityRecords


def status_payload(
    entity: str, changes: Iterable[dict[str, Any]], records: EntityRecords
) -> list[dict[str, Any]]:
    """One entry for each entity, with every product and state of it that changed."""
    entries: dict[tuple[str, str], dict[str, Any]] = {}
    for facts in changes:
        place = facts["downstreamEntityAssociationId"], facts["npn"]
        entry = entries.setdefault(place, {"entity": entity, **_entry(facts, records)})
        products = entry["products"]
        product = next((p for p in products if p["productId"] == facts["productId"]), None)
        if product is None:
            product = {
                "productId": facts["productId"],
                "productName": facts["productName"],
                "states": [],
            }
            products.append(product)
        product["states"].append(facts["state"])
    return list(entries.values())


def _entry(facts: dict[str, Any], records: EntityRecords) -> dict[str, Any]:
    """What is known of the agency; an association that is gone leaves its texts empty."""
    id_ = facts["downstreamEntityAssociationId"]
    association = records.associations.find(id_)
    agency = association.downstream_entity if association else None
    return {
        "downstreamEntityAssociationId": id_,
        "legalName": agency.legal_name if agency else "",
        "branchName": (association.branch_name if association else None) or "",
        "producerCode": association.producer_code if association else None,
        "npn": facts["npn"],
        "products": [],
    }
