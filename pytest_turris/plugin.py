"""Hooks and fixtures, and nothing else.

This module is loaded in every pytest run of every user, so it imports only pytest. What a fixture
needs is imported when a test first asks for that fixture.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_turris.core.sandbox import Sandbox
    from pytest_turris.doors.sockets.pool import Server
    from pytest_turris.fixtures.audit import TurrisAudit
    from pytest_turris.fixtures.hostile_answer import HostileCase
    from pytest_turris.fixtures.token_case import TokenCase
    from pytest_turris.fixtures.webhook_attack import AttackRun
    from pytest_turris.fixtures.webhooks import TurrisWebhooks
    from pytest_turris.time_travel.travel import TimeTravel

_PREFIX = "turris"
_ENVELOPES = ("data", "data_with_status", "status_without_request_id", "top_level")
_OPTIONS_PAGE = "https://pytest-turris.readthedocs.io/en/latest/reference/options.html"
"""As ``core/text/docs_links.py`` makes it, which is not imported here; a test compares them."""

_INI_NAMES = (
    "signature_scheme", "signature_header", "signature_encoding", "signature_prefix",
    "signature_timestamped", "signature_signs", "signature_list_separator",
    "signature_timestamp_header", "signature_id_header", "signature_version", "signature_joint",
    "signature_key", "signature_key_prefix", "missing_member", "malformed_id", "first_sync",
    "sync_outcome", "unknown_npn", "duplicate_agent", "deleted_agents", "deleted_associations",
    "deleted_documents", "invited_agencies", "write_success_status", "upload_success_status",
    "empty_success_body", "unknown_fein", "product_not_sold", "unknown_association",
    "too_large_file", "write_windows", "npn_lookup_member", "email_filter",
    "extraction_duration", "blank_rows", "repeated_transactions", "webhook_batch",
    "webhook_reverted", "environment", "seed", "upstream_entity_id", "envelope",
    "optional_fields", "unknown_fields", "unknown_method", "head_and_options", "date_header",
    "sunset", "compliance_states", "appointment_status", "document_categories",
    "upload_status_envelope", "sync_duration", "upload_duration", "npn_lookup_duration",
    "token_ttl", "refresh_buffer", "token_issuer", "token_audience", "restricted_token_access",
    "token_requests_per_minute", "writes_per_minute", "rate_window", "rate_headers",
    "retry_after", "idempotency_ttl", "idempotency_conflict", "allow_plain_http",
    "max_body_bytes", "client_ip", "webhook_secret", "webhook_retries", "webhook_disable_after",
    "webhook_gone_disables", "webhook_honours_retry_after", "webhook_debounce",
    "webhook_user_agent", "webhooks_path", "attack_profile", "fail_on_not_observed",
    "fail_on_should", "fail_on_refusal", "fail_on_unused_fault", "journal_limit", "time_engine",
    "time_tick", "time_real_modules", "share_ssl_context", "tls", "env_base_url",
    "env_client_id", "env_client_secret", "env_webhook_secret",
)  # fmt: skip
"""The fields of ``Options``, whose module is too heavy to import here: ``make docs`` fills it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """One ini key for each option, ``turris_<option>``."""
    described: dict[str, str] = {}
    if not {"-h", "--help"}.isdisjoint(sys.argv):
        from pytest_turris.fixtures.options import option_docs

        described = option_docs()
    for name in _INI_NAMES:
        link = f"see {_OPTIONS_PAGE}#{name.replace('_', '-')}"
        parser.addini(f"{_PREFIX}_{name}", described.get(name, link))
    group = parser.getgroup("turris")
    group.addoption(
        "--turris-url",
        metavar="URL",
        help="let the sandbox of each test answer at a shared server, which "
        "'turris-sandbox serve' started",
    )
    group.addoption(
        "--turris-verify-webhooks",
        action="store_true",
        help="send each webhook that a receiver accepted once more, forged, and fail if it is "
        "accepted too",
    )
    # As two names: with an optional value, argparse would take the next argument for it.
    for name, value, words in (
        ("", "tell", "report which advice of Turris' security page is proven"),
        ("=strict", "strict", "the same, and fail if there is a finding of level must"),
    ):
        flag = f"--turris-audit{name}"
        group.addoption(flag, dest="turris_audit", action="store_const", const=value, help=words)
    group.addoption(
        "--turris-audit-report",
        metavar="DIR",
        help="write report.html, report.json, report.sarif and report.md of the audit there; "
        "implies --turris-audit",
    )
    group.addoption(
        "--turris-capsule",
        metavar="DIR",
        help="let each failing test leave its sandbox in this directory, as a file that "
        "'turris-sandbox serve --load' opens",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker."""
    config.addinivalue_line(
        "markers",
        "turris(**options): options of the Turris sandbox for one test, class or module; "
        f"the nearest wins. See {_OPTIONS_PAGE}",
    )
    if config.getoption("--turris-verify-webhooks"):
        from pytest_turris.hooks.verify_webhooks import WebhookVerification

        config.pluginmanager.register(WebhookVerification(), "turris_verify_webhooks")
    if config.getoption("turris_audit") or config.getoption("--turris-audit-report"):
        _begin_audit(config)


def _begin_audit(config: pytest.Config) -> None:
    from pytest_turris.hooks.audit import begin_audit

    begin_audit(config)
    if not hasattr(config, "workerinput"):  # a worker of pytest-xdist reports to its controller
        from pytest_turris.hooks.audit_report import AuditReport

        strict = config.getoption("turris_audit") == "strict"
        directory = config.getoption("--turris-audit-report")
        report = AuditReport(config, strict=strict, directory=directory)
        config.pluginmanager.register(report, "turris_audit_report")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Guard the real Turris from the whole run, if any of its tests uses a sandbox."""
    ours = [item for item in items if any(n.startswith(_PREFIX) for n in _fixtures(item))]
    if ours:
        from pytest_turris.hooks.failure_report import begin_watch
        from pytest_turris.hooks.run_parallel import mark_thread_unsafe

        begin_watch(config)
        mark_thread_unsafe(config, ours)
        if any("turris_audit" in _fixtures(item) for item in ours):
            from pytest_turris.hooks.audit import begin_audit

            begin_audit(config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List findings that did not fail a test, and ignored checks with the reasons."""
    _summarise_audit(terminalreporter)
    reports = [
        report
        for category in ("skipped", "passed")
        for report in terminalreporter.stats.get(category, ())
        if getattr(report, "user_properties", None)
    ]
    if reports:
        from pytest_turris.hooks.summary import write_summary

        write_summary(terminalreporter, reports)


def _summarise_audit(terminalreporter: pytest.TerminalReporter) -> None:
    """The audit of a run in which only some tests asked for it."""
    if terminalreporter.config.pluginmanager.has_plugin("turris_audit_report"):
        return
    reports = [
        report
        for reports in terminalreporter.stats.values()
        for report in reports
        if hasattr(report, "turris_audit")
    ]
    if reports:
        from pytest_turris.hooks.audit_report import report_on

        report_on(terminalreporter, reports)


def _fixtures(item: pytest.Item) -> tuple[str, ...]:
    return getattr(item, "fixturenames", ())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each rule or hostile answer; their ids are loaded only where asked for."""
    if any(marker.name == _PREFIX for marker in metafunc.definition.own_markers):
        from pytest_turris.fixtures.options import warn_of_idle_marker

        warn_of_idle_marker(metafunc)
    if "turris_token_case" in metafunc.fixturenames:
        from pytest_turris.conformance.rules import RULES
        from pytest_turris.fixtures.checks import one_test_for_each

        one_test_for_each(metafunc, "turris_token_case", RULES)
    if "turris_hostile_answer" in metafunc.fixturenames:
        from pytest_turris.core.faults.hostile.catalogue import CATALOGUE
        from pytest_turris.fixtures.checks import one_test_for_each

        one_test_for_each(metafunc, "turris_hostile_answer", CATALOGUE)
    if "turris_webhook_attack" in metafunc.fixturenames:
        from pytest_turris.fixtures.webhook_attack import parametrize

        parametrize(metafunc)


def _sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """The sandbox of the test; not a fixture, because each costs its test 0.1 ms."""
    from pytest_turris.fixtures.turris import sandbox_for

    return sandbox_for(request)


@pytest.fixture
def turris(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A fresh sandbox: httpx, httpx2 and requests are answered; credentials are in os.environ."""
    from pytest_turris.doors.in_process.opening import open_doors

    with open_doors(_sandbox(request)) as sandbox:
        yield sandbox


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.turris(envelope=name)) for name in _ENVELOPES]
)
def turris_envelope(request: pytest.FixtureRequest) -> str:
    """Run the test once under each of the four documented success envelopes; return its name."""
    return str(request.param)


@pytest.fixture
def turris_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The same sandbox on a real loopback socket, for every other client and for subprocesses."""
    from pytest_turris.fixtures.server import serving

    with serving(request.node, _sandbox(request)) as server:
        yield server


@pytest.fixture
def turris_time(request: pytest.FixtureRequest) -> Iterator[TimeTravel]:
    """Time travel for the sandbox and for the code under test."""
    from pytest_turris.fixtures.time_engine import engine_of
    from pytest_turris.time_travel.travel import TimeTravel

    travel = TimeTravel(_sandbox(request), engine_of(request.node))
    try:
        travel.start()
        yield travel
    finally:
        travel.stop()


@pytest.fixture
def turris_audit(request: pytest.FixtureRequest, turris: Sandbox) -> TurrisAudit:
    """The auditor of this test: its audit log, drills, and what it leaves out."""
    from pytest_turris.fixtures.audit import TurrisAudit
    from pytest_turris.hooks.audit import begin_audit

    audit = begin_audit(request.config).audit_of(request.node)
    return TurrisAudit(audit, turris, request.node)


@pytest.fixture
def turris_token_case(
    request: pytest.FixtureRequest, turris: Sandbox, turris_time: TimeTravel
) -> TokenCase:
    """One rule for token clients, TC-01 and so on: one test for each."""
    from pytest_turris.fixtures.checks import for_test
    from pytest_turris.fixtures.token_case import TokenCase

    return for_test(TokenCase(request.param, turris, turris_time), request)


@pytest.fixture
def turris_hostile_answer(
    request: pytest.FixtureRequest, turris: Sandbox, turris_time: TimeTravel
) -> HostileCase:
    """One hostile answer with its variants, AR-01 and so on: one test for each."""
    from pytest_turris.fixtures.checks import for_test
    from pytest_turris.fixtures.hostile_answer import HostileCase

    return for_test(HostileCase(request.param, turris, turris_time), request)


@pytest.fixture
def turris_webhooks(request: pytest.FixtureRequest) -> TurrisWebhooks:
    """A factory of signed webhooks, and the engine that delivers what happens."""
    from pytest_turris.fixtures.webhooks import TurrisWebhooks

    return TurrisWebhooks.of(_sandbox(request))


@pytest.fixture
def turris_webhook_attack(request: pytest.FixtureRequest) -> AttackRun:
    """One attack on a receiver, WH-01 and so on: one test for each."""
    from pytest_turris.fixtures.checks import for_test
    from pytest_turris.fixtures.webhook_attack import AttackRun

    return for_test(AttackRun(request.param, _sandbox(request), request.node), request)
