"""Cases that have nothing to look at, or cannot be run."""

import contextlib
import itertools
import os
import ssl
import threading
import time
from typing import Any

import httpx
import pytest
from doubles.clients.client_steps import ApiError
from doubles.clients.early_and_late import LastsUntilItsExpiry
from doubles.clients.good_client import GoodClient
from doubles.clients.registry import BROKEN
from doubles.clients.stacks import SyncHttpx
from doubles.clients.sweeping import examine

from pytest_turris.conformance.client_under_test import ClientUnderTest
from pytest_turris.conformance.errors import CaseError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.pool import Server
from pytest_turris.findings.errors import CheckFailedError, NotObservedError
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel


@pytest.fixture
def case(turris: Sandbox, turris_time: TimeTravel) -> TokenCase:
    """The rule about the buffer."""
    return TokenCase("TC-05", turris, turris_time)


@pytest.mark.parametrize("rule", ["TC-24", "TC-39", "TC-53", "TC-43"])
def test_without_a_probe_nothing_is_observed(
    turris: Sandbox, turris_time: TimeTravel, rule: str
) -> None:
    """A rule that needs a write, a new client or an async call is not observed without it."""
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
    """A call that fails before anything was provoked is an error, not a verdict."""
    with pytest.raises(CaseError, match="although nothing was provoked: ZeroDivisionError"):
        case.run(lambda: 1 // 0)


def test_answer_without_its_probe_is_not_observed(turris: Sandbox, turris_time: TimeTravel) -> None:
    """An answer that needs a write, a record or a new client is not observed without it."""
    for name, words in (("AR-20", "write=..."), ("AR-34", "record=..."), ("AR-36", "new_client")):
        client = SyncHttpx(GoodClient())
        with pytest.raises(NotObservedError, match=words):
            HostileCase(name, turris, turris_time).run(client.call)
        client.close()


@pytest.mark.parametrize("rule", ["TC-07", "TC-41", "TC-42"])
def test_what_is_never_replaced_early_shows_nothing(
    turris: Sandbox, turris_time: TimeTravel, rule: str
) -> None:
    """A client without a refresh buffer gives no occasion to see what happens inside it."""
    verdict = examine(TokenCase(rule, turris, turris_time), "httpx", LastsUntilItsExpiry)
    assert (verdict.outcome, "see TC-05" in str(verdict)) == ("not observed", True)


@pytest.mark.parametrize("name", ["TC-17", "TC-18", "AR-36"])
def test_client_that_is_not_made_from_the_environment_shows_nothing(
    turris: Sandbox, turris_time: TimeTravel, name: str
) -> None:
    """A client that still calls the sandbox did not read the environment, so nothing is seen."""
    case: Any = (TokenCase if name.startswith("TC") else HostileCase)(name, turris, turris_time)
    client = SyncHttpx(GoodClient())
    under_test = ClientUnderTest(call=client.call, new_client=lambda: client.call)
    verdict = case.examine(under_test)
    client.close()
    assert verdict.outcome == "not observed", verdict
    assert "does not read the environment" in str(verdict)


@pytest.mark.parametrize("rule", ["TC-36", "TC-37"])
def test_client_that_sends_nothing_shows_nothing(
    turris: Sandbox, turris_time: TimeTravel, rule: str
) -> None:
    """A client that sends nothing keeps no rule."""
    client = SyncHttpx(GoodClient())
    under_test = ClientUnderTest(call=client.call, new_client=lambda: lambda: 1 // 0)
    verdict = TokenCase(rule, turris, turris_time).examine(under_test)
    client.close()
    assert verdict.outcome == "not observed", verdict
    assert "ZeroDivisionError" in str(verdict)


def test_async_call_from_many_threads_needs_arun(turris: Sandbox, turris_time: TimeTravel) -> None:
    """It is reported as an async call, not as a call that hangs."""

    async def call() -> None:
        """Nothing."""

    with pytest.raises(CaseError, match="arun"):
        TokenCase("TC-02", turris, turris_time).run(call)


class IgnoresTheTrustStore(GoodClient):
    """Trusts its own list of authorities, whatever the environment names."""

    def context(self) -> None:
        """The default one."""


def test_client_that_trusts_no_test_authority_shows_little(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """It refuses every certificate for its issuer, so nothing is seen of the other faults."""
    case = HostileCase("AR-36", turris, turris_time)
    verdict = examine(case, "httpx", IgnoresTheTrustStore)
    assert verdict.outcome == "not observed", verdict
    assert "let new_client trust the authority" in verdict.reason


def test_tls_library_without_old_versions_leaves_them_out(
    turris: Sandbox, turris_time: TimeTravel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TLS library that cannot speak TLS 1.0 makes no server for it."""
    monkeypatch.setattr(ssl, "HAS_TLSv1", False)
    monkeypatch.setattr("pytest_turris.conformance.hostile.bad_certificates._make_old", pytest.fail)
    assert examine(HostileCase("AR-36", turris, turris_time), "httpx").outcome == "passed"


def test_write_that_only_reads_is_no_write(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A GET as write= shows nothing about writes."""
    client = SyncHttpx(GoodClient())
    with pytest.raises(NotObservedError, match="sent no POST, PUT, PATCH or DELETE"):
        TokenCase("TC-39", turris, turris_time).run(client.call, write=client.call)
    client.close()


class IsRefused(GoodClient):
    """Its write has a body that Turris does not accept."""

    def invite(self, key: str, name: str) -> Any:
        """A POST without what Turris requires."""
        path = "/v1/downstream-entity-associations/invite"
        return (yield from self.perform("POST", path, self.key_headers(key), {}))


def case_of(name: str, turris: Sandbox, turris_time: TimeTravel) -> Any:
    """A token case or a hostile answer."""
    return (TokenCase if name.startswith("TC") else HostileCase)(name, turris, turris_time)


_WRITING = ["TC-16", "TC-20", "TC-39", "TC-46", "TC-50", "TC-54", "TC-59", "AR-20"]


@pytest.mark.parametrize("name", [*_WRITING, "TC-53"])
def test_write_that_is_refused_shows_nothing(
    turris: Sandbox, turris_time: TimeTravel, name: str
) -> None:
    """A write that Turris refuses takes no effect: the reason says why it is refused."""
    verdict = examine(case_of(name, turris, turris_time), "httpx", IsRefused)
    assert verdict.outcome == "not observed", verdict
    assert "= is refused: 400, Field 'useInviteUrl' is required" in verdict.reason


class HidesItsRefusal(IsRefused):
    """It reads before it writes, and returns nothing if the write is refused."""

    def invite(self, key: str, name: str) -> Any:
        """A GET, and a POST whose error nothing sees."""
        yield from self.perform("GET", "/v1/agents")
        with contextlib.suppress(ApiError):
            return (yield from super().invite(key, name))
        return None


@pytest.mark.parametrize("name", ["TC-50", "AR-20"])
def test_write_that_hides_its_refusal_shows_nothing(
    turris: Sandbox, turris_time: TimeTravel, name: str
) -> None:
    """What a client reads before it does not make a refused write one that takes effect."""
    verdict = examine(case_of(name, turris, turris_time), "httpx", HidesItsRefusal)
    assert verdict.outcome == "not observed", verdict
    assert "= is refused: 400, Field 'useInviteUrl' is required" in verdict.reason


@pytest.mark.parametrize("name", [*_WRITING, "TC-47", "TC-53", "AR-34"])
def test_call_that_fails_by_itself_is_named(
    turris: Sandbox, turris_time: TimeTravel, name: str
) -> None:
    """A mistake in a call besides the first is shown, not what the call did not do for it."""
    client = SyncHttpx(GoodClient())

    def fail() -> None:
        raise TypeError("write() lacks an argument\nand more")

    others: Any = {"record": fail} if name.startswith("AR") else {"operation": lambda: fail}
    with pytest.raises(NotObservedError, match=r"fails although .*: TypeError: write\(\) lacks an"):
        case_of(name, turris, turris_time).run(client.call, write=fail, **others)
    client.close()


def test_write_that_is_not_repeated_shows_nothing_about_retries(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """A client that looks whether a lost write took effect repeats neither its key nor its body."""
    verdict = examine(TokenCase("TC-46", turris, turris_time), "httpx")
    assert verdict.outcome == "not observed"
    assert verdict.reason == "a write whose answer is lost is not repeated"


def test_write_without_a_key_shows_nothing_about_keys(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """Rules about keys need a write that has one."""
    verdict = examine(TokenCase("TC-47", turris, turris_time), "httpx", BROKEN["TC-39"])
    assert verdict.reason == "the write carries no idempotency key"


class LateForTokens(httpx.HTTPTransport):
    """Ends two token requests by a timeout after they arrived, as on a machine that is too slow."""

    left = 2

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Give up on those of the threads in which a rule makes its calls at once."""
        answer = super().handle_request(request)
        at_once = threading.current_thread() is not threading.main_thread()
        if at_once and self.left and request.url.path == "/v1/auth/jwt":
            self.left -= 1
            answer.close()
            raise httpx.ReadTimeout("The read operation timed out", request=request)
        return answer


class Impatient:
    """A correct client with one lock, whose timeout is shorter than a busy machine answers."""

    def __init__(self) -> None:
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"], transport=LateForTokens())
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def _headers(self) -> dict[str, str]:
        with self._lock:
            if time.time() > self._until:
                names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
                body = {member: os.environ[name] for member, name in names.items()}
                answer = self.http.post("/v1/auth/jwt", json=body)
                data = answer.raise_for_status().json()["data"]
                self._token = data["accessToken"]
                self._until = time.time() + data["expiresIn"] - 300
            return {"Authorization": f"Bearer {self._token}"}

    def agents(self) -> object:
        """List the agents; an error of the library stays its own."""
        answer = self.http.get("/v1/agents", headers=self._headers())
        return answer.raise_for_status().json()


@pytest.mark.parametrize("rule", ["TC-02", "TC-03"])
def test_calls_that_time_out_show_nothing(
    turris: Sandbox, turris_time: TimeTravel, turris_server: Server, rule: str
) -> None:
    """A machine that is too slow for the client's timeout makes the client ask once more."""
    client = Impatient()
    with pytest.raises(NotObservedError, match=r"timeout.*slow") as caught:
        TokenCase(rule, turris, turris_time).run(client.agents)
    client.http.close()
    assert "2 of 50 calls ended by the client's own timeout (ReadTimeout" in str(caught.value)


@pytest.mark.parametrize("way", ["over a socket", "in process", "no request"])
def test_any_rule_blames_a_timeout_only_where_the_machine_can_not_be_the_reason(
    turris: Sandbox, turris_time: TimeTravel, request: pytest.FixtureRequest, way: str
) -> None:
    """Over a socket, after the request has arrived, it may be."""
    if way != "in process":
        request.getfixturevalue("turris_server")
    client, numbers = SyncHttpx(GoodClient()), itertools.count()

    def call() -> object:
        """Later calls end by a timeout."""
        is_late = next(numbers) > 0
        agents = None if is_late and way == "no request" else client.call()
        if is_late:
            raise TimeoutError("no answer in time")
        return agents

    error = NotObservedError if way == "over a socket" else CheckFailedError
    with pytest.raises(error, match=r"machine may be too slow|calls failed"):
        TokenCase("TC-06", turris, turris_time).run(call)
    client.close()


def test_calls_that_time_out_before_they_send(
    turris: Sandbox, turris_time: TimeTravel, turris_server: Server
) -> None:
    """A call that waits in vain for a pool of its own says nothing about the machine."""

    def call() -> None:
        raise TimeoutError("no connection is free")

    with pytest.raises(CaseError, match="sent no token request: TimeoutError: no connection is fr"):
        TokenCase("TC-02", turris, turris_time).run(call)
