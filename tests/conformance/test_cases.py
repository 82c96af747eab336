import datetime as dt
import itertools
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from doubles.clients.broken_clients import FollowsRedirects, LogsUrls, NoBuffer
from doubles.clients.fragile_clients import TakesAnything
from doubles.clients.good_client import GoodClient, Token
from doubles.clients.stacks import AsyncHttpx, SyncHttpx
from doubles.clients.sweeping import examine

from pytest_turris.conformance import driver as steps
from pytest_turris.conformance.driver import PATIENCE, Flow
from pytest_turris.conformance.errors import (
    CaseError,
    NotObservedError,
    RuleBrokenError,
    RuleWarning,
)
from pytest_turris.conformance.harness import Lab, Subject
from pytest_turris.conformance.outcome import Outcome
from pytest_turris.conformance.probes import PROBES
from pytest_turris.conformance.rules import RULES
from pytest_turris.core.durations import moment
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.pool import Server
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel

ALONE = ("-p", "no:randomly", "-p", "no:cacheprovider", "-W", "ignore")


@pytest.fixture
def case(turris: Sandbox, turris_time: TimeTravel) -> TokenCase:
    """The rule about the buffer."""
    return TokenCase("TC-05", turris, turris_time)


def test_every_rule_is_probed() -> None:
    """Each of the rules, numbered without a gap, has a probe."""
    assert [f"TC-{number:02d}" for number in range(1, len(RULES) + 1)] == list(RULES)
    assert set(PROBES) == set(RULES)


def test_broken_rule_tells_the_story(case: TokenCase) -> None:
    """The failure has times and counts, the usual bug, the source, and how to ignore it."""
    client = SyncHttpx(NoBuffer())
    with pytest.raises(RuleBrokenError) as told:
        case.run(client.call)
    client.close()
    text = str(told.value)
    assert "at an age of 55:00.001 the token was still used (0 token requests, expected 1)" in text
    assert "token 1 of age 55:00.000 -> 200" in text
    assert 'turris_token_case.ignore("TC-05", reason="...")' in text
    assert "eyJ" not in text


