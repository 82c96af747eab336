"""Named seed data: records to start with, always the same for the same seed option.

Seeding emits no events.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, Literal, get_args

from pytest_turris.core.clock import later
from pytest_turris.core.entity.entity import UpstreamEntity
from pytest_turris.core.entity.records import EntityRecords
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.resources.associations import Association
from pytest_turris.core.resources.products import Product
from pytest_turris.core.wire.model import StateCode

SeedData = Literal["small_agency", "national_network", "messy"]

FIFTY_STATES = tuple(
    state for state in get_args(StateCode) if state not in ("DC", "AS", "GU", "MP", "PR", "VI")
)
NETWORK_AGENTS = 2_000

_YEAR = dt.timedelta(days=365)
_CITIES = ("Austin", "Boston", "Denver", "Fresno", "Omaha", "Phoenix", "Salem", "Tampa", "Tulsa")


def seed(entity: UpstreamEntity, name: SeedData) -> None:
    """Add the records of named seed data to those that exist.

    Raises:
        UnknownNameError: There is no seed data of that name.
    """
    if name not in _SEEDS:
        raise UnknownNameError(f"there is no seed data {name!r}; there is {', '.join(_SEEDS)}")
    with entity.without_events():
        _SEEDS[name](entity.records)


def _small_agency(records: EntityRecords) -> None:
    """One agency with three agents, all licensed and appointed in CA and NY."""
    product = records.products.add(states=("CA", "NY"))
    agency = _agency(records, 1, "Acme Insurance Agency", states=("CA", "NY"))
    for _ in range(3):
        _agent(records, agency, product, ("CA", "NY"))
    records.contacts.add(
        downstream_entity_association_id=agency.id,
        first_name="Robin",
        last_name="Reyes",
        email="robin.reyes@agency1.example",
        business_roles=("Finance Manager",),
    )
    records.coverages.add(downstream_entity_association_id=agency.id, coverage_kind="E&O")
    records.coverages.add(downstream_entity_association_id=agency.id, coverage_kind="Cyber")
    records.documents.add(category="W9", downstream_entity_association_id=agency.id)
    records.templates.add(additional_documents=("W-9 Tax Form",))
    records.policies.add(agency_npn=agency.npn, product_name=product.name)


def _national_network(records: EntityRecords) -> None:
    """2,000 agents at 50 agencies, one in each state; every agent works in two of them."""
    product = records.products.add(states=FIFTY_STATES)
    agencies = [
        _agency(records, number, f"{_CITIES[number % 9]} Insurance {number}", states=(state,))
        for number, state in enumerate(FIFTY_STATES, start=1)
    ]
    for number in range(NETWORK_AGENTS):
        home = number % len(FIFTY_STATES)
        states = FIFTY_STATES[home], FIFTY_STATES[(home + 1) % len(FIFTY_STATES)]
        _agent(records, agencies[home], product, states)


def _messy(records: EntityRecords) -> None:
    """Records that break careless clients: expired, missing, archived, deleted, mostly null."""
    now = records.clock.now()
    product = records.products.add(required_line_of_authority_codes=("P",))
    agency = _agency(records, 1, "Éclair & Söhne Insurance, LLC", states=("CA",))
    bare = records.associations.add(
        downstream_entity_name="No Number Brokerage", is_npn_required=False, invited=True
    )
    expired = _agent(records, agency, product, ())
    records.licenses.add(npn=expired, expiration_date=now - dt.timedelta(days=1))
    records.appointments.add(npn=expired, status="terminated", termination_reason="For cause")
    no_line = _agent(records, agency, product, ())
    records.licenses.add(npn=no_line, lines_of_authority=())
    soon = _agent(records, agency, product, ())
    records.licenses.add(npn=soon, expiration_date=later(now, dt.timedelta(days=1)))
    records.regulatory_actions.add(npn=soon, penalty_fine_forfeiture_in_usd=2_500.5)
    records.agents.add(is_archived=True)
    records.agents.add(is_deleted=True, downstream_entity_association_id=bare.id)
    records.agents.add(is_uploaded_by_upstream_entity=False)
    records.coverages.add(
        downstream_entity_association_id=agency.id,
        effective_date=now - 2 * _YEAR,
        expiry_date=now - _YEAR,
    )
    records.contacts.add(
        downstream_entity_association_id=agency.id,
        email="not.ours@elsewhere.example",
        visibility="another carrier",
    )
    records.documents.add(category="W9", is_deleted=True)
    records.templates.add(name="Archived Agreement", status="archived")
    records.policies.add(
        effective_date=now - 2 * _YEAR,
        insured_entity_name=None,
        carrier_name=None,
        line_of_business=None,
        product_name=None,
        premium_amount_in_usd=None,
        entity_match_status="unmatched",
    )
    records.policies.add(is_deleted=True)


def _agency(
    records: EntityRecords, number: int, name: str, *, states: tuple[str, ...]
) -> Association:
    agency = records.associations.add(
        downstream_entity_name=name,
        email=f"office@agency{number}.example",
        producer_code=f"PROD-{records.randomness.number('producer code', 6)}",
        ein=f"{records.randomness.number('ein', 2)}-{records.randomness.number('ein', 7)}",
    )
    for state in states:
        _permit(records, agency.npn or "", state)
    return agency


def _agent(
    records: EntityRecords, agency: Association, product: Product, states: tuple[str, ...]
) -> str:
    """Add an agent with a license and an appointment in each state; return its NPN."""
    npn = records.randomness.number("npn", 8)
    authority: list[dict[str, Any]] = [
        {
            "upstream_entity_product_id": product.id,
            "requested_states": list(states),
            "approved_states": list(states),
        }
    ]
    records.agents.add(
        npn=npn,
        email=f"agent{npn}@agents.example",
        downstream_entity_association_id=agency.id,
        authority=authority if states else (),
    )
    for state in states:
        _permit(records, npn, state)
    return npn


def _permit(records: EntityRecords, npn: str, state: str) -> None:
    records.licenses.add(npn=npn, state_code=state)
    records.appointments.add(npn=npn, state_code=state)


_SEEDS: dict[SeedData, Callable[[EntityRecords], None]] = {
    "small_agency": _small_agency,
    "national_network": _national_network,
    "messy": _messy,
}
