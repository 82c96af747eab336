"""What a rule for token clients is: data about it, and the probe that puts it to a client."""

from collections.abc import Callable
from dataclasses import dataclass

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.core.levels import Level
from pytest_turris.core.text.docs_links import page

Probe = Callable[[ClientHarness], ProbeSteps[None]]
"""Returns if the client keeps the rule, else raises ``ViolationError``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule.

    Args:
        id: ``TC-05``; never used for anything else.
        title: What a client must do.
        does: What the probe does.
        why: What goes wrong for a client that breaks it.
        fix: How to fix a client.
        usual_bug: How clients come to break it.
        source: Where the rule is from; "vendor" is docs.turrisfi.com, guides/security unless
            it names another page.
        level: ``must`` fails the test, ``should`` warns, ``info`` is shown at the end of the run.
        needs: What the test has to give besides the call.
        probe: Puts the rule to a client.
    """

    id: str
    title: str
    does: str
    why: str
    fix: str
    usual_bug: str
    source: str
    level: Level
    needs: str
    probe: Probe

    @property
    def help_uri(self) -> str:
        """The rule on the page of all rules."""
        return page("reference/token-rules", self.id.lower())


class RuleFamily:
    """The rules of one file, in the order in which they are written down."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def rule(
        self,
        id_: str,
        title: str,
        *,
        does: str,
        why: str,
        fix: str,
        usual_bug: str,
        source: str,
        level: Level = "must",
        needs: str = "",
    ) -> Callable[[Probe], Probe]:
        """Add a rule with the decorated function as its probe."""

        def add(probe: Probe) -> Probe:
            self.rules.append(
                Rule(
                    id=id_,
                    title=title,
                    does=does,
                    why=why,
                    fix=fix,
                    usual_bug=usual_bug,
                    source=source,
                    level=level,
                    needs=needs,
                    probe=probe,
                )
            )
            return probe

        return add
