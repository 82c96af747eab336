"""Rotation and revocation drills: clients that follow, and clients that do not."""

import os
from collections.abc import Callable, Iterator

import httpx
import pytest
from audit.conftest import AuditedProject
from doubles.drilled_clients import Careful, GoesOn, KeepsItsSecret

from pytest_turris import Sandbox
from pytest_turris.audit.drills.calls import revocation_drill, rotation_drill
from pytest_turris.findings.verdict import Verdict

Call = Callable[[], object]


class HasItBuiltIn(Careful):
    """Was built with a secret, so that a restart does not help."""

    built_with = ""

    def secret(self) -> str:
        """The secret of the build."""
        return self.built_with


class SaysNothing(Careful):
    """Returns nothing in place of an error."""

    def agents(self) -> object:
        """List agents, or nothing."""
        try:
            return super().agents()
        except httpx.HTTPError:
            return []


class Remembers(Careful):
    """Answers from its memory."""

    known: object = None

    def agents(self) -> object:
        """List agents, once."""
        self.known = self.known or super().agents()
        return self.known


@pytest.fixture
def built_with(turris: Sandbox) -> Iterator[None]:
    """The secret that is valid at the beginning, in the code of a client."""
    HasItBuiltIn.built_with = str(turris.client.client_secret)
    yield
    HasItBuiltIn.built_with = ""


def _new(kind: type[Careful]) -> Callable[[], Call]:
    return lambda: kind().agents


@pytest.mark.parametrize(
    ("kind", "restart", "outcome", "words"),
    [
        (Careful, False, "passed", ""),
        (KeepsItsSecret, True, "passed", "picked up by a restart"),
        (KeepsItsSecret, False, "warned", "until the process is restarted"),
        (HasItBuiltIn, True, "warned", "a new client fails too"),
    ],
)
@pytest.mark.usefixtures("built_with")
def test_a_rotation_is_followed_or_not(
    turris: Sandbox, kind: type[Careful], restart: bool, outcome: str, words: str
) -> None:
    """By the running client, by the next one, or by none; the environment is put back."""
    before = os.environ["TURRIS_CLIENT_SECRET"]
    client = kind()
    verdict = rotation_drill(turris, client.agents, _new(kind) if restart else None)
    assert verdict.outcome == outcome
    assert words in str(verdict)
    assert os.environ["TURRIS_CLIENT_SECRET"] == before


@pytest.mark.usefixtures("built_with")
def test_a_variable_that_was_not_set_is_taken_away(
    turris: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client has its secret from elsewhere."""
    client = HasItBuiltIn()
    monkeypatch.delenv("TURRIS_CLIENT_SECRET")
    assert rotation_drill(turris, client.agents).outcome == "warned"
    assert "TURRIS_CLIENT_SECRET" not in os.environ


@pytest.mark.parametrize(
    ("kind", "outcome", "words"),
    [
        (Careful, "passed", ""),
        (GoesOn, "failed", "of them for a token"),
        (SaysNothing, "failed", "as if nothing were wrong"),
        (Remembers, "not observed", "sent no request"),
    ],
)
def test_revoked_credentials_end_a_call_or_not(
    turris: Sandbox, kind: type[Careful], outcome: str, words: str
) -> None:
    """With an error, soon; what sends nothing shows nothing."""
    verdict: Verdict = revocation_drill(turris, kind().agents)
    assert verdict.outcome == outcome
    assert words in str(verdict)


@pytest.mark.parametrize("drill", [rotation_drill, revocation_drill])
def test_without_a_client_that_works_there_is_no_drill(
    turris: Sandbox, drill: Callable[[Sandbox, Call], Verdict]
) -> None:
    """The error of the first call is the test's."""

    def fails() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        drill(turris, fails)


def test_a_failed_drill_fails_its_test(audited: AuditedProject) -> None:
    """With the verdict as its text, and a finding at its line."""
    audited.pytester.makepyfile(
        test_it="""
        import os, httpx

        def test_revoked(turris_audit):
            url = f"{os.environ['TURRIS_BASE_URL']}/v1/agents"
            turris_audit.revocation_drill(lambda: httpx.get(url).status_code)
        """
    )
    report = audited.run()
    assert audited.result is not None
    assert audited.result.parseoutcomes() == {"failed": 1}
    audited.result.stdout.fnmatch_lines(
        ["E*CheckFailedError: DR-2*", "E*as if nothing were wrong*"]
    )
    (found,) = [one for one in report["results"] if one["check"] == "DR-2"]
    assert (found["path"], found["line"], found["level"]) == ("test_it.py", 3, "must")
