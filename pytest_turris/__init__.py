"""A pytest plugin that stands in for the Turris public API.

The names below are for annotations and direct use; a test gets what it needs from fixtures.
They are loaded when first asked for, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_turris.core.errors import TurrisKitError
    from pytest_turris.core.options import OptionError, Options
    from pytest_turris.core.sandbox import Sandbox
    from pytest_turris.doors.sockets.pool import Server
    from pytest_turris.findings.errors import CheckFailedError, CheckWarning, NotObservedError
    from pytest_turris.fixtures.hostile_answer import HostileCase
    from pytest_turris.fixtures.token_case import TokenCase
    from pytest_turris.fixtures.webhook_attack import AttackRun
    from pytest_turris.fixtures.webhooks import TurrisWebhooks
    from pytest_turris.time_travel.travel import TimeTravel
    from pytest_turris.webhooks.signature import SignatureScheme
    from pytest_turris.webhooks.signed import SignedWebhook

_HOMES = {
    "AttackRun": "pytest_turris.fixtures.webhook_attack",
    "CheckFailedError": "pytest_turris.findings.errors",
    "CheckWarning": "pytest_turris.findings.errors",
    "HostileCase": "pytest_turris.fixtures.hostile_answer",
    "NotObservedError": "pytest_turris.findings.errors",
    "OptionError": "pytest_turris.core.options",
    "Options": "pytest_turris.core.options",
    "Sandbox": "pytest_turris.core.sandbox",
    "Server": "pytest_turris.doors.sockets.pool",
    "SignatureScheme": "pytest_turris.webhooks.signature",
    "SignedWebhook": "pytest_turris.webhooks.signed",
    "TimeTravel": "pytest_turris.time_travel.travel",
    "TokenCase": "pytest_turris.fixtures.token_case",
    "TurrisKitError": "pytest_turris.core.errors",
    "TurrisWebhooks": "pytest_turris.fixtures.webhooks",
}

__all__ = [
    "AttackRun",
    "CheckFailedError",
    "CheckWarning",
    "HostileCase",
    "NotObservedError",
    "OptionError",
    "Options",
    "Sandbox",
    "Server",
    "SignatureScheme",
    "SignedWebhook",
    "TimeTravel",
    "TokenCase",
    "TurrisKitError",
    "TurrisWebhooks",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names above
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
