"""One rule, put to a client: the verdict, its text, and what the options change."""

import datetime as dt
import sys
from collections.abc import Callable

import httpx
import pytest
from doubles.clients.broken_leaks import FollowsRedirects, LogsUrls
from doubles.clients.broken_tokens import NoBuffer
from doubles.clients.good_client import GoodClient
from doubles.clients.plain_client import PlainClient
from doubles.clients.registry import BROKEN
from doubles.clients.stacks import SyncHttpx
from doubles.clients.sweeping import examine

from pytest_turris.conformance.client_under_test import ClientUnderTest
from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.observation.recorder import RunawayError
from pytest_turris.conformance.rules import RULES
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.durations import moment
from pytest_turris.doors.sockets.pool import Server
from pytest_turris.findings.errors import (
    CheckFailedError,
    CheckWarning,
)
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel


@pytest.fixture
def case(turris: Sandbox, turris_time: TimeTravel) -> TokenCase:
    """The rule about the buffer."""
    return TokenCase("TC-05", turris, turris_time)


def test_every_rule_is_probed() -> None:
    """The rules are numbered without a gap, and are in order; each has all its texts."""
    assert [f"TC-{number:02d}" for number in range(1, len(RULES) + 1)] == list(RULES)
    for rule in RULES.values():
        for text in (rule.does, rule.why, rule.fix):
            assert text.endswith("."), (rule.id, text)
        for text in (rule.title, rule.usual_bug, rule.source):
            assert text[-1] not in " .", (rule.id, text)


def test_failure_says_what_to_do(case: TokenCase) -> None:
    """The failure has times and counts, why, a fix, the usual bug, and how to ignore it."""
    client = SyncHttpx(NoBuffer())
    with pytest.raises(CheckFailedError) as raised:
        case.run(client.call)
    client.close()
    text = str(raised.value)
    assert "at an age of 55:01.001 the token was still used; it is due when older" in text
    assert "token 1 of age 55:00.000 -> 200" in text
    assert "  note:      the usual bug: the buffer is forgotten" in text
    assert "Source: vendor: elapsed > TTL - buffer." in text
    assert '@pytest.mark.turris(ignore={"TC-05": "why this is fine"})' in text
    assert "eyJ" not in text


