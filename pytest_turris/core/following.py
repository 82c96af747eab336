"""Several processes with one state: each takes over the others' changes, row by row."""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from pytest_turris.core.changes import Row
from pytest_turris.core.outbox.network_faults import NetworkFaults

if TYPE_CHECKING:
    from pytest_turris.core.outbox.outbox import Outbox
    from pytest_turris.core.sandbox import Sandbox

_MICROSECOND = dt.timedelta(microseconds=1)


def kept_facts(sandbox: "Sandbox") -> dict[str, Any]:
    """The state outside the rows, which changes often, as JSON data."""
    few = {part: value for part, _, value in sandbox.state.few_rows()}
    few["journal"] = {"seen": sandbox.journal.seen}
    return few


def shared_facts(self: "Sandbox") -> dict[str, Any]:
    """Those facts, with what only ``follow`` needs."""
    network = self.state.outbox.network_faults
    return kept_facts(self) | {
        "carried_out": self._entity.carried_out,
        "network": {
            "seed": network.seed,
            "duplicate": network.duplicate,
            "drop": network.drop,
            "reorder": network.reorder,
            "delay": network.delay // _MICROSECOND,
        },
    }


def follow(
    self: "Sandbox",
    facts: dict[str, Any],
    rows: Iterable[Row],
    exchanges: Iterable[tuple[int, str]],
) -> None:
    """Take over what other processes changed since the last time.

    Args:
        self: The sandbox.
        facts: What ``shared_facts`` returned there.
        rows: The rows that have changed, in the order in which they were made.
        exchanges: The exchanges since then: their numbers, and what they are in JSON.
    """
    part_of = self.state.part
    entity, outbox = part_of("entity"), self.state.outbox
    offset = dt.timedelta(microseconds=facts["sandbox"]["clock"]["offset_us"])
    if offset != self.clock.offset:
        self.clock.follow(offset)
    self.token_requests = int(facts["sandbox"]["token_requests"])
    self.faults.made = int(facts["sandbox"]["faults_made"])
    self.randomness.restore(facts["randomness"])
    entity.take_over_facts(facts["entity"], facts["carried_out"])
    network = facts["network"] | {"delay": facts["network"]["delay"] * _MICROSECOND}
    outbox.network_faults = NetworkFaults(**network)
    for part, key, value in rows:
        owner, _, member = part.partition(".")
        if member or owner == "outbox":
            part_of(owner).take_over(member, key, value)
        elif owner == "faults":
            made = self.faults.made
            self.faults.restore(value)
            self.faults.made = made
        else:
            part_of(owner).take_over(key, value)
    client = self.credentials.client(facts["sandbox"]["client"])
    if client is not None and client is not self.client:
        self.client = client
        self.limits.default_credential = client.client_id
    self.journal.take_over(int(facts["journal"]["seen"]), exchanges)


def follow_whole(self: "Sandbox", snapshot: dict[str, Any], facts: dict[str, Any]) -> None:
    """Restore a snapshot of another process, and keep sending what this process sends now.

    Args:
        self: The sandbox.
        snapshot: The whole state.
        facts: What ``shared_facts`` returned with it.
    """
    outbox = self.state.outbox
    in_flight = outbox.in_flight
    self.restore(snapshot)
    follow(self, facts, (), ())
    outbox.stay_in_flight(in_flight)


def next_due(self: "Sandbox", *, but: Collection[int] = ()) -> dt.datetime | None:
    """When the next webhook is to be sent, except some deliveries by number.

    None if nothing happens until the next call.
    """
    outbox: Outbox | None = vars(self).get("_outbox")
    if outbox is None:
        return None  # without a webhook, nothing happens by itself
    if outbox.resends_wait:
        return self.clock.now()
    moments = [outbox.next_due(but=but)]
    if len(outbox.endpoints):
        moments.append(self._entity.next_due)
    return min(filter(None, moments), default=None)
