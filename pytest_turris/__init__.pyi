# What type checkers read of the package: each public name and its home.
from pytest_turris.attacks.hooks import HookError as HookError
from pytest_turris.audit.declarations import DeclarationError as DeclarationError
from pytest_turris.audit.drills.served import DrillError as DrillError
from pytest_turris.conformance.errors import CaseError as CaseError
from pytest_turris.core.access.allowlist import AllowlistError as AllowlistError
from pytest_turris.core.access.credential import CredentialError as CredentialError
from pytest_turris.core.checks.fresh_state import StrictFailureError as StrictFailureError
from pytest_turris.core.checks.strictness import MisspeltNameWarning as MisspeltNameWarning
from pytest_turris.core.clock import ClockError as ClockError
from pytest_turris.core.errors import TurrisKitError as TurrisKitError
from pytest_turris.core.errors import TurrisKitWarning as TurrisKitWarning
from pytest_turris.core.errors import UnknownNameError as UnknownNameError
from pytest_turris.core.faults.fault import FaultError as FaultError
from pytest_turris.core.journal.expectations import RefusalExpected as RefusalExpected
from pytest_turris.core.middleware.limits import RateWindowError as RateWindowError
from pytest_turris.core.options import Options as Options
from pytest_turris.core.outbox.network_faults import NetworkFaultError as NetworkFaultError
from pytest_turris.core.outbox.retry_schedules import RetryScheduleError as RetryScheduleError
from pytest_turris.core.resources.record import RecordError as RecordError
from pytest_turris.core.resources.record import UnknownRecordError as UnknownRecordError
from pytest_turris.core.sandbox import Sandbox as Sandbox
from pytest_turris.core.snapshots.errors import SnapshotError as SnapshotError
from pytest_turris.core.tenants import NoSandboxError as NoSandboxError
from pytest_turris.core.unknowns.option_values import OptionError as OptionError
from pytest_turris.doors.sockets.pool import Server as Server
from pytest_turris.doors.sockets.server import ServerError as ServerError
from pytest_turris.doors.without_pytest import sandbox as sandbox
from pytest_turris.findings.errors import CheckFailedError as CheckFailedError
from pytest_turris.findings.errors import CheckWarning as CheckWarning
from pytest_turris.findings.errors import IgnoreError as IgnoreError
from pytest_turris.findings.errors import NotObservedError as NotObservedError
from pytest_turris.fixtures.audit import TurrisAudit as TurrisAudit
from pytest_turris.fixtures.hostile_answer import HostileCase as HostileCase
from pytest_turris.fixtures.token_case import TokenCase as TokenCase
from pytest_turris.fixtures.webhook_attack import AttackRun as AttackRun
from pytest_turris.fixtures.webhooks import NotAWebhookError as NotAWebhookError
from pytest_turris.fixtures.webhooks import TurrisWebhooks as TurrisWebhooks
from pytest_turris.hooks.network_guard import RealHostError as RealHostError
from pytest_turris.process.c_function import CFunctionError as CFunctionError
from pytest_turris.receivers.address import TargetError as TargetError
from pytest_turris.receivers.egress import EgressRefused as EgressRefused
from pytest_turris.receivers.in_process.django_database import TransactionError as TransactionError
from pytest_turris.receivers.in_process.lambdas import LambdaReceiver as LambdaReceiver
from pytest_turris.receivers.in_process.lifespan import StartupError as StartupError
from pytest_turris.time_travel.engines import EngineError as EngineError
from pytest_turris.time_travel.sleeps import SleptTooLongError as SleptTooLongError
from pytest_turris.time_travel.travel import NoTokenError as NoTokenError
from pytest_turris.time_travel.travel import TimeTravel as TimeTravel
from pytest_turris.webhooks.engine import DeliveryError as DeliveryError
from pytest_turris.webhooks.factory import EventValueError as EventValueError
from pytest_turris.webhooks.learning.delivery import DeliveryFormatError as DeliveryFormatError
from pytest_turris.webhooks.learning.learned import LearnedSignature as LearnedSignature
from pytest_turris.webhooks.learning.learned import learn_signature as learn_signature
from pytest_turris.webhooks.overrides import EventMemberError as EventMemberError
from pytest_turris.webhooks.signature import MomentError as MomentError
from pytest_turris.webhooks.signature import SchemeError as SchemeError
from pytest_turris.webhooks.signature import SignatureError as SignatureError
from pytest_turris.webhooks.signature import SignatureScheme as SignatureScheme
from pytest_turris.webhooks.signed import SignedWebhook as SignedWebhook
from pytest_turris.webhooks.tampering import TamperingError as TamperingError

__all__ = [
    "AllowlistError",
    "AttackRun",
    "CFunctionError",
    "CaseError",
    "CheckFailedError",
    "CheckWarning",
    "ClockError",
    "CredentialError",
    "DeclarationError",
    "DeliveryError",
    "DeliveryFormatError",
    "DrillError",
    "EgressRefused",
    "EngineError",
    "EventMemberError",
    "EventValueError",
    "FaultError",
    "HookError",
    "HostileCase",
    "IgnoreError",
    "LambdaReceiver",
    "LearnedSignature",
    "MisspeltNameWarning",
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
    "StrictFailureError",
    "TamperingError",
    "TargetError",
    "TimeTravel",
    "TokenCase",
    "TransactionError",
    "TurrisAudit",
    "TurrisKitError",
    "TurrisKitWarning",
    "TurrisWebhooks",
    "UnknownNameError",
    "UnknownRecordError",
    "learn_signature",
    "sandbox",
]
