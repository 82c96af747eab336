"""What a test adds, reads and changes by hand: a sandbox' records by their Turris words."""

import threading

from pytest_turris.core.entity.entity import UpstreamEntity
from pytest_turris.core.entity.events import EventLog
from pytest_turris.core.resources.agents import Agents
from pytest_turris.core.resources.appointments import Appointments
from pytest_turris.core.resources.associations import Associations
from pytest_turris.core.resources.contacts import Contacts
from pytest_turris.core.resources.coverages import Coverages
from pytest_turris.core.resources.documents import FileDocuments
from pytest_turris.core.resources.licenses import Licenses
from pytest_turris.core.resources.npns import Npns
from pytest_turris.core.resources.policies import Policies
from pytest_turris.core.resources.products import Products
from pytest_turris.core.resources.regulatory_actions import RegulatoryActions
from pytest_turris.core.resources.templates import ContractContainerTemplates
from pytest_turris.core.resources.uploads import Uploads


class SandboxCollections:
    """The collections of a sandbox: ``add``, ``get``, ``update``, ``remove``, iterate.

    Whoever looks at one sees what has become due by now.
    """

    _entity: UpstreamEntity
    _lock: threading.RLock

    @property
    def agents(self) -> Agents:
        """The agents."""
        return self._settled.agents

    @property
    def associations(self) -> Associations:
        """The downstream entity associations."""
        return self._settled.associations

    @property
    def products(self) -> Products:
        """The products, with what they require."""
        return self._settled.products

    @property
    def licenses(self) -> Licenses:
        """The licenses that the sandbox' NIPR knows, by NPN."""
        return self._settled.licenses

    @property
    def appointments(self) -> Appointments:
        """The appointments that the sandbox' NIPR knows, by NPN."""
        return self._settled.appointments

    @property
    def regulatory_actions(self) -> RegulatoryActions:
        """The regulatory actions that the sandbox' NIPR knows, by NPN."""
        return self._settled.regulatory_actions

    @property
    def npns(self) -> Npns:
        """Whom an NPN lookup finds besides agents and agencies."""
        return self._settled.npns

    @property
    def contacts(self) -> Contacts:
        """The people at the agencies."""
        return self._settled.contacts

    @property
    def documents(self) -> FileDocuments:
        """The file documents."""
        return self._settled.documents

    @property
    def templates(self) -> ContractContainerTemplates:
        """The contract container templates."""
        return self._settled.templates

    @property
    def coverages(self) -> Coverages:
        """The agencies' E&O and Cyber policies."""
        return self._settled.coverages

    @property
    def policies(self) -> Policies:
        """The ingested policies."""
        return self._settled.policies

    @property
    def uploads(self) -> Uploads:
        """The uploaded policy files: get, iterate, clarify, cancel, fail."""
        return self._settled.uploads

    @property
    def events(self) -> EventLog:
        """What happened up to now, what became due meanwhile included."""
        return self._settled.events

    def settle(self) -> None:
        """Let happen what is due by now; every request and every change does so by itself."""
        with self._lock:
            self._entity.settle()

    @property
    def _settled(self) -> UpstreamEntity:
        self.settle()
        return self._entity
