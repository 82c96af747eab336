"""Any sequence of documented calls keeps the state consistent."""

import datetime as dt
import json
from typing import Any

from doubles.api_recipes import ADDITION, CSV, Sent, World, as_request, form, in_json
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pytest_turris.core.sandbox import Sandbox

DEA = "/v1/downstream-entity-associations"
SMALL = st.integers(min_value=1, max_value=4)


class SandboxMachine(RuleBasedStateMachine):
    """Creates, lists, moves the clock, and goes through a snapshot in the middle."""

    @initialize()
    def begin(self) -> None:
        """An empty sandbox, and a model of what is in it."""
        self.world = World()
        self.sandbox = self.world.sandbox
        self.agents: dict[str, str] = {entry.npn: entry.id for entry in self.sandbox.agents}
        self.associations = {association.id for association in self.sandbox.associations}
        self.policies = {policy.policy_number for policy in self.sandbox.policies}

    def call(self, method: str, target: str, document: object = None) -> Any:  # noqa: ANN401 - JSON
        """The payload of a success."""
        headers, body = in_json(document) if document is not None else ({}, b"")
        return self.send(Sent(method, target, headers, body))

    def send(self, sent: Sent) -> Any:  # noqa: ANN401 - JSON
        """The payload of a success, for any body."""
        self.sandbox.limits.reset()
        token = self.sandbox.tokens.issue(self.sandbox.client).text
        headers = sent.headers | {"authorization": f"Bearer {token}"}
        response = self.sandbox.handle(
            as_request(Sent(sent.method, sent.target, headers, sent.body))
        )
        assert response.status in (200, 201), response.body
        return response.json()["data"] if response.body else None

    @rule(number=SMALL)
    def create_agent(self, number: int) -> None:
        """An NPN that is known gives the same agent."""
        npn = f"9{number}"
        entry = self.call("POST", "/v1/agents", {"npn": npn})
        assert self.agents.setdefault(npn, entry["agent"]["_id"]) == entry["agent"]["_id"]
        (found,) = self.call("GET", f"/v1/agents?npn={npn}")
        assert found == entry

    @rule(number=SMALL)
    def add_association(self, number: int) -> None:
        """It is found by each of its filters."""
        document = ADDITION | {
            "downstreamEntityNpn": f"8{number}",
            "email": f"p{number}@d{number}.example",
        }
        made = self.call("POST", f"{DEA}/add", document)
        self.associations.add(made["_id"])
        for query in (f"downstreamEntityNpn=8{number}", f"email=p{number}@d{number}.example",
                      f"emailDomain=d{number}.example"):  # fmt: skip
            assert made in self.call("GET", f"{DEA}?{query}")

    @rule(number=SMALL)
    def license(self, number: int) -> None:
        """A license makes its holder findable by number and state."""
        held = self.sandbox.licenses.add(
            npn=f"9{number}",
            expiration_date=self.sandbox.clock.now() + dt.timedelta(days=number),
        )
        self.sandbox.clock.advance(minutes=10)  # until the first fetch of each agent is done
        query = f"licenseNumber={held.license_number}&stateCode=CA"
        found = self.call("GET", f"/v1/agents?{query}")
        assert [entry["agent"]["npn"] for entry in found] == [
            npn for npn in self.agents if npn == held.npn
        ]

    @rule()
    def sync(self) -> None:
        """Queued for every agent."""
        for agent_id in self.agents.values():
            self.call("POST", f"/v1/agents/{agent_id}/sync")

    @rule(number=SMALL)
    def upload(self, number: int) -> None:
        """A file's rows take effect once it is processed."""
        headers, body = form({}, CSV.replace(b"POL-1", f"POL-{number}".encode()), "text/csv")
        made = self.send(Sent("POST", "/v1/policies/upload", headers, body))
        self.sandbox.clock.advance(seconds=10)
        done = self.call("GET", f"/v1/policies/uploads/{made['uploadId']}")
        assert done["status"] == "COMPLETED"
        assert done["created"] == (f"POL-{number}" not in self.policies)
        self.policies.add(f"POL-{number}")

    @rule(hours=st.integers(min_value=0, max_value=30))
    def wait(self, hours: int) -> None:
        """Time passes."""
        self.sandbox.clock.advance(hours=hours)

    @rule()
    def go_through_a_snapshot(self) -> None:
        """Another sandbox takes over without a difference."""
        snapshot = json.loads(json.dumps(self.sandbox.snapshot()))
        successor = Sandbox()
        successor.restore(snapshot)
        assert successor.snapshot() == snapshot
        self.sandbox = successor

    @invariant()
    def counts_add_up(self) -> None:
        """The lists hold what was created, and nothing else."""
        npns = [entry["agent"]["npn"] for entry in self.call("GET", "/v1/agents")]
        assert npns == list(self.agents)
        found = self.call("GET", DEA)
        assert {association["_id"] for association in found} == self.associations
        assert {row["policyNumber"] for row in self.call("GET", "/v1/policies")} == self.policies
        people = self.call("GET", "/v1/contacts")
        assert {
            relation["downstreamEntityAssociationId"]
            for person in people
            for relation in person["associations"]
        } == self.associations

    @invariant()
    def events_are_in_order(self) -> None:
        """Numbered without a gap, and in the order of their moments."""
        events = list(self.sandbox.events)
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        assert [event.at for event in events] == sorted(event.at for event in events)


SandboxMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
TestSandbox = SandboxMachine.TestCase
TestSandbox.__doc__ = "What was created is found by each of its filters; counts add up."
