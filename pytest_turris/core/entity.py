"""The upstream entity: whose records they are, and one collection for each kind."""

from typing import Any

from pytest_turris.core.clock import Clock
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.resources.agents import Agents
from pytest_turris.core.resources.associations import Associations
from pytest_turris.core.resources.licenses import Licenses


class UpstreamEntity:
    """A carrier, MGA or wholesaler with its network. Empty until something is added."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self.id = randomness.object_id()
        self.clock = clock
        self.randomness = randomness
        self.licenses = Licenses(clock, randomness)
        self.associations = Associations(clock, randomness, self.id)
        self.agents = Agents(clock, randomness, self.id, self.associations)

    def snapshot(self) -> dict[str, Any]:
        """All records as JSON data."""
        return {"id": self.id} | {
            name: getattr(self, name).snapshot() for name in self._collections()
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Replace all records by a snapshot's."""
        self.id = data["id"]
        self.associations.upstream_entity_id = self.agents.upstream_entity_id = self.id
        for name in self._collections():
            getattr(self, name).restore(data[name])

    @staticmethod
    def _collections() -> tuple[str, ...]:
        return "licenses", "associations", "agents"
