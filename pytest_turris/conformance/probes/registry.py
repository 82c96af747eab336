"""Which probe observes which rule."""

from collections.abc import Callable

from pytest_turris.conformance.driver import Flow
from pytest_turris.conformance.harness import Lab

Probe = Callable[[Lab], Flow[None]]

PROBES: dict[str, Probe] = {}


def probe(rule_id: str) -> Callable[[Probe], Probe]:
    """Register a probe: it returns if the client keeps the rule, else raises ``BrokenError``."""

    def register(function: Probe) -> Probe:
        PROBES[rule_id] = function
        return function

    return register
