"""Policies: what was sold, as ingested from uploaded files, from one or more transactions.

Members and their order are documented (policies/list-policies); the values of
``entityMatchStatus`` and ``productMatchStatus`` other than the two seen are assumed.
"""

import datetime as dt
from typing import Any, ClassVar, Literal

from pydantic import Field

from pytest_turris.core.clock import later
from pytest_turris.core.resources.collection import Collection
from pytest_turris.core.resources.index import Indexes
from pytest_turris.core.resources.members import suggest_keywords
from pytest_turris.core.resources.record import Record, WireModel
from pytest_turris.core.wire.model import Amount, ObjectId, StateCode, Timestamp

PolicyStatus = Literal["bound", "active", "expired", "cancelled", "non renewed"]
TransactionType = Literal["New", "Renewal", "Endorsement", "Cancellation", "Audit"]
_DECIDING = ("New", "Renewal", "Cancellation")


class Transaction(WireModel):
    """One row of an uploaded file."""

    type: TransactionType
    date: Timestamp


class Policy(Record):
    """A policy; amounts in US dollars.

    Unless ``current_status`` is set, a policy is shown as ``cancelled`` from the date of a
    Cancellation until that of a later New or Renewal, else as ``bound``, ``active`` or ``expired``
    by its dates (assumed). The order in which transactions were uploaded does not matter, except
    for those of one date.
    """

    internal_fields: ClassVar[frozenset[str]] = frozenset({"transactions", "is_deleted"})
    always_shown: ClassVar[frozenset[str]] = frozenset({"current_status"})

    id: ObjectId = Field(alias="_id")
    policy_number: str
    current_status: PolicyStatus | None = None
    risk_state_code: StateCode
    entity_match_status: str = "unmatched"
    product_match_status: str = "unmatched"
    transaction_count: int
    created_at: Timestamp
    updated_at: Timestamp
    insured_entity_name: str | None = None
    agency_name: str | None = None
    agency_npn: str | None = None
    agency_fein: str | None = None
    agency_license_number: str | None = None
    agency_licensed_state_code: str | None = None
    agent_name: str | None = None
    agent_npn: str | None = None
    agent_license_number: str | None = None
    agent_licensed_state: str | None = None
    carrier_name: str | None = None
    line_of_business: str | None = None
    producer_name: str | None = None
    producer_code: str | None = None
    product_name: str | None = None
    product_code: str | None = None
    effective_date: Timestamp | None = None
    expiry_date: Timestamp | None = None
    premium_amount_in_usd: Amount | None = Field(default=None, alias="premiumAmountInUSD")
    aggregate_coverage_in_usd: Amount | None = Field(default=None, alias="aggregateCoverageInUSD")
    coverage_per_claim_in_usd: Amount | None = Field(default=None, alias="coveragePerClaimInUSD")
    filing_number: str | None = None
    sla_number: str | None = None
    external_billing_id: str | None = None
    license_number: str | None = None
    npn: str | None = None
    transactions: list[Transaction] = Field(default_factory=list)
    is_deleted: bool = False

    @property
    def key(self) -> str:
        """The ``policyId``."""
        return self.id

    def status_at(self, moment: dt.datetime) -> PolicyStatus:
        """The ``currentStatus`` as it is shown at a moment."""
        if self.current_status is not None:
            return self.current_status
        if self._is_cancelled_at(moment):
            return "cancelled"
        if self.effective_date is not None and moment < self.effective_date:
            return "bound"
        expired = self.expiry_date is not None and moment >= self.expiry_date
        return "expired" if expired else "active"

    def _is_cancelled_at(self, moment: dt.datetime) -> bool:
        deciding = [
            transaction
            for transaction in self.transactions
            if transaction.type in _DECIDING and transaction.date <= moment
        ]
        # Of transactions with one date, the last one counts.
        latest = max(reversed(deciding), key=lambda one: one.date, default=None)
        return latest is not None and latest.type == "Cancellation"


OPTIONAL_MEMBERS = tuple(Policy.model_fields)[9:-2]
"""From ``insured_entity_name`` to ``npn``: the optional columns of an uploaded file."""


class Policies(Collection[Policy]):
    """The policies of the upstream entity, soft-deleted ones included."""

    kind = Policy
    indexes: ClassVar[Indexes] = {
        "policy_number": lambda policy: [policy.policy_number],
        "risk_state_code": lambda policy: [policy.risk_state_code],
        "is_deleted": lambda policy: ["true" if policy.is_deleted else "false"],
    }

    @suggest_keywords
    def add(
        self,
        *,
        policy_number: str | None = None,
        risk_state_code: str = "CA",
        current_status: PolicyStatus | None = None,
        entity_match_status: str = "auto matched",
        product_match_status: str = "unmatched",
        is_deleted: bool = False,
        insured_entity_name: str | None = "Acme Corp",
        agency_name: str | None = None,
        agency_npn: str | None = None,
        agency_fein: str | None = None,
        agency_license_number: str | None = None,
        agency_licensed_state_code: str | None = None,
        agent_name: str | None = None,
        agent_npn: str | None = None,
        agent_license_number: str | None = None,
        agent_licensed_state: str | None = None,
        carrier_name: str | None = "National Insurance Co",
        line_of_business: str | None = "Commercial Lines",
        producer_name: str | None = None,
        producer_code: str | None = None,
        product_name: str | None = "General Liability",
        product_code: str | None = None,
        effective_date: dt.datetime | None = None,
        expiry_date: dt.datetime | None = None,
        premium_amount_in_usd: float | None = 5000,
        aggregate_coverage_in_usd: float | None = None,
        coverage_per_claim_in_usd: float | None = None,
        filing_number: str | None = None,
        sla_number: str | None = None,
        external_billing_id: str | None = None,
        license_number: str | None = None,
        npn: str | None = None,
    ) -> Policy:
        """Add a policy of one transaction, by default one in the middle of its year.

        Raises:
            RecordError: A value does not fit, such as an unknown state.
        """
        return self._make_new({k: v for k, v in locals().items() if k != "self"})

    def _make_new(self, given: dict[str, Any]) -> Policy:
        """Complete what ``add`` was given: a number, the dates and the first transaction."""
        now, half = self._clock.now(), dt.timedelta(days=182)
        effective = given["effective_date"] or now - half
        number = given["policy_number"] or f"POL-{now:%Y}-{self._randomness.number('policy', 6)}"
        return self.make(
            **given
            | {
                "id": self._randomness.object_id(),
                "policy_number": number,
                "effective_date": effective,
                "expiry_date": given["expiry_date"] or later(effective, 2 * half),
                "transaction_count": 1,
                "transactions": [{"type": "New", "date": effective}],
                "created_at": now,
                "updated_at": now,
            }
        )

    def ingest(self, policy_number: str, at: dt.datetime, members: dict[str, Any]) -> Policy:
        """Add a policy from the rows with its number in a file."""
        return self.make(
            id=self._randomness.object_id(),
            policy_number=policy_number,
            **{"created_at": at} | members,
        )

    def numbered(self, policy_number: str) -> Policy | None:
        """The policy with a number that is not deleted, or None."""
        return self.one_where(policy_number=policy_number, is_deleted="false")
