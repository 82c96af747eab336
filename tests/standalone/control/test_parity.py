"""Parity: what a test can do to a sandbox in Python, every other language can do too."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from mock_server.control.rows.state.record_models import RECORD_KINDS
from mock_server.control.table import CONTROLS
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks

ROWS: dict[str, str] = {
    "sandbox.events": "events list",
    "sandbox.execute_agreement": "associations execute-agreement",
    "sandbox.seed": "sandbox seed",
    "sandbox.snapshot": "snapshots save",
    "sandbox.restore": "snapshots restore",
    "sandbox.options": "options show",
    "sandbox.change_options": "options change",
    "sandbox.expect_refusal": "journal expect",
    "sandbox.expect_since": "journal expect",
    "sandbox.strict_failures": "journal failures",
    "sandbox.token_requests": "sandbox show",
    "sandbox.upstream_entity_id": "sandbox show",
    "sandbox.client": "credentials list",
    "sandbox.assert_token_requests": "assertions check",
    "sandbox.assert_no_token_in_urls": "assertions check",
    "sandbox.assert_refreshed_within_buffer": "assertions check",
    "sandbox.assert_no_expired_token_used": "assertions check",
    "sandbox.assert_retried_safely": "assertions check",
    "sandbox.fresh": "sandbox reset",
    "clock.advance": "clock advance",
    "clock.move_to": "clock move",
    "clock.now": "clock show",
    "clock.offset": "clock show",
    "credentials.client": "credentials list",
    "credentials.issue": "credentials issue",
    "credentials.issue_restricted": "credentials issue-restricted",
    "credentials.issued": "credentials list",
    "credentials.restricted": "credentials list",
    "credentials.revoke": "credentials revoke",
    "credentials.rotate": "credentials rotate",
    "tokens.forge": "tokens forge",
    "tokens.issue": "tokens issue",
    "tokens.jwks": "tokens keys",
    "tokens.newest": "clock show",
    "tokens.revoke": "tokens revoke",
    "tokens.revoke_all": "tokens revoke-all",
    "limits.allowance": "limits show",
    "limits.exhaust": "limits exhaust",
    "limits.reset": "limits reset",
    "limits.to_just_before_reset": "limits to-before-reset",
    "limits.to_window_start": "limits to-window-start",
    "idempotency.forget": "idempotency forget",
    "faults.add": "faults add",
    "faults.clear": "faults clear",
    "faults.hang_up": "faults hang-up",
    "faults.hostile": "faults hostile",
    "faults.raw_answers": "faults hang-up",
    "faults.remove": "faults remove",
    "faults.unused": "faults list",
    "journal.clear": "journal clear",
    "journal.dropped": "sandbox show",
    "journal.last_line": "journal list",
    "journal.last_outline": "journal list",
    "journal.seen": "sandbox show",
    "journal.since": "journal list",
    "webhooks.attack": "webhooks attack",
    "webhooks.attempts": "deliveries list",
    "webhooks.deliver_due": "webhooks deliver",
    "webhooks.deliveries": "deliveries list",
    "webhooks.disturb": "webhooks disturb",
    "webhooks.drain": "webhooks drain",
    "webhooks.enable": "webhooks enable",
    "webhooks.endpoints": "webhooks list",
    "webhooks.event": "webhooks send",
    "webhooks.agent_compliance_status_change": "webhooks send",
    "webhooks.downstream_entity_compliance_status_change": "webhooks send",
    "webhooks.entity_compliance_data_synchronized": "webhooks send",
    "webhooks.producer_agreement_executed": "webhooks send",
    "webhooks.register": "webhooks register",
    "webhooks.remove": "webhooks remove",
    "webhooks.resend": "deliveries resend",
    "webhooks.retry_after": "webhooks retries",
    "webhooks.test": "webhooks test",
    "webhooks.upstream_entity_id": "sandbox show",
}
"""Each public name of a sandbox and its parts with its row."""

_PARTS = "a part, whose own names are in this table"
_INSIDE = "the sandbox and its parts use it among themselves"
_KEEPS = "what keeps the state uses it"
_IN_PROCESS = "it is about the process of a test"
NO_ROW: dict[str, str] = {
    **dict.fromkeys(
        [f"sandbox.{name}" for name in ("clock", "credentials", "faults", "idempotency")]
        + [f"sandbox.{name}" for name in ("journal", "limits", "outbox", "tokens", *RECORD_KINDS)],
        _PARTS,
    ),
    **dict.fromkeys(
        [f"sandbox.{name}" for name in ("collection", "handle", "lock", "may_take_long")]
        + [
            f"sandbox.{name}"
            for name in ("new_object_id", "randomness", "sends_webhooks", "settle")
        ]
        + [f"tokens.{name}" for name in ("find", "verify", "with_text")]
        + [f"credentials.{name}" for name in ("authenticate", "authenticate_restricted", "has")]
        + [f"credentials.{name}" for name in ("on_issue", "on_rotate")]
        + [f"idempotency.{name}" for name in ("key_of", "replay", "store")]
        + [f"limits.{name}" for name in ("default_credential", "spend")]
        + [f"journal.{name}" for name in ("observer", "record", "rows_since")]
        + ["faults.made", "faults.next_for", "clock.on_move", "credentials.names", "limits.names"]
        + ["journal.limit", "clock.correction", "clock.is_of_a_server", "clock.offset_at"]
        + [f"{part}.undo" for part in ("credentials", "faults", "idempotency", "journal")]
        + [f"{part}.undo" for part in ("limits", "sandbox", "tokens")],
        _INSIDE,
    ),
    **dict.fromkeys(
        [f"sandbox.{name}" for name in ("state", "next_due")]
        + [f"sandbox.{name}" for name in ("follow", "follow_whole", "shared_facts")]
        + [f"{name}.take_over" for name in ("credentials", "tokens", "limits", "idempotency")]
        + ["journal.take_over", "clock.follow"]
        + [
            f"{part}.{name}"
            for part in ("credentials", "tokens", "limits", "idempotency", "faults", "journal")
            for name in ("changes", "rows", "snapshot", "restore")
            if f"{part}.{name}" not in ("faults.rows", "journal.changes")
        ],
        _KEEPS,
    ),
    **dict.fromkeys(
        [f"sandbox.{name}" for name in ("base_url", "doors", "interceptors", "webhook_secret")]
        + [f"clock.{name}" for name in ("alarm", "is_running", "mismatch", "move_with")]
        + ["clock.process_time"],
        _IN_PROCESS,
    ),
    **dict.fromkeys(
        [f"webhooks.{name}" for name in ("arguments_for", "key", "new_id", "of", "scheme")]
        + [f"webhooks.{name}" for name in ("sign", "verify")],
        "it builds requests in a test; 'turris-sandbox trigger' sends any body to any URL",
    ),
    **dict.fromkeys(
        ("credentials.test_of", "tokens.test_of"),
        "it names the test of a refused credential; a server has no tests",
    ),
}
"""Each public name without a row, with the reason."""

RENAMED: dict[str, set[str]] = {
    "sandbox.execute_agreement": {"association"},
    "sandbox.restore": {"snapshot"},
    "sandbox.change_options": {"options"},
    "sandbox.expect_refusal": {"status", "operation"},
    "sandbox.expect_since": {"number"},
    "clock.advance": {"delta", "parts"},
    "clock.move_to": {"moment"},
    "credentials.client": {"client_id"},
    # Only at the start: the server finds a tenant by its credential, which two must not share.
    "credentials.issue": {"client_id", "client_secret"},
    "credentials.revoke": {"credential"},
    "credentials.rotate": {"client"},
    "tokens.forge": {"client"},
    "tokens.issue": {"client"},
    "tokens.revoke": {"token"},
    "limits.allowance": {"bucket", "credential"},
    "faults.remove": {"fault"},
    "journal.since": {"number", "count"},
    "webhooks.attack": {"id_", "variant"},
    "webhooks.disturb": {"how"},
    "webhooks.enable": {"endpoint"},
    "webhooks.register": {"target", "path", "host", "scheme"},
    "webhooks.remove": {"endpoint"},
    "webhooks.resend": {"delivery"},
    "webhooks.retry_after": {"seconds"},
    "webhooks.test": {"endpoint"},
}
"""Keywords that have another name over HTTP, such as the id of an object, or are all members."""

OF_COLLECTIONS: dict[str, str] = {
    "find": "get, which says that there is none",
    "where": "list, with filters",
    "one_where": "list, with filters",
    "make": "add makes the members that it needs",
    "ingest": "the API's own operation does it",
    "follow": "an association and its contact are changed together",
    "at": "list, filtered by association",
    "numbered": "list, filtered by policyNumber",
    "current": "list, filtered by association and kind",
    "with_npn": "list, filtered by npn",
    "with_producer_code": "list, filtered by producerCode",
    "individual": "list, filtered by npn",
    "firm": "list, filtered by npn",
    "invented": "the end of a fetch does it: clock advance",
    "npns": "list, filtered by number",
    "busy": "a lookup of the API says it",
    "busy_until": "a lookup of the API says it",
    "step": "half of the option uploadDuration",
    **dict.fromkeys(("snapshot", "restore", "rows", "facts", "changes", "take_over"), _KEEPS),
    "why_not": "a lookup of the API says it",
    "undo": "each control takes effect as a whole or not at all",
    "shown": "get, with what is deleted",
    "is_shown": "get, with what is deleted",
    "read": "the reading of a certificate takes its time: clock advance",
    **dict.fromkeys(
        ("kind", "indexes", "flat_names", "attribute", "part"), "it describes the collection"
    ),
}
"""What collections have besides, and what takes its place."""


def public(thing: object) -> Iterator[str]:
    """The public names of an object, of its class and of its instance."""
    names = {name for name, _ in inspect.getmembers_static(type(thing))} | set(vars(thing))
    return (name for name in sorted(names) if not name.startswith("_"))


def parts() -> dict[str, Any]:
    """A sandbox and its parts."""
    sandbox = Sandbox()
    names = ("clock", "credentials", "tokens", "limits", "idempotency", "faults", "journal")
    found: dict[str, Any] = {name: getattr(sandbox, name) for name in names}
    return {"sandbox": sandbox, "webhooks": TurrisWebhooks.of(sandbox)} | found


def test_every_public_name_has_a_row_or_a_reason() -> None:
    """A new method gets a row, or a line above that says why not."""
    names = {f"{part}.{name}" for part, thing in parts().items() for name in public(thing)}
    assert sorted(names - ROWS.keys() - NO_ROW.keys()) == []
    assert sorted((ROWS.keys() | NO_ROW.keys()) - names - {"sandbox.fresh"}) == []
    assert not ROWS.keys() & NO_ROW.keys()


def test_the_rows_exist() -> None:
    """Each row that stands for a name is in the table."""
    assert sorted(set(ROWS.values()) - CONTROLS.keys()) == []


@pytest.mark.parametrize("name", ROWS)
def test_every_keyword_has_a_parameter(name: str) -> None:
    """What a method takes, its row takes too, under the same name or a known one."""
    part, _, attribute = name.partition(".")
    method = getattr(type(parts()[part]), attribute, None)
    if not inspect.isfunction(method) or "overrides" in inspect.signature(method).parameters:
        return
    if method.__name__.startswith("assert_"):  # 'assertions check' takes its name
        return
    keywords = set(inspect.signature(method).parameters) - {"self"}
    known = RENAMED.get(name, set())
    assert keywords - known == keywords & CONTROLS[ROWS[name]].parameters.model_fields.keys()


@pytest.mark.parametrize("name", RECORD_KINDS)
def test_every_method_of_a_collection_has_a_row_or_a_reason(name: str) -> None:
    """Verbs are the names of methods."""
    noun = name.replace("_", "-")
    verbs = {row.verb.replace("-", "_") for row in CONTROLS.values() if row.noun == noun}
    collection = Sandbox().collection(RECORD_KINDS[name])
    missing = [one for one in public(collection) if one not in verbs | OF_COLLECTIONS.keys()]
    special = {name: ["leave"] for name in ("contacts", "coverages")}  # an association is removed
    assert missing == special.get(name, [])
