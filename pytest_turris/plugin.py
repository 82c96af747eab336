"""Hooks and fixtures, and nothing else.

This module is loaded in every pytest run of every user, so it imports only pytest, and there is
little to compile. What a fixture needs is imported when a test first asks for that fixture.

PYTEST_DONT_REWRITE: it asserts nothing, and to look for assertions takes longer than to compile it.
"""

from __future__ import annotations

import sys
from threading import local
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_turris import (
        AttackRun,
        HostileCase,
        Sandbox,
        Server,
        TimeTravel,
        TokenCase,
        TurrisAudit,
        TurrisWebhooks,
    )

_OPTIONS_PAGE = "https://pytest-turris.readthedocs.io/en/latest/reference/options.html"
"""As ``core/text/docs_links.py`` makes it, which is not imported here; a test compares them."""

_asking = local()
"""Has the ``request`` of the fixture that is set up. ``turris`` has no argument for it, which would
take a fifth of its time: pytest makes a fixture of its own for that, twice."""

_INI_NAMES = """
signature_scheme signature_header signature_encoding signature_prefix signature_timestamped
signature_signs signature_list_separator signature_timestamp_header signature_id_header
signature_version signature_joint signature_key signature_key_prefix missing_member failed_fallback
malformed_id first_sync first_status_event sync_outcome unknown_npn agent_license_filter
duplicate_agent recreated_agent deleted_agents deleted_associations deleted_documents
invited_agencies write_success_status upload_success_status empty_success_body unknown_fein
product_not_sold unknown_association too_large_file write_windows idempotency_keys npn_lookup_member
email_filter extraction_duration blank_rows repeated_transactions webhook_batch webhook_reverted
environment seed upstream_entity_id envelope optional_fields unknown_fields unknown_method
head_and_options date_header sunset compliance_states appointment_status document_categories
upload_status_envelope sync_duration upload_duration npn_lookup_duration token_ttl refresh_buffer
token_issuer token_audience restricted_token_access token_requests_per_minute writes_per_minute
rate_window rate_headers retry_after idempotency_ttl idempotency_conflict allow_plain_http
max_body_bytes client_ip webhook_secret webhook_retries webhook_disable_after webhook_gone_disables
webhook_honours_retry_after webhook_debounce webhook_user_agent webhooks_path attack_profile
fail_on_not_observed fail_on_should fail_on_refusal fail_on_unused_fault journal_limit time_engine
time_tick time_real_modules share_ssl_context tls env_base_url env_client_id env_client_secret
env_webhook_secret
"""
"""The fields of ``Options``, whose module is too heavy to import here: ``make docs`` fills it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """One ini key for each option, ``turris_<option>``."""
    described: dict[str, str] = {}
    if not {"-h", "--help"}.isdisjoint(sys.argv):
        from pytest_turris.fixtures.options import option_docs

        described = option_docs()
    for name in _INI_NAMES.split():
        parser.addini(f"turris_{name}", described.get(name, _OPTIONS_PAGE))
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
        type=_given_path,
        metavar="DIR",
        help="write report.html, report.json, report.sarif and report.md of the audit there; "
        "implies --turris-audit",
    )
    group.addoption(
        "--turris-capsule",
        type=_given_path,
        metavar="DIR",
        help="let each failing test leave its sandbox in this directory, as a file that "
        "'turris-sandbox serve --load' opens",
    )


def _given_path(text: str) -> str:
    """A path that is not empty, which would mean that the option is not given."""
    if not text:
        import argparse

        raise argparse.ArgumentTypeError("the path is empty; is a variable of the shell not set?")
    return text


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker."""
    config.addinivalue_line(
        "markers",
        "turris(**options): options of the Turris sandbox for one test, class or module; "
        f"the nearest wins. See {_OPTIONS_PAGE}",
    )
    if config.option.turris_url:
        from pytest_turris.process.control_token import ControlTokenError, control_token

        try:
            control_token()
        except ControlTokenError as error:
            raise pytest.UsageError(f"turris: --turris-url: {error}") from None
    if config.option.turris_verify_webhooks:
        from pytest_turris.hooks.verify_webhooks import begin_verification

        begin_verification(config)
    if config.option.turris_audit or config.option.turris_audit_report:
        from pytest_turris.hooks.audit_report import begin_report

        begin_report(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Guard the real Turris from the whole run, if any of its tests uses a sandbox."""
    ours = [
        item
        for item in items
        if any(name.startswith("turris") for name in getattr(item, "fixturenames", ()))
    ]
    if ours:
        from pytest_turris.hooks.run import begin_run

        begin_run(config, ours)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List findings that did not fail a test, and ignored checks with the reasons."""
    if any(
        getattr(report, "user_properties", None) or hasattr(report, "turris_audit")
        for reports in terminalreporter.stats.values()
        for report in reports
    ):
        from pytest_turris.hooks.run import summarise

        summarise(terminalreporter)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each rule, hostile answer or attack; they are loaded only where asked for."""
    if any(marker.name == "turris" for marker in metafunc.definition.own_markers):
        from pytest_turris.fixtures.options import warn_of_idle_marker

        warn_of_idle_marker(metafunc)
    checks = {"turris_token_case", "turris_hostile_answer", "turris_webhook_attack"}
    if not checks.isdisjoint(metafunc.fixturenames):
        from pytest_turris.fixtures.checks import parametrize

        parametrize(metafunc)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(request: pytest.FixtureRequest) -> None:
    """Remember the request of each fixture, whatever its name, for ``turris``."""
    _asking.request = request


@pytest.fixture
def turris() -> Sandbox:
    """A fresh sandbox: httpx, httpx2 and requests are answered; credentials are in os.environ."""
    from pytest_turris.fixtures.turris import answering

    return answering(_asking.request, "turris")


@pytest.fixture(params=["data", "data_with_status", "status_without_request_id", "top_level"])
def turris_envelope(request: pytest.FixtureRequest) -> str:
    """Run the test once under each of the four documented success envelopes; return its name."""
    return str(request.param)


@pytest.fixture
def turris_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The same sandbox on a real loopback socket, for every other client and for subprocesses."""
    from pytest_turris.fixtures.server import serving

    with serving(request) as server:
        yield server


@pytest.fixture
def turris_time(request: pytest.FixtureRequest) -> Iterator[TimeTravel]:
    """Time travel for the sandbox and for the code under test."""
    from pytest_turris.fixtures.time import travelling

    with travelling(request) as travel:
        yield travel


@pytest.fixture
def turris_audit(request: pytest.FixtureRequest, turris: Sandbox) -> TurrisAudit:
    """The auditor of this test: its audit log, drills, and what it leaves out."""
    from pytest_turris.fixtures.audit import audit_of

    return audit_of(request, turris)


@pytest.fixture
def turris_token_case(
    request: pytest.FixtureRequest, turris: Sandbox, turris_time: TimeTravel
) -> TokenCase:
    """One rule for token clients, TC-01 and so on: one test for each."""
    from pytest_turris.fixtures.token_case import token_case_of

    return token_case_of(request, turris, turris_time)


@pytest.fixture
def turris_hostile_answer(
    request: pytest.FixtureRequest, turris: Sandbox, turris_time: TimeTravel
) -> HostileCase:
    """One hostile answer with its variants, AR-01 and so on: one test for each."""
    from pytest_turris.fixtures.hostile_answer import hostile_case_of

    return hostile_case_of(request, turris, turris_time)


@pytest.fixture
def turris_webhooks(request: pytest.FixtureRequest) -> TurrisWebhooks:
    """A factory of signed webhooks, and the engine that delivers what happens."""
    from pytest_turris.fixtures.webhooks import webhooks_of

    return webhooks_of(request)


@pytest.fixture
def turris_webhook_attack(request: pytest.FixtureRequest) -> AttackRun:
    """One attack on a receiver, WH-01 and so on: one test for each."""
    from pytest_turris.fixtures.webhook_attack import attack_of

    return attack_of(request)