def test_should_warns(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A broken rule of level should is a warning, not a failure."""
    client = SyncHttpx(LogsUrls())
    with pytest.warns(RuleWarning, match="level: should"):
        TokenCase("TC-55", turris, turris_time).run(client.call)
    client.close()


def test_ignored_rule_is_skipped_with_its_reason(case: TokenCase) -> None:
    """An ignored rule makes no call and says why."""
    case.ignore("TC-05", reason="the gateway refreshes for us")
    with pytest.raises(NotObservedError, match="the gateway refreshes for us"):
        case.run(lambda: pytest.fail("called"))


@pytest.mark.parametrize(("rule", "reason"), [("TC-05", " "), ("TC-99", "because")])
def test_ignoring_needs_a_rule_and_a_reason(case: TokenCase, rule: str, reason: str) -> None:
    """Neither an empty reason nor an unknown rule is accepted."""
    with pytest.raises(ValueError, match=r"reason|no such id"):
        case.ignore(rule, reason=reason)


@pytest.mark.parametrize("rule", ["TC-24", "TC-39", "TC-53", "TC-43"])
def test_without_a_probe_nothing_is_observed(
    turris: Sandbox, turris_time: TimeTravel, rule: str
) -> None:
    """What needs a write, a new client or an async call is not observed, never passed."""
    client = SyncHttpx(GoodClient())
    with pytest.raises(NotObservedError, match="not observed"):
        TokenCase(rule, turris, turris_time).run(client.call)
    client.close()


def test_async_call_needs_arun(case: TokenCase) -> None:
    """The sync ``run`` refuses an async call and names the other."""

    async def call() -> None:
        """Nothing."""

    with pytest.raises(CaseError, match="arun"):
        case.run(call)


def test_call_that_fails_by_itself_is_no_verdict(case: TokenCase) -> None:
    """Without a provocation the call must work; else the case says so."""
    with pytest.raises(CaseError, match="although nothing was provoked: ZeroDivisionError"):
        case.run(lambda: 1 // 0)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async_run(backend: str, turris: Sandbox, turris_time: TimeTravel) -> None:
    """An async client is put to the rule on either event loop."""
    import anyio
    import httpx

    case = TokenCase("TC-01", turris, turris_time)

    async def main() -> None:
        async with httpx.AsyncClient(base_url=turris.base_url) as http:
            body = {
                "clientId": turris.client.client_id,
                "clientSecret": str(turris.client.client_secret),
            }
            token = (await http.post("/v1/auth/jwt", json=body)).json()["data"]["accessToken"]
            headers = {"authorization": f"Bearer {token}"}
            verdict = await case.aexamine(_subject(lambda: http.get("/v1/agents", headers=headers)))
            assert verdict.status == "broken"
            assert "0 token requests instead of 1" in verdict.text

    anyio.run(main, backend=backend)


@pytest.mark.turris(token_ttl=dt.timedelta(minutes=30), refresh_buffer=dt.timedelta(minutes=2))
def test_cases_follow_the_options(case: TokenCase) -> None:
    """With another TTL and buffer the boundary points are theirs."""
    client = type("TwoMinutes", (GoodClient,), {"buffer": dt.timedelta(minutes=2)})
    assert examine(case, "httpx", client).status == "passed"
    assert "at an age of 27:59.999 the token was replaced" in examine(case, "httpx").text


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
    assert (outcomes["passed"], outcomes["skipped"]) == (53 + 35, 5)


def test_boundary_points_are_exact(
    case: TokenCase, turris_time: TimeTravel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The buffer is looked at a millisecond around 55 and 60 minutes, and at both."""
    ages: list[str] = []
    go = Lab.age

    def noted(lab: Lab, age: dt.timedelta) -> None:
        ages.append(moment(age))
        go(lab, age)

    monkeypatch.setattr(Lab, "age", noted)
    assert examine(case, "httpx").status == "passed"
    assert ages == [
        "54:59.999", "55:00.000", "55:00.001", "59:59.999", "60:00.000", "60:00.001",
    ]  # fmt: skip


@pytest.mark.parametrize(("follow", "status"), [(True, "broken"), (False, "passed")])
def test_restricted_token_is_watched_too(
    turris: Sandbox, turris_time: TimeTravel, *, follow: bool, status: str
) -> None:
    """A restricted access token that a redirect carries to another origin is seen there."""
    import httpx

    restricted = turris.credentials.issue_restricted(allowed=["0.0.0.0/0"])

    def call() -> httpx.Response:
        headers = {"x-restricted-access-token": restricted.token}
        url = f"{turris.base_url}/v1/agents"
        return httpx.get(url, headers=headers, follow_redirects=follow).raise_for_status()

    verdict = TokenCase("TC-20", turris, turris_time).examine(_subject(call))
    assert verdict.status == status, verdict.text
    assert ("the header x-restricted-access-token" in verdict.text) is follow
    assert restricted.token not in verdict.text


@pytest.mark.turris(tls=True, time_engine="time-machine")
@pytest.mark.parametrize("stack", ["requests", "aiohttp"])
@pytest.mark.parametrize("client", [GoodClient, FollowsRedirects])
def test_downgrade_over_two_listeners(
    stack: str, client: type[GoodClient], turris: Sandbox, *, turris_time: TimeTravel,
    turris_server: Server, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A redirect from a TLS listener to a plain one is not followed; who follows is caught."""
    monkeypatch.setenv("SSL_CERT_FILE", str(turris_server.ca_file))
    verdict = examine(TokenCase("TC-19", turris, turris_time), stack, client)
    assert verdict.status == ("passed" if client is GoodClient else "broken"), verdict.text


_MARKED = """
import pytest

pytestmark = pytest.mark.turris(
    ignore={{"TC-05": "the gateway refreshes", "AR-27": "no limits here", {also}: "because"}}
)

def test_rule(turris_token_case):
    if turris_token_case.id == "TC-05":
        turris_token_case.run(lambda: pytest.fail("called"))

def test_answer(turris_hostile_answer):
    if turris_hostile_answer.id == "AR-27":
        turris_hostile_answer.run(lambda: pytest.fail("called"))
"""


def test_marker_ignores_rules_and_answers(pytester: pytest.Pytester) -> None:
    """What a marker ignores is skipped with its reason, in both fixtures; other kinds pass by."""
    pytester.makepyfile(_MARKED.format(also='"WH-13"'))
    result = pytester.runpytest_inprocess("-rs", "-k", "TC-05 or AR-27 or TC-06", *ALONE)
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines(["*TC-05 is ignored: the gateway*", "*AR-27 is ignored: no lim*"])


def test_marker_with_an_unknown_rule_fails(pytester: pytest.Pytester) -> None:
    """A rule that does not exist is a mistake of the marker."""
    pytester.makepyfile(_MARKED.format(also='"TC-99"'))
    result = pytester.runpytest_inprocess("-k", "TC-06 or AR-28", *ALONE)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*turris marker: ignore('TC-99'): there is no such id*"])


def test_ignored_answer_is_skipped(turris: Sandbox, turris_time: TimeTravel) -> None:
    """An ignored hostile answer is not given, and says why."""
    case = HostileCase("AR-27", turris, turris_time)
    case.ignore("AR-27", reason="no limits here")
    with pytest.raises(NotObservedError, match="no limits here"):
        case.run(lambda: pytest.fail("called"))


def test_answer_without_its_probe_is_not_observed(turris: Sandbox, turris_time: TimeTravel) -> None:
    """What needs a write or a record is not observed without, never passed."""
    for name, words in (("AR-20", "write=..."), ("AR-34", "record=..."), ("AR-36", "new_client")):
        client = SyncHttpx(GoodClient())
        with pytest.raises(NotObservedError, match=words):
            HostileCase(name, turris, turris_time).run(client.call)
        client.close()


def test_verdict_names_what_was_left_out(turris: Sandbox, turris_time: TimeTravel) -> None:
    """In process the answers of raw bytes are not given, and the verdict says so."""
    verdict = examine(HostileCase("AR-33", turris, turris_time), "httpx")
    assert verdict.status == "passed"
    left_out = "'half-open', 'half-open, token', 'slow headers', 'slow body'"
    assert f"not given: {left_out}: needs a socket, ask for turris_server" in verdict.text


def test_record_without_an_id_shows_nothing(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A call for a list is no call for a record."""
    client = SyncHttpx(GoodClient())
    with pytest.raises(NotObservedError, match="asked for no record by its id"):
        HostileCase("AR-34", turris, turris_time).run(client.call, record=client.call)
    client.close()


def test_answer_that_nobody_asked_for_shows_nothing(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """A client that replaces no token early does not hear of a 429 while its own holds."""
    verdict = examine(HostileCase("AR-32", turris, turris_time), "httpx", LastsUntilItsExpiry)
    assert verdict.status == "not observed", verdict.text
    assert "'429': the client sent no request that it answers" in verdict.text


def test_naive_client_hears_of_odd_tokens(turris: Sandbox, turris_time: TimeTravel) -> None:
    """One that uses its token to the last moment asks for another one in time, and is caught."""
    client = type("Naive", (TakesAnything, LastsUntilItsExpiry), {})
    for name in ("AR-02", "AR-03"):
        assert examine(HostileCase(name, turris, turris_time), "httpx", client).status == "broken"


def test_ids_cost_nothing_where_unused() -> None:
    """Loading the plugin loads neither rules nor answers."""
    import subprocess

    code = (
        "import sys, pytest_turris.plugin; print([m for m in sys.modules if m.startswith("
        "'pytest_turris.') and m != 'pytest_turris.plugin'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_async_httpx_stack_is_async(turris: Sandbox) -> None:
    """The stacks say how they are called."""
    assert AsyncHttpx.is_async
    assert not SyncHttpx.is_async


class LastsUntilItsExpiry(GoodClient):
    """No buffer, still used at its very expiry, and a 401 is final: three bugs and no more."""

    buffer = dt.timedelta(0)

    def is_valid(self, token: Token) -> bool:
        """<= in place of <."""
        return dt.timedelta(0) <= self.now() - token.at <= token.lifetime

    def tries(self) -> tuple[bool, ...]:
        """One."""
        return (True,)


@pytest.mark.parametrize("rule", ["TC-05", "TC-06", "TC-12"])
def test_its_own_bugs_are_found(turris: Sandbox, turris_time: TimeTravel, rule: str) -> None:
    """What is wrong with a client is told by the rules about that."""
    verdict = examine(TokenCase(rule, turris, turris_time), "httpx", LastsUntilItsExpiry)
    assert verdict.status == "broken"


@pytest.mark.parametrize("rule", ["TC-03", "TC-09", "TC-21", "TC-24", "TC-25", "TC-26", "TC-27"])
def test_no_bug_is_told_by_other_rules(turris: Sandbox, turris_time: TimeTravel, rule: str) -> None:
    """Rules about something else let time pass well beyond the expiry, and need no buffer."""
    verdict = examine(TokenCase(rule, turris, turris_time), "httpx", LastsUntilItsExpiry)
    assert verdict.status == "passed", verdict.text


@pytest.mark.parametrize("answer", ["AR-01", "AR-24"])
def test_no_bug_is_told_by_other_answers(
    turris: Sandbox, turris_time: TimeTravel, answer: str
) -> None:
    """The same for hostile answers of the token endpoint."""
    verdict = examine(HostileCase(answer, turris, turris_time), "httpx", LastsUntilItsExpiry)
    assert verdict.status == "passed", verdict.text


@pytest.mark.parametrize("rule", ["TC-07", "TC-41", "TC-42"])
def test_what_is_never_replaced_early_shows_nothing(
    turris: Sandbox, turris_time: TimeTravel, rule: str
) -> None:
    """Without a buffer no age and no failed refresh can be seen in it."""
    verdict = examine(TokenCase(rule, turris, turris_time), "httpx", LastsUntilItsExpiry)
    assert (verdict.status, "see TC-05" in verdict.text) == ("not observed", True)


@pytest.mark.parametrize("name", ["TC-17", "TC-18", "AR-36"])
def test_client_that_is_not_made_from_the_environment_shows_nothing(
    turris: Sandbox, turris_time: TimeTravel, name: str
) -> None:
    """Requests to the sandbox are no requests to the place that the environment named."""
    case: Any = (TokenCase if name.startswith("TC") else HostileCase)(name, turris, turris_time)
    client = SyncHttpx(GoodClient())
    subject = Subject(call=client.call, new_client=lambda: client.call)
    verdict = case.examine(subject)
    client.close()
    assert verdict.status == "not observed", verdict.text
    assert "it has to read the environment" in verdict.text


@pytest.mark.parametrize("rule", ["TC-36", "TC-37"])
def test_client_that_sends_nothing_shows_nothing(
    turris: Sandbox, turris_time: TimeTravel, rule: str
) -> None:
    """Where nothing was sent no rule was kept."""
    client = SyncHttpx(GoodClient())
    subject = Subject(call=client.call, new_client=lambda: lambda: 1 // 0)
    verdict = TokenCase(rule, turris, turris_time).examine(subject)
    client.close()
    assert verdict.status == "not observed", verdict.text
    assert "ZeroDivisionError" in verdict.text


def test_async_call_from_many_threads_needs_arun(turris: Sandbox, turris_time: TimeTravel) -> None:
    """It is told as such, and not as a call that hangs."""

    async def call() -> None:
        """Nothing."""

    with pytest.raises(CaseError, match="arun"):
        TokenCase("TC-02", turris, turris_time).run(call)


def test_hung_calls_are_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience is for all calls together, not for each after the other."""
    moments = itertools.chain([0.0], itertools.repeat(PATIENCE + 1))
    monkeypatch.setattr(steps, "steady_time", lambda: next(moments))
    go_on = threading.Event()

    def flow() -> Flow[list[Outcome]]:
        return (yield steps.Make((go_on.wait,) * 20, at_once=True))

    outcomes = steps.drive(flow(), lambda: dt.datetime.now(dt.UTC))
    go_on.set()
    assert {str(outcome) for outcome in outcomes} == {
        "TimeoutError: the call still hangs after 5 s"
    }


def test_failure_shows_the_users_line_and_none_of_ours(pytester: pytest.Pytester) -> None:
    """The story is told once, under the line of the test, and has no line that is not its own."""
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
    assert "TC-01 One token serves many calls: broken" in text
    for ours in ("exam.py", "case.py", "def _tell", "verdict = Verdict"):
        assert ours not in text


def test_errors_of_several_lines_are_told_in_one() -> None:
    """What stands in further lines, such as where to read more, is left out."""
    assert str(Outcome(error=LookupError("no such thing\nmore: https://x"))) == (
        "LookupError: no such thing"
    )


def _subject(call: Callable[[], object]) -> Subject:
    return Subject(call=call)
