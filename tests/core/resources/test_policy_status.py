"""The status of a policy follows the dates of its transactions, not the order of their rows."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.core.resources.policies import Policy, TransactionType
from pytest_turris.core.sandbox import Sandbox

DAY = dt.timedelta(days=1)
START = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def policy_with(*transactions: tuple[TransactionType, int]) -> Policy:
    """A policy with transactions, each so many days after the first of June."""
    policies = Sandbox().policies
    policy = policies.add(effective_date=START, expiry_date=START + 365 * DAY)
    rows = [{"type": kind, "date": START + days * DAY} for kind, days in transactions]
    return policies.update(policy, transactions=rows)


@pytest.mark.parametrize(
    ("transactions", "day", "status"),
    [
        ([("New", 0), ("Cancellation", 90), ("Endorsement", 30)], 100, "cancelled"),
        ([("Cancellation", 90), ("New", 0)], 100, "cancelled"),
        ([("New", 0), ("Cancellation", 90)], 89, "active"),
        ([("New", 0), ("Cancellation", 90)], 90, "cancelled"),
        ([("New", 0), ("Cancellation", 90), ("Audit", 120)], 130, "cancelled"),
        ([("New", 0), ("Cancellation", 90), ("Renewal", 100)], 130, "active"),
        ([("New", 5), ("Cancellation", 5)], 6, "cancelled"),
        ([("Cancellation", 5), ("New", 5)], 6, "active"),
        ([("New", 0)], 400, "expired"),
    ],
)
def test_status_follows_the_dates(
    transactions: list[tuple[TransactionType, int]], day: int, status: str
) -> None:
    """A cancellation holds from its date until a later New or Renewal."""
    assert policy_with(*transactions).status_at(START + day * DAY) == status


KINDS: st.SearchStrategy[TransactionType] = st.sampled_from(
    ["New", "Renewal", "Endorsement", "Cancellation", "Audit"]
)


@given(st.lists(st.tuples(KINDS, st.integers(0, 300)), unique_by=lambda one: one[1]), st.data())
def test_order_of_rows_does_not_matter(
    transactions: list[tuple[TransactionType, int]], data: st.DataObject
) -> None:
    """Whatever the order in which transactions of different dates came."""
    other = data.draw(st.permutations(transactions))
    moment = START + data.draw(st.integers(0, 400)) * DAY
    assert policy_with(*transactions).status_at(moment) == policy_with(*other).status_at(moment)