def test_should_warns(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A broken rule of level should is a warning, not a failure."""
    client = SyncHttpx(LogsUrls())
    with pytest.warns(CheckWarning, match=r"TC-55-.*: warned \(should\)"):
        TokenCase("TC-55", turris, turris_time).run(client.call)
    client.close()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async_run(backend: str, turris: Sandbox, turris_time: TimeTravel) -> None:
    """A rule is put to an async client on either event loop."""
    import anyio

    case = TokenCase("TC-01", turris, turris_time)

    async def main() -> None:
        async with httpx.AsyncClient(base_url=turris.base_url) as http:
            body = {
                "clientId": turris.client.client_id,
                "clientSecret": str(turris.client.client_secret),
            }
            token = (await http.post("/v1/auth/jwt", json=body)).json()["data"]["accessToken"]
            headers = {"authorization": f"Bearer {token}"}
            verdict = await case.aexamine(
                _under_test(lambda: http.get("/v1/agents", headers=headers))
            )
            assert verdict.outcome == "failed"
            assert "0 token requests instead of 1" in str(verdict)

    anyio.run(main, backend=backend)


@pytest.mark.turris(token_ttl=dt.timedelta(minutes=30), refresh_buffer=dt.timedelta(minutes=2))
def test_cases_follow_the_options(case: TokenCase) -> None:
    """With another TTL and buffer the boundary points are theirs."""
    client = type("TwoMinutes", (GoodClient,), {"buffer": dt.timedelta(minutes=2)})
    assert examine(case, "httpx", client).outcome == "passed"
    assert "at an age of 27:59.999 the token was replaced" in str(examine(case, "httpx"))


@pytest.mark.parametrize("engine", ["freezegun", "time-machine"])
def test_engines_agree(pytester: pytest.Pytester, engine: str) -> None:
    """The sweep through the fixture gives the same results on either engine."""
    pytester.makeini(f"[pytest]\nturris_time_engine = {engine}\n")
    pytester.makepyfile(
        """
        import sys
        sys.path.insert(0, {root!r})
        from doubles.clients.good_client import GoodClient
        from doubles.clients.stacks import SyncHttpx

        def test_conforms(turris_token_case):
            new = lambda: SyncHttpx(GoodClient()).call
            client = SyncHttpx(GoodClient())
            turris_token_case.run(client.call, new_client=new, write=client.write)

        def test_copes(turris_hostile_answer):
            turris_hostile_answer.run(SyncHttpx(GoodClient()).call)
        """.replace("{root!r}", repr(str(__import__("pathlib").Path(__file__).parent.parent)))
    )
    result = pytester.runpytest_subprocess(
        "--disable-plugin-autoload", "-p", "pytest_turris.plugin", "-W", "ignore::ResourceWarning"
    )
    outcomes = result.parseoutcomes()
    # Four rules need an async client, three answers and TC-53 more calls, TC-46 a repeated write,
    # TC-70 a file; and freezegun knows no zones.
    skipped = 11 if engine == "freezegun" else 10
    checks = len(RULES) + len(CATALOGUE)
    assert (outcomes["passed"], outcomes["skipped"]) == (checks - skipped, skipped)


def test_boundary_points_are_exact(
    case: TokenCase, turris_time: TimeTravel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls are made at 55 and 60 minutes, and a millisecond before and after."""
    ages: list[str] = []
    go = ClientHarness.move_to_token_age

    def noted(harness: ClientHarness, age: dt.timedelta) -> ProbeSteps[None]:
        ages.append(moment(age))
        yield from go(harness, age)

    monkeypatch.setattr(ClientHarness, "move_to_token_age", noted)
    assert examine(case, "httpx").outcome == "passed"
    assert ages == [
        "54:59.999", "55:00.000", "55:00.001", "55:01.001", "59:59.999", "60:00.000", "60:00.001",
    ]  # fmt: skip


@pytest.mark.parametrize(("follow", "outcome"), [(True, "failed"), (False, "passed")])
def test_restricted_token_is_a_credential_too(
    turris: Sandbox, turris_time: TimeTravel, *, follow: bool, outcome: str
) -> None:
    """A restricted access token that follows a redirect to another origin is found there."""
    restricted = turris.credentials.issue_restricted(allowed=["0.0.0.0/0"])

    def call() -> httpx.Response:
        headers = {"x-restricted-access-token": restricted.token}
        url = f"{turris.base_url}/v1/agents"
        return httpx.get(url, headers=headers, follow_redirects=follow).raise_for_status()

    verdict = TokenCase("TC-20", turris, turris_time).examine(_under_test(call))
    assert verdict.outcome == outcome, verdict
    assert ("the header x-restricted-access-token" in str(verdict)) is follow
    assert restricted.token not in str(verdict)


@pytest.mark.turris(tls=True, time_engine="time-machine")
@pytest.mark.parametrize("stack", ["requests", "aiohttp"])
@pytest.mark.parametrize("client", [GoodClient, FollowsRedirects])
def test_downgrade_over_two_listeners(
    stack: str, client: type[GoodClient], turris: Sandbox, *, turris_time: TimeTravel,
    turris_server: Server, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A client that follows a redirect from TLS to a plain listener is caught."""
    monkeypatch.setenv("SSL_CERT_FILE", str(turris_server.ca_file))
    verdict = examine(TokenCase("TC-19", turris, turris_time), stack, client)
    assert verdict.outcome == ("passed" if client is GoodClient else "failed"), verdict


def test_ids_cost_nothing_where_unused() -> None:
    """Loading the plugin loads neither rules nor answers."""
    import subprocess

    code = (
        "import sys, pytest_turris.plugin; print([m for m in sys.modules if m.startswith("
        "'pytest_turris.') and m != 'pytest_turris.plugin'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


ALONE = ("-p", "no:randomly", "-p", "no:cacheprovider", "-W", "ignore")


def test_failure_shows_the_users_line_and_none_of_ours(pytester: pytest.Pytester) -> None:
    """The failure shows the user's line and the verdict, once, and no line of the plugin."""
    pytester.makepyfile(
        """
        def test_buffer(turris_token_case, turris):
            import httpx
            own = turris.client
            names = {"clientId": own.client_id, "clientSecret": own.client_secret}
            def call():
                token = httpx.post(turris.base_url + "/v1/auth/jwt", json=names).json()["data"]
                httpx.get(turris.base_url + "/v1/agents",
                          headers={"authorization": "Bearer " + token["accessToken"]})
            turris_token_case.run(call)
        """
    )
    result = pytester.runpytest_inprocess("-k", "TC-01", *ALONE)
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "turris_token_case.run(call)" in text
    assert "test_buffer[TC-01-one-token-serves]" in text
    assert "E       CheckFailedError: TC-01" in text
    assert "pytest_turris.findings" not in text
    assert "TC-01-one-token-serves-many-calls: failed (must)" in text
    for ours in ("report.py", "case.py", "def _report", "verdict = Verdict"):
        assert ours not in text


def _under_test(call: Callable[[], object]) -> ClientUnderTest:
    return ClientUnderTest(call=call)


class WithoutAKeyForm(GoodClient):
    """Keys that are not UUIDs."""

    def new_key(self) -> object:
        """A number that grows."""
        self.count = getattr(self, "count", 0) + 1
        return f"write-{self.count}"


def test_key_that_is_not_a_uuid_is_found(turris: Sandbox, turris_time: TimeTravel) -> None:
    """Whatever Turris says about such a key, the rule names it."""
    verdict = examine(TokenCase("TC-48", turris, turris_time), "httpx", WithoutAKeyForm)
    assert verdict.findings[0].got == "an idempotency key is not a UUID"


@pytest.mark.parametrize(("rule", "client"), [("TC-46", "TC-50"), ("TC-35", "TC-01")])
def test_bug_of_another_rule_is_none_here(
    turris: Sandbox, turris_time: TimeTravel, rule: str, client: str
) -> None:
    """A retry with its key and bytes, and a token for each call, are fine to these rules."""
    verdict = examine(TokenCase(rule, turris, turris_time), "httpx", BROKEN[client])
    assert verdict.outcome == "passed", verdict


def test_next_page_is_named_in_json_only(turris: Sandbox, turris_time: TimeTravel) -> None:
    """An answer that is not JSON stays as it is."""
    client = PlainClient(turris)

    def call() -> bytes:
        headers = {"authorization": f"Bearer {client.token()}"}
        return httpx.request("HEAD", f"{turris.base_url}/v1/agents", headers=headers).content

    under_test = ClientUnderTest(call=call)
    assert TokenCase("TC-35", turris, turris_time).examine(under_test).outcome == "passed"


class Stubborn(TokenCase):
    """A case whose client cannot be stopped by an exception of its call."""

    def _steps(self, harness: ClientHarness) -> ProbeSteps[tuple[str, ...]]:
        yield from harness.get_first_token()
        raise RunawayError("more than 500 requests")


def test_client_that_would_not_stop_breaks_the_rule(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """A flood that arrives between two calls is a finding too."""
    verdict = examine(Stubborn("TC-01", turris, turris_time), "httpx")
    assert verdict.findings[0].got == ("the client sent more than 500 requests and would not stop")
    assert repr(Stubborn("TC-01", turris, turris_time)) == (
        "<Stubborn TC-01: One token serves many calls>"
    )
