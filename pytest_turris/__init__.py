"""A pytest plugin that stands in for the Turris public API.

The names below are for annotations and direct use; a test gets what it needs from fixtures.
They are loaded when first asked for, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_turris.attacks.context import HookError
    from pytest_turris.conformance.errors import CaseError
    from pytest_turris.core.access.allowlist import AllowlistError
    from pytest_turris.core.clock import ClockError
    from pytest_turris.core.errors import TurrisKitError, TurrisKitWarning, UnknownNameError
    from pytest_turris.core.faults.scripted import FaultError
    from pytest_turris.core.journal.expectations import RefusalExpected
    from pytest_turris.core.middleware.limits import RateWindowError
    from pytest_turris.core.option_values import OptionError
    from pytest_turris.core.options import Options
    from pytest_turris.core.outbox.network_faults import NetworkFaultError
    from pytest_turris.core.outbox.retry_schedules import RetryScheduleError
    from pytest_turris.core.resources.record import RecordError, UnknownRecordError
    from pytest_turris.core.sandbox import Sandbox, SnapshotError
    from pytest_turris.core.tenants import NoSandboxError
    from pytest_turris.doors.sockets.pool import Server
    from pytest_turris.doors.sockets.server import ServerError
    from pytest_turris.findings.errors import (
        CheckFailedError,
        CheckWarning,
        IgnoreError,
        NotObservedError,
    )
    from pytest_turris.fixtures.hostile_answer import HostileCase
    from pytest_turris.fixtures.token_case import TokenCase
    from pytest_turris.fixtures.webhook_attack import AttackRun
    from pytest_turris.fixtures.webhooks import NotAWebhookError, TurrisWebhooks
    from pytest_turris.hooks.network_guard import RealHostError
    from pytest_turris.process.c_function import CFunctionError
    from pytest_turris.receivers.django_database import TransactionError
    from pytest_turris.receivers.egress import EgressRefused
    from pytest_turris.receivers.lambdas import LambdaReceiver
    from pytest_turris.receivers.lifespan import StartupError
    from pytest_turris.receivers.target import TargetError
    from pytest_turris.time_travel.engines import EngineError
    from pytest_turris.time_travel.sleeps import SleptTooLongError
    from pytest_turris.time_travel.travel import NoTokenError, TimeTravel
    from pytest_turris.webhooks.engine import DeliveryError
    from pytest_turris.webhooks.factory import EventValueError
    from pytest_turris.webhooks.overrides import EventMemberError
    from pytest_turris.webhooks.signature import (
        MomentError,
        SchemeError,
        SignatureError,
        SignatureScheme,
    )
    from pytest_turris.webhooks.signed import SignedWebhook
    from pytest_turris.webhooks.tampering import TamperingError

_HOMES = {
    "AllowlistError": "pytest_turris.core.access.allowlist",
    "AttackRun": "pytest_turris.fixtures.webhook_attack",
    "CFunctionError": "pytest_turris.process.c_function",
    "CaseError": "pytest_turris.conformance.errors",
    "CheckFailedError": "pytest_turris.findings.errors",
    "CheckWarning": "pytest_turris.findings.errors",
    "ClockError": "pytest_turris.core.clock",
    "DeliveryError": "pytest_turris.webhooks.engine",
    "EgressRefused": "pytest_turris.receivers.egress",
    "EngineError": "pytest_turris.time_travel.engines",
    "EventMemberError": "pytest_turris.webhooks.overrides",
    "EventValueError": "pytest_turris.webhooks.factory",
    "FaultError": "pytest_turris.core.faults.scripted",
    "HookError": "pytest_turris.attacks.context",
    "HostileCase": "pytest_turris.fixtures.hostile_answer",
    "IgnoreError": "pytest_turris.findings.errors",
    "LambdaReceiver": "pytest_turris.receivers.lambdas",
    "MomentError": "pytest_turris.webhooks.signature",
    "NetworkFaultError": "pytest_turris.core.outbox.network_faults",
    "NoSandboxError": "pytest_turris.core.tenants",
    "NoTokenError": "pytest_turris.time_travel.travel",
    "NotAWebhookError": "pytest_turris.fixtures.webhooks",
    "NotObservedError": "pytest_turris.findings.errors",
    "OptionError": "pytest_turris.core.option_values",
    "Options": "pytest_turris.core.options",
    "RateWindowError": "pytest_turris.core.middleware.limits",
    "RealHostError": "pytest_turris.hooks.network_guard",
    "RecordError": "pytest_turris.core.resources.record",
    "RefusalExpected": "pytest_turris.core.journal.expectations",
    "RetryScheduleError": "pytest_turris.core.outbox.retry_schedules",
    "Sandbox": "pytest_turris.core.sandbox",
    "SchemeError": "pytest_turris.webhooks.signature",
    "Server": "pytest_turris.doors.sockets.pool",
    "ServerError": "pytest_turris.doors.sockets.server",
    "SignatureError": "pytest_turris.webhooks.signature",
    "SignatureScheme": "pytest_turris.webhooks.signature",
    "SignedWebhook": "pytest_turris.webhooks.signed",
    "SleptTooLongError": "pytest_turris.time_travel.sleeps",
    "SnapshotError": "pytest_turris.core.sandbox",
    "TamperingError": "pytest_turris.webhooks.tampering",
    "StartupError": "pytest_turris.receivers.lifespan",
    "TargetError": "pytest_turris.receivers.target",
    "TransactionError": "pytest_turris.receivers.django_database",
    "TimeTravel": "pytest_turris.time_travel.travel",
    "TokenCase": "pytest_turris.fixtures.token_case",
    "TurrisKitError": "pytest_turris.core.errors",
    "TurrisKitWarning": "pytest_turris.core.errors",
    "TurrisWebhooks": "pytest_turris.fixtures.webhooks",
    "UnknownNameError": "pytest_turris.core.errors",
    "UnknownRecordError": "pytest_turris.core.resources.record",
}

__all__ = [
    "AllowlistError",
    "AttackRun",
    "CFunctionError",
    "CaseError",
    "CheckFailedError",
    "CheckWarning",
    "ClockError",
    "DeliveryError",
    "EgressRefused",
    "EngineError",
    "EventMemberError",
    "EventValueError",
    "FaultError",
    "HookError",
    "HostileCase",
    "IgnoreError",
    "LambdaReceiver",
    "MomentError",
    "NetworkFaultError",
    "NoSandboxError",
    "NoTokenError",
    "NotAWebhookError",
    "NotObservedError",
    "OptionError",
    "Options",
    "RateWindowError",
    "RealHostError",
    "RecordError",
    "RefusalExpected",
    "RetryScheduleError",
    "Sandbox",
    "SchemeError",
    "Server",
    "ServerError",
    "SignatureError",
    "SignatureScheme",
    "SignedWebhook",
    "SleptTooLongError",
    "SnapshotError",
    "StartupError",
    "TamperingError",
    "TargetError",
    "TimeTravel",
    "TokenCase",
    "TransactionError",
    "TurrisKitError",
    "TurrisKitWarning",
    "TurrisWebhooks",
    "UnknownNameError",
    "UnknownRecordError",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names above
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
