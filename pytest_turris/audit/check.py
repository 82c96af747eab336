"""A check of the audit, as data. Passive rules add a function."""

from dataclasses import dataclass

from pytest_turris.core.levels import Level
from pytest_turris.core.text.docs_links import page


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditCheck:
    """One check of the audit; the members are those of every check."""

    id: str
    title: str
    level: Level
    does: str
    why: str
    fix: str
    source: str

    @property
    def help_uri(self) -> str:
        """The check on the page of all of them."""
        return page("reference/audit-checks", self.id.lower())
