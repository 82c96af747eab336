"""A pytest plugin that stands in for the Turris public API.

The names below are for annotations and direct use; a test gets what it needs from fixtures.
They are loaded when first asked for, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import Any

# Type checkers read ``__init__.pyi``. Text, because every run of every user loads this module, and
# imports or a dictionary take longer to load.
_HOMES = """
attacks.hooks HookError
audit.declarations DeclarationError
audit.drills.served DrillError
conformance.errors CaseError
core.access.allowlist AllowlistError
core.access.credential CredentialError
core.clock ClockError
core.errors TurrisKitError TurrisKitWarning UnknownNameError
core.faults.fault FaultError
core.checks.fresh_state StrictFailureError
core.checks.strictness MisspeltNameWarning
core.journal.expectations RefusalExpected
core.middleware.limits RateWindowError
core.unknowns.option_values OptionError
core.options Options
core.outbox.network_faults NetworkFaultError
core.outbox.retry_schedules RetryScheduleError
core.resources.record RecordError UnknownRecordError
core.sandbox Sandbox
core.snapshots.errors SnapshotError
core.tenants NoSandboxError
doors.sockets.pool Server
doors.sockets.server ServerError
doors.without_pytest sandbox
findings.errors CheckFailedError CheckWarning IgnoreError NotObservedError
fixtures.audit TurrisAudit
fixtures.hostile_answer HostileCase
fixtures.token_case TokenCase
fixtures.webhook_attack AttackRun
fixtures.webhooks NotAWebhookError TurrisWebhooks
hooks.network_guard RealHostError
process.c_function CFunctionError
receivers.address TargetError
receivers.egress EgressRefused
receivers.in_process.django_database TransactionError
receivers.in_process.lambdas LambdaReceiver
receivers.in_process.lifespan StartupError
time_travel.engines EngineError
time_travel.sleeps SleptTooLongError
time_travel.travel NoTokenError TimeTravel
webhooks.engine DeliveryError
webhooks.factory EventValueError
webhooks.learning.delivery DeliveryFormatError
webhooks.learning.learned LearnedSignature learn_signature
webhooks.overrides EventMemberError
webhooks.signature MomentError SchemeError SignatureError SignatureScheme
webhooks.signed SignedWebhook
webhooks.tampering TamperingError
"""


def _homes() -> dict[str, str]:
    rows = [line.split() for line in _HOMES.strip().splitlines()]
    return {name: f"{__name__}.{home}" for home, *names in rows for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names above
    homes = _homes()
    if name == "__all__":
        return sorted(homes)
    if name not in homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(homes[name]), name)


def __dir__() -> list[str]:
    return sorted(_homes())
