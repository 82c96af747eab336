"""E&O and Cyber coverage: an agency's own insurance, as the policy compliance page shows it.

The fourteen members are documented (eo-cyber-compliance/get-policy-compliance); the values of
``collectionStatus`` and ``dataExtractionStatus`` are assumed.
"""

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar, Literal, get_args

from pydantic import Field

from pytest_turris.core.clock import later
from pytest_turris.core.resources.associations import Associations
from pytest_turris.core.resources.collection import (
    Collection,
)
from pytest_turris.core.resources.index import Indexes
from pytest_turris.core.resources.members import suggest_keywords
from pytest_turris.core.resources.record import Record, RecordError
from pytest_turris.core.wire.model import Amount, ObjectId, Timestamp

CoverageKind = Literal["E&O", "Cyber"]


class Coverage(Record):
    """One policy of an agency; amounts in US dollars.

    ``collectionStatus`` is shown as ``upcoming``, ``active`` or ``expired`` by the policy's
    dates, and as ``received`` while they are not known yet. One policy may cover several agencies
    (help centre): ``shared_with`` has the others.
    """

    internal_fields: ClassVar[frozenset[str]] = frozenset(
        {"coverage_kind", "downstream_entity_association_id", "shared_with", "extraction_due"}
    )
    always_shown: ClassVar[frozenset[str]] = frozenset({"collection_status"})

    id: ObjectId = Field(alias="_id")
    primary_insured: str | None = None
    other_insured: list[str] | None = None
    carrier_name: str | None = None
    effective_date: Timestamp | None = None
    expiry_date: Timestamp | None = None
    aggregate_coverage_in_usd: Amount | None = Field(default=None, alias="aggregateCoverageInUSD")
    coverage_per_claim_in_usd: Amount | None = Field(default=None, alias="coveragePerClaimInUSD")
    data_extraction_status: str = "completed"
    policy_number: str | None = None
    received_date: Timestamp | None = None
    collection_status: str | None = None
    created_at: Timestamp
    updated_at: Timestamp
    coverage_kind: CoverageKind
    downstream_entity_association_id: ObjectId
    shared_with: list[ObjectId] = Field(default_factory=list)
    extraction_due: Timestamp | None = None

    @property
    def key(self) -> str:
        """The ``_id``."""
        return self.id

    def status_at(self, moment: dt.datetime) -> str:
        """The ``collectionStatus`` as it is shown at a moment."""
        if self.collection_status is not None:
            return self.collection_status
        if self.effective_date is None or self.expiry_date is None:
            return "received"
        if moment < self.effective_date:
            return "upcoming"
        return "active" if moment < self.expiry_date else "expired"


class Coverages(Collection[Coverage]):
    """The E&O and Cyber policies of the agencies."""

    kind = Coverage
    indexes: ClassVar[Indexes] = {
        "association": lambda held: [held.downstream_entity_association_id, *held.shared_with],
        "coverage_kind": lambda held: [held.coverage_kind],
    }

    @property
    def _associations(self) -> Associations:
        return self._holder.collection(Associations)

    @suggest_keywords
    def add(
        self,
        *,
        downstream_entity_association_id: str,
        coverage_kind: CoverageKind = "E&O",
        effective_date: dt.datetime | None = None,
        expiry_date: dt.datetime | None = None,
        primary_insured: str | None = None,
        other_insured: list[str] | None = None,
        carrier_name: str = "National Insurance Co",
        aggregate_coverage_in_usd: float = 1_000_000,
        coverage_per_claim_in_usd: float = 500_000,
        policy_number: str | None = None,
        collection_status: str | None = None,
        shared_with: Iterable[str] = (),
    ) -> Coverage:
        """Add a policy of an agency, by default one in the middle of its year.

        ``shared_with`` names the other agencies that it covers.

        Raises:
            RecordError: A value does not fit, or there is no such association.
        """
        others = list(shared_with)
        for association_id in (downstream_entity_association_id, *others):
            if self._associations.find(association_id) is None:
                raise RecordError(f"no association with id {association_id!r}; add it first")
        association = self._associations.get(downstream_entity_association_id)
        now, half = self._clock.now(), dt.timedelta(days=182)
        return self.make(
            id=self._randomness.object_id(),
            primary_insured=primary_insured or association.downstream_entity.legal_name,
            other_insured=other_insured or [],
            carrier_name=carrier_name,
            effective_date=effective_date or now - half,
            expiry_date=expiry_date or later(now, half),
            aggregate_coverage_in_usd=aggregate_coverage_in_usd,
            coverage_per_claim_in_usd=coverage_per_claim_in_usd,
            policy_number=policy_number or f"EO-{self._randomness.number('coverage', 6)}",
            received_date=now,
            collection_status=collection_status,
            created_at=now,
            updated_at=now,
            coverage_kind=coverage_kind,
            downstream_entity_association_id=association.id,
            shared_with=others,
        )

    def receive(self, association_id: str, coverage_kind: CoverageKind) -> Coverage:
        """Add a policy whose PDF was uploaded and has not been read yet."""
        now = self._clock.now()
        return self.make(
            id=self._randomness.object_id(),
            data_extraction_status="queued",
            received_date=now,
            created_at=now,
            updated_at=now,
            coverage_kind=coverage_kind,
            downstream_entity_association_id=association_id,
            extraction_due=later(now, self._holder.options.extraction_duration),
        )

    def read(self, coverage: Coverage, at: dt.datetime) -> Coverage:
        """Finish reading an uploaded policy: its data is generated, like that of ``add``."""
        half = dt.timedelta(days=182)
        association = self._associations.get(coverage.downstream_entity_association_id)
        return self.update(
            coverage,
            data_extraction_status="completed",
            primary_insured=association.downstream_entity.legal_name,
            other_insured=[],
            carrier_name="National Insurance Co",
            effective_date=at - half,
            expiry_date=later(at, half),
            aggregate_coverage_in_usd=1_000_000,
            coverage_per_claim_in_usd=500_000,
            policy_number=f"EO-{self._randomness.number('coverage', 6)}",
            extraction_due=None,
            updated_at=at,
        )

    def leave(self, association_id: str) -> None:
        """Remove an agency from its policies, and those that cover no other agency."""
        for held in self.where(association=association_id):
            others = [
                one
                for one in (held.downstream_entity_association_id, *held.shared_with)
                if one != association_id
            ]
            if others:
                first, *rest = others
                self.update(held, downstream_entity_association_id=first, shared_with=rest)
            else:
                self.remove(held)

    def current(
        self, association_id: str, coverage_kind: CoverageKind, moment: dt.datetime
    ) -> Coverage | None:
        """The policy that is shown: one in force, else the one that ends last.

        Raises:
            RecordError: There is no such kind of coverage.
        """
        if coverage_kind not in get_args(CoverageKind):
            raise RecordError(f"coverage_kind={coverage_kind!r} is not 'E&O' or 'Cyber'")
        held = self.where(association=association_id, coverage_kind=coverage_kind)
        never = dt.datetime.min.replace(tzinfo=dt.UTC)
        return max(
            held,
            key=lambda policy: (
                policy.status_at(moment) == "active",
                policy.expiry_date or never,
                policy.created_at,
            ),
            default=None,
        )
