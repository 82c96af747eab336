"""What the operations on NIPR data share: the filters and the id of the subscription."""

from pytest_turris.core.entity.records import Owner
from pytest_turris.core.resources.appointments import ACTIVE
from pytest_turris.core.wire.model import RequestModel, StateCode


class StateAndStatusQuery(RequestModel):
    """Both filters are optional (documented)."""

    state_code: StateCode | None = None
    status: str | None = None

    def matches(self, state: str, status: str) -> bool:
        """Whether a record passes both filters; the two words for active mean the same."""
        if self.state_code not in (None, state):
            return False
        return self.status in (None, status) or (self.status in ACTIVE and status in ACTIVE)


def subscription_of(owner: Owner) -> dict[str, str]:
    """The id of an owner's NIPR data subscription, as a member to show; empty without one."""
    subscription = owner.nipr_data_subscription
    return {"nipr_data_subscription_id": subscription.id} if subscription else {}
