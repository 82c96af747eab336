"""Schemathesis tests the sandbox against its OpenAPI description."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from pytest_turris.core.api.openapi import document
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.entity.policy_upload.policy_file import AGENCY_IDENTIFIERS, REQUIRED
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.server import LiveServer

# Rate limits would end the run early. The check on unknown methods expects 405. Deprecated
# operations are tried after their sunset too.
OPTIONS = Options(
    unknown_method="method_not_allowed",
    writes_per_minute=1_000_000,
    token_requests_per_minute=1_000_000,
    sunset="ignored",
)
ACCEPTED = ["2xx", "401", "403", "404", "429"]

# Parameters that exclude one another: documented, but JSON Schema cannot express it.
EXCLUSIVE = ["list_agents", "list_associations"]

# Nor the content of a file.
FILES = ["upload_document", "upload_policy_file"]

# Nor what depends on state: templates, producer codes, idempotency keys, an agency without NPN.
STATEFUL = [
    "invite",
    "dangerously_invite",
    "add_association",
    "dangerously_add",
    "sync_association",
]


def _ids(names: list[str]) -> list[str]:
    return [row.operation_id for row in OPERATIONS if row.name in names]


def _accepting(names: list[str], *more: str) -> dict[str, object]:
    return {
        "include-operation-id": _ids(names),
        "checks": {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED, *more]}},
    }


def _config(sandbox: Sandbox) -> SchemathesisConfig:
    token = sandbox.tokens.issue(sandbox.client)
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "headers": {"Authorization": f"Bearer {token.text}"},
            "generation": {"max-examples": 5, "database": "none"},
            "phases": {"stateful": {"enabled": True, "generation": {"max-examples": 12}}},
            "operations": [
                _accepting([*EXCLUSIVE, *FILES], "400"),
                _accepting(STATEFUL, "400", "422"),
            ],
        }
    )


@pytest.fixture(scope="module")
def files() -> None:
    """PDF and CSV files for the media types in the description."""
    headers = ",".join([*REQUIRED, AGENCY_IDENTIFIERS[0]])
    table = f"{headers}\nPOL-1,CA,New,2025-01-15,Acme\n".encode()
    schemathesis.openapi.media_type("application/pdf", st.just(b"%PDF-1.7"))
    schemathesis.openapi.media_type("text/csv", st.just(table))


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox with some records."""
    sandbox = Sandbox(OPTIONS)
    sandbox.seed("small_agency")
    return sandbox


@pytest.fixture
def base_url(sandbox: Sandbox) -> Iterator[str]:
    """The URL of its server."""
    server = LiveServer(asgi_app(sandbox.handle))
    yield server.base_url
    server.stop()


def test_schemathesis_finds_nothing(sandbox: Sandbox, base_url: str, files: None) -> None:
    """All checks, all phases, the stateful one too, against a live sandbox."""
    description = document(OPERATIONS, OPTIONS)
    schema = schemathesis.openapi.from_dict(description, config=_config(sandbox))
    schema.config.update(base_url=base_url)
    found, phases = [], {}
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            found += [
                f"{event.recorder.label}: {check.name}: {check.failure_info.failure.message}"
                for checks in event.recorder.checks.values()
                for check in checks
                if check.status == Status.FAILURE and check.failure_info
            ]
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(repr(event))
        elif isinstance(event, events.PhaseFinished):
            phases[event.phase.name.value] = event.status
    assert not found, chr(10).join(sorted(set(found)))
    assert {phases[name] for name in ("coverage", "fuzzing", "stateful")} == {Status.SUCCESS}
    assert len(sandbox.uploads) > 0
    assert sandbox.journal.seen > len(OPERATIONS) * 10
