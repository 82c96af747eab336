"""Drills around a call of the test: how the client takes a new secret or a revocation."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pytest_turris.audit.checks import OWN
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.plurals import counted
from pytest_turris.findings.verdict import Finding, Verdict

_Call = Callable[[], object]

_MOST_TOKEN_REQUESTS = 2
_MOST_REQUESTS = 4


def rotation_drill(
    sandbox: Sandbox, call: _Call, new_client: Callable[[], _Call] | None = None
) -> Verdict:
    """Rotate the client secret between two calls.

    Args:
        sandbox: The sandbox that the client calls.
        call: Makes one call with the client under test.
        new_client: Makes another client, as a restart would, and returns its call.

    Raises:
        Exception: What the first call raises: without a client that works there is no drill.
    """
    check = OWN["DR-1"]
    call()
    with _rotated(sandbox):
        if _works(sandbox, call):
            return Verdict.of(check, [])
        if new_client is None:
            got, expected = "the call fails until the process is restarted", "the new secret"
            note = "Pass new_client=... if a restart is how the application picks it up."
            return Verdict.of(check, [drill_finding(check.id, got, expected)], notes=[note])
        if _works(sandbox, new_client()):
            return Verdict.of(check, [], notes=["The secret is picked up by a restart."])
    got = "a new client fails too"
    return Verdict.of(check, [drill_finding(check.id, got, "a call with the new secret")])


def revocation_drill(sandbox: Sandbox, call: _Call) -> Verdict:
    """Revoke the credentials between two calls.

    Args:
        sandbox: The sandbox that the client calls.
        call: Makes one call with the client under test.

    Raises:
        Exception: What the first call raises: without a client that works there is no drill.
    """
    check = OWN["DR-2"]
    call()
    sandbox.credentials.revoke(sandbox.client)
    before, asked = sandbox.journal.seen, sandbox.token_requests
    failed = not _works(sandbox, call)
    requests, tokens = sandbox.journal.seen - before, sandbox.token_requests - asked
    if not requests:
        return Verdict(
            check=check, outcome="not observed", reason="the call sent no request, so nothing shows"
        )
    return revocation_verdict(failed=failed, requests=requests, tokens=tokens)


def revocation_verdict(*, failed: bool, requests: int, tokens: int) -> Verdict:
    """What a call with revoked credentials shows.

    Args:
        failed: Whether it ended with an error.
        requests: How many requests it sent, those for a token included.
        tokens: How many of them asked for a token.
    """
    check, findings = OWN["DR-2"], []
    if not failed:
        got = "the call ends as if nothing were wrong"
        findings.append(drill_finding(check.id, got, "an error"))
    if tokens > _MOST_TOKEN_REQUESTS or requests > _MOST_REQUESTS:
        got = f"{counted(requests, 'request')}, {tokens} of them for a token"
        expected = "an error after the token endpoint's first 401"
        findings.append(drill_finding(check.id, got, expected))
    return Verdict.of(check, findings)


@contextmanager
def _rotated(sandbox: Sandbox) -> Iterator[None]:
    """A new secret, in the environment as well, and no token of the old one."""
    name = sandbox.options.env_client_secret
    before = os.environ.get(name)
    sandbox.credentials.rotate(sandbox.client)
    sandbox.tokens.revoke_all()
    os.environ[name] = sandbox.client.client_secret
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _works(sandbox: Sandbox, call: _Call) -> bool:
    start = sandbox.journal.seen
    try:
        call()
    except Exception:  # noqa: BLE001 - whatever the application raises is its way to say it
        return False
    finally:
        sandbox.expect_since(start)
    return True


def drill_finding(check_id: str, got: str, expected: str) -> Finding:
    """What is wrong in a drill, in the words of its check."""
    check = OWN[check_id]
    return Finding(
        level=check.level, sent=check.does, got=got, expected=expected, why=check.why, fix=check.fix
    )
