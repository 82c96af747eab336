"""Regulatory actions of states against agents, as NIPR reports them.

The members and their order are documented (RegulatoryActionResponse).
"""

import datetime as dt
from typing import ClassVar

from pydantic import Field

from pytest_turris.core.resources.collection import Collection
from pytest_turris.core.resources.index import Indexes
from pytest_turris.core.resources.members import suggest_keywords
from pytest_turris.core.resources.record import Record
from pytest_turris.core.wire.model import Amount, ObjectId, StateCode, Timestamp


class RegulatoryAction(Record):
    """One action; amounts in US dollars, lengths in days."""

    nipr_data_subscription_id: ObjectId
    npn: str
    state_code: StateCode
    action_id: str
    penalty_fine_forfeiture_in_usd: Amount = Field(default=0, alias="penaltyFineForfeitureInUSD")
    length_of_order_in_days: int = 0
    id: ObjectId = Field(alias="_id")
    origin_of_action: str | None = None
    reason_for_action: str | None = None
    disposition: str | None = None
    date_of_action: Timestamp | None = None
    effective_date: Timestamp | None = None
    enter_date: Timestamp | None = None
    file_ref: str | None = None
    updated_at: Timestamp | None = None
    created_at: Timestamp | None = None

    @property
    def key(self) -> str:
        """The ``_id``."""
        return self.id


class RegulatoryActions(Collection[RegulatoryAction]):
    """The regulatory actions that NIPR knows, by NPN."""

    kind = RegulatoryAction
    indexes: ClassVar[Indexes] = {"npn": lambda action: [action.npn]}

    @suggest_keywords
    def add(
        self,
        *,
        npn: str,
        state_code: str = "CA",
        action_id: str | None = None,
        penalty_fine_forfeiture_in_usd: float = 0,
        length_of_order_in_days: int = 0,
        origin_of_action: str | None = "Department of Insurance",
        reason_for_action: str | None = "Failure to respond",
        disposition: str | None = "Fine",
        date_of_action: dt.datetime | None = None,
        effective_date: dt.datetime | None = None,
        enter_date: dt.datetime | None = None,
        file_ref: str | None = None,
    ) -> RegulatoryAction:
        """Add an action against the holder of an NPN, by default as of now.

        Raises:
            RecordError: A value does not fit, such as an unknown state.
        """
        now = self._clock.now()
        return self.make(
            nipr_data_subscription_id=self._randomness.object_id(),
            npn=npn,
            state_code=state_code,
            action_id=action_id or self._randomness.number("regulatory action", 6),
            penalty_fine_forfeiture_in_usd=penalty_fine_forfeiture_in_usd,
            length_of_order_in_days=length_of_order_in_days,
            id=self._randomness.object_id(),
            origin_of_action=origin_of_action,
            reason_for_action=reason_for_action,
            disposition=disposition,
            date_of_action=date_of_action or now,
            effective_date=effective_date or now,
            enter_date=enter_date or now,
            file_ref=file_ref,
            updated_at=now,
            created_at=now,
        )
