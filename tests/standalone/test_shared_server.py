"""``--turris-url``: the fixtures with a server that many test processes share."""

import asyncio
import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from doubles.served_sandbox import RefusedError, Running, serving

from mock_server import relay_hub
from mock_server.relay_hub import RelayedTenant
from mock_server.serving.log import standard_error
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from pytest_turris.core.sandbox import Sandbox

CLIENT = """
import os
import httpx

def get(**kwargs):
    with httpx.Client(base_url=os.environ["TURRIS_BASE_URL"], **kwargs) as client:
        names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
        body = {member: os.environ[name] for member, name in names.items()}
        token = client.post("/v1/auth/jwt", json=body).json()["data"]["accessToken"]
        return client.get("/v1/agents", headers={"Authorization": f"Bearer {token}"})
"""
CONSUMER = """
import datetime, os, subprocess, sys
import httpx, pytest
from client import get

@pytest.mark.parametrize("n", range(3))
def test_state(turris, n):
    turris.agents.add(npn="12345678")
    assert len(get().json()["data"]) == 1
    assert turris.token_requests == 1
    assert [exchange.status for exchange in turris.journal] == [201, 200]

def test_base_url(turris, turris_server):
    assert turris.base_url == turris_server.base_url == os.environ["TURRIS_BASE_URL"]
    assert turris.base_url == os.environ["SHARED"]

def test_child(turris_server):
    child = [sys.executable, "-c", "import client; print(client.get().status_code)"]
    run = subprocess.run(child, env=turris_server.environment(), capture_output=True, check=True)
    assert run.stdout.strip() == b"200"
    assert turris_server.sandbox.token_requests == 1

def test_time(turris, turris_time):
    token = turris.tokens.issue(turris.client)
    headers = {"Authorization": f"Bearer {token.text}"}
    url = turris.base_url + "/v1/agents"
    turris_time.to_expiry(plus=-datetime.timedelta(milliseconds=1))
    assert httpx.get(url, headers=headers).status_code == 200
    turris_time.to_expiry()
    with turris.expect_refusal(status=401):
        assert httpx.get(url, headers=headers).status_code == 401

def test_faults(turris):
    turris.faults.add("list_agents", status=503)
    assert get().status_code == 503
    turris.faults.add("list_agents", error="reset")
    with pytest.raises(httpx.RemoteProtocolError): get()

def test_raw_answer(turris):
    turris.faults.hostile("AR-33/half-open", max_seconds=0.05)
    with pytest.raises(httpx.HTTPError): get(timeout=None)
    assert [answer.exhausted for answer in turris.faults.raw_answers] == [True]

def test_further_credentials(turris, monkeypatch):
    other = turris.credentials.issue()
    monkeypatch.setenv("TURRIS_CLIENT_ID", other.client_id)
    monkeypatch.setenv("TURRIS_CLIENT_SECRET", other.client_secret)
    assert get().status_code == 200
    restricted = turris.credentials.issue_restricted()
    headers = {"x-restricted-access-token": restricted.token}
    assert httpx.get(turris.base_url + "/v1/agents", headers=headers).status_code == 200
    assert turris.journal[-1].credential == restricted.name

def test_restored_credentials(turris):
    before = turris.snapshot()
    other = turris.credentials.issue()
    turris.restore(before)
    assert get().status_code == 200
    with turris.expect_refusal(status=401):
        body = {"clientId": other.client_id, "clientSecret": other.client_secret}
        httpx.post(turris.base_url + "/v1/auth/jwt", json=body)

def test_no_credential(turris):
    with turris.expect_refusal(status=401):
        httpx.get(turris.base_url + "/v1/agents")

def test_documented_host(turris):
    url = "https://public.api.sandbox.turrisfi.com/.well-known/jwks.json"
    assert httpx.get(url).status_code == 200
    assert len(turris.journal) == 1
"""
TESTS = 12
CONTROL = "/__sandbox__/control"


@pytest.fixture(autouse=True)
def _nothing_else_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the consumer's suite without other plugins of the environment."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.fixture(scope="module")
def one_for_all() -> Iterator[Running]:
    """A server for all tests that do not change it."""
    with serving(log=subprocess.DEVNULL) as running:
        yield running


@pytest.fixture
def shared(one_for_all: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    """The same server, with the printed variables in the environment."""
    return paste(one_for_all, monkeypatch)


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A server that only one test uses, because the test stops it."""
    with serving() as running:
        yield paste(running, monkeypatch)


def paste(running: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    """Set the environment variables of the printed lines, as a developer does."""
    for variable in ("TURRIS_CONTROL_TOKEN", "SSL_CERT_FILE"):
        if variable in running.variables:
            monkeypatch.setenv(variable, running.variables[variable])
    monkeypatch.setenv("SHARED", url_of(running))
    return running


def run(pytester: pytest.Pytester, url: str, *args: str, **files: str) -> pytest.RunResult:
    """Run a consumer's suite with a server."""
    pytester.makepyfile(client=CLIENT, **files)
    options = ("-p", "turris", "-p", "no:cacheprovider", "-W", "error", "--turris-url", url)
    return pytester.runpytest_subprocess(*options, *args, timeout=200)


def url_of(running: Running) -> str:
    """Return the URL of a server."""
    return running.variables["TURRIS_BASE_URL"]


@pytest.mark.parametrize(
    ("workers", "times"),
    [((), 1), (("-p", "xdist", "-n", "2"), 1), (("-p", "xdist", "--tx=2*popen", "--dist=each"), 2)],
    ids=["one process", "two workers", "two suites"],
)
def test_fixtures_work_as_usual(
    shared: Running, pytester: pytest.Pytester, workers: tuple[str, ...], times: int
) -> None:
    """The same assertions hold with a shared server, also if others run tests there."""
    result = run(pytester, url_of(shared), *workers, test_consumer=CONSUMER)
    result.assert_outcomes(passed=TESTS * times)


def test_over_tls(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority is the one that ``SSL_CERT_FILE`` names."""
    with serving("--tls") as running:
        paste(running, monkeypatch)
        test = "from client import get\ndef test(turris, turris_server):\n"
        test += "    assert get(verify=turris_server.client_context()).status_code == 200\n"
        test += "    assert turris_server.ca_file\n"
        run(pytester, url_of(running), test_tls=test).assert_outcomes(passed=1)


def test_failure_report_is_the_same(shared: Running, pytester: pytest.Pytester) -> None:
    """A failed test shows its last exchanges; an unexpected refusal fails its test."""
    test = (
        "import httpx",
        "from client import get",
        "def test_fails(turris): assert get().status_code == 500",
        "def test_swallows(turris): httpx.get(turris.base_url + '/v1/nonsense')",
    )
    result = run(pytester, url_of(shared), test_story="\n".join(test))
    result.assert_outcomes(passed=1, failed=1, errors=1)
    result.stdout.fnmatch_lines([
        "* ERROR at teardown of test_swallows *",
        "turris: 1 request that Turris would not understand:",
        "*GET /v1/nonsense -> 404*",
        "* test_fails *",
        "* turris exchanges *",
        "*POST /v1/auth/jwt -> 201*[[]get_oauth_token]*",
        "*GET /v1/agents -> 200*[[]list_agents]*",
    ])  # fmt: skip


def test_log_names_the_test(own: Running, pytester: pytest.Pytester) -> None:
    """The server's log names the test of each request, and contains no secret."""
    run(pytester, url_of(own), test_log="from client import get\ndef test(turris): get()")
    own.process.send_signal(signal.SIGINT)
    log = own.process.communicate(timeout=60)[1]
    assert "tenant test_log.py::test\n" in log
    assert "POST /v1/auth/jwt -> 201  for test_log.py::test\n" in log
    assert "secret" not in log
    assert own.variables["TURRIS_CONTROL_TOKEN"] not in log


def test_log_masks_a_token_in_the_path(own: Running, pytester: pytest.Pytester) -> None:
    """A token in a request's path is masked in the server's log."""
    test = (
        "import httpx, pathlib",
        "def test(turris):",
        "    token = turris.tokens.issue(turris.client).text",
        "    with turris.expect_refusal():",
        "        httpx.get(f'{turris.base_url}/v1/agents/{token}')",
        "    pathlib.Path('token').write_text(token)",
    )
    run(pytester, url_of(own), test_path="\n".join(test)).assert_outcomes(passed=1)
    own.process.send_signal(signal.SIGINT)
    log = own.process.communicate(timeout=60)[1]
    assert "GET /v1/agents/***" in log
    assert (pytester.path / "token").read_text() not in log


def test_error_of_the_test_process_ends_the_request(
    shared: Running, pytester: pytest.Pytester
) -> None:
    """If the test process cannot answer, the connection breaks, and the client does not wait."""
    test = (
        "import httpx, pytest",
        "def breaks(request, handle): raise RuntimeError('unexpected')",
        "@pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning')",
        "def test(turris):",
        "    with turris.interceptors.use(breaks), pytest.raises(httpx.RemoteProtocolError):",
        "        httpx.get(turris.base_url, timeout=30)",
    )
    run(pytester, url_of(shared), test_error="\n".join(test)).assert_outcomes(passed=1)


def test_own_sandbox_answers_during_tests(shared: Running, pytester: pytest.Pytester) -> None:
    """Requests with the printed credentials get the server's own sandbox, also during tests."""
    token = shared.token()
    ask = f"import httpx\ndef test(turris):\n    headers = {{'Authorization': 'Bearer {token}'}}\n"
    ask += "    answer = httpx.get(turris.base_url + '/v1/agents', headers=headers)\n"
    ask += "    assert answer.status_code == 200 and not turris.journal\n"
    run(pytester, url_of(shared), test_beside=ask).assert_outcomes(passed=1)


def test_process_that_dies_leaves_nothing(shared: Running, pytester: pytest.Pytester) -> None:
    """When a test process dies, the server forgets its sandboxes."""
    run(pytester, url_of(shared), test_dies="import os\ndef test(turris): os._exit(3)")
    control = f"Bearer {shared.variables['TURRIS_CONTROL_TOKEN']}"
    for _ in range(100):
        found = shared.call(CONTROL + "/tenants", Authorization=control)
        if found == {"tenants": []}:
            break
        time.sleep(0.05)
    assert found == {"tenants": []}
    with pytest.raises(RefusedError, match="401"):
        shared.call("/v1/agents")


@pytest.mark.parametrize(
    "arguments", [(), ("-p", "xdist", "-n", "1")], ids=["one process", "xdist"]
)
def test_server_that_stops_ends_the_run(
    own: Running, pytester: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    """A test whose server stops reports it, and no further test waits for it in vain."""
    test = (
        "import os, signal, time, httpx",
        "def test_stops(turris):",
        f"    os.kill({own.process.pid}, signal.SIGINT)",
        "    for _ in range(100):",
        "        try: httpx.get(turris.base_url + '/v1/agents')",
        "        except httpx.ConnectError: return",
        "        except httpx.HTTPError: pass",
        "        time.sleep(0.05)",
        "@__import__('pytest').mark.turris(fail_on_refusal=False)",
        "def test_after(turris): pass",
    )
    result = run(pytester, url_of(own), *arguments, test_stops="\n".join(test))
    result.assert_outcomes(passed=1, errors=1)
    gone = f"turris: --turris-url: nothing answers at {url_of(own)}: *"
    result.stdout.fnmatch_lines([gone, f"! *Interrupted: {gone}"])
    for words in ("*Traceback*", "*During handling*"):
        result.stdout.no_fnmatch_line(words)


def test_control_token_is_never_shown(own: Running, pytester: pytest.Pytester) -> None:
    """Not in the locals of a traceback, and not in a JUnit file, when the server goes away."""
    test = (
        "import os, signal, time",
        "def test_stops(turris):",
        "    token = os.environ['TURRIS_CONTROL_TOKEN']",
        f"    os.kill({own.process.pid}, signal.SIGKILL)",
        "    time.sleep(0.2)",
        "    assert not token",
    )
    arguments = ("--showlocals", "-vv", "-rA", "--junit-xml=junit.xml")
    result = run(pytester, url_of(own), *arguments, test_stops="\n".join(test))
    result.assert_outcomes(failed=1, errors=1)
    token = own.variables["TURRIS_CONTROL_TOKEN"]
    for text in (*result.outlines, *result.errlines, (pytester.path / "junit.xml").read_text()):
        assert token not in text


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1", "nothing answers at http://127.0.0.1:1: *refused"),
        ("127.0.0.1:8791", "'127.0.0.1:8791' is not a URL such as http://127.0.0.1:8791"),
        ("http://127.0.0.1:1/v1", "give scheme, host and port alone"),
        ("https://public.api.live.turrisfi.com", "public.api.live.turrisfi.com is the real Turris"),
    ],
)
def test_wrong_url(pytester: pytest.Pytester, url: str, words: str) -> None:
    """A wrong URL fails each test; the message says why, and what to do."""
    result = run(pytester, url, test_x="def test_x(turris): pass")
    result.assert_outcomes(errors=1)
    advice = "'turris-sandbox serve' prints the URL, and TURRIS_CONTROL_TOKEN for the *"
    result.stdout.fnmatch_lines([f"turris: --turris-url: {words}. {advice}"])


def test_wrong_token(
    shared: Running, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong control token fails each test."""
    monkeypatch.setenv("TURRIS_CONTROL_TOKEN", "guessed")
    result = run(pytester, url_of(shared), test_x="def test_x(turris): pass")
    words = f"{url_of(shared)} answered 401: the control token is missing or wrong"
    result.stdout.fnmatch_lines([f"turris: --turris-url: {words}. *"])


def test_tls_at_a_server_without_it(shared: Running, pytester: pytest.Pytester) -> None:
    """A test with ``tls=True`` fails at a server without TLS; it does not silently use HTTP."""
    test = "import pytest\n@pytest.mark.turris(tls=True)\ndef test_x(turris): pass"
    result = run(pytester, url_of(shared), test_x=test)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["turris: tls=True, but the server of --turris-url speaks plain *"])


def test_another_kind_of_server(pytester: pytest.Pytester) -> None:
    """A server without the control API is reported as not being turris-sandbox."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        result = run(pytester, url, test_x="def test_x(turris): pass")
        server.shutdown()
    result.stdout.fnmatch_lines(
        [f"turris: --turris-url: {url} answered 501: it is not a turris-sandbox, or is another *"]
    )


def control(running: Running, path: str, document: object = None, **headers: str) -> Any:
    """Call the control API, with the control token unless other headers are passed."""
    if not headers:
        headers = {"Authorization": f"Bearer {running.variables['TURRIS_CONTROL_TOKEN']}"}
    data = None if document is None else json.dumps(document).encode()
    return running.call(path, data=data, **headers)


@pytest.mark.parametrize(
    ("path", "document", "status"),
    [
        (CONTROL + "/relays", {"protocol": 0}, "400"),
        (CONTROL + "/relays", [], "400"),
        (CONTROL + "/relays/none/exchanges/1", {}, "404"),
        (CONTROL + "/relays/none/lines", None, "404"),
        (CONTROL + "/nonsense", None, "404"),
    ],
)
def test_control_refuses_unknown_requests(
    shared: Running, path: str, document: object, status: str
) -> None:
    """The control API refuses unknown requests, and keeps working."""
    with pytest.raises(RefusedError, match=status):
        control(shared, path, document)
    assert control(shared, CONTROL + "/tenants") == {"tenants": []}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer guessed", "Basic Zm9vOmJhcg=="])
@pytest.mark.parametrize("path", [CONTROL + "/tenants", CONTROL + "/relays/x/lines"])
def test_control_needs_its_token(shared: Running, path: str, header: str) -> None:
    """Without the control token every path is refused alike, whether it exists or not."""
    with pytest.raises(RefusedError, match="401"):
        control(shared, path, Authorization=header)


def test_control_token_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control token from the environment is used, and not printed."""
    monkeypatch.setenv("TURRIS_CONTROL_TOKEN", "one-for-the-whole-pipeline")
    with serving() as running:
        assert "TURRIS_CONTROL_TOKEN" not in running.variables
        bearer = "Bearer one-for-the-whole-pipeline"
        assert control(running, CONTROL + "/tenants", Authorization=bearer) == {"tenants": []}


def test_control_refuses_a_body_that_is_not_json(shared: Running) -> None:
    """The body of a request to the control API must be a JSON object."""
    bearer = f"Bearer {shared.variables['TURRIS_CONTROL_TOKEN']}"
    with pytest.raises(RefusedError, match="400"):
        shared.call(CONTROL + "/relays", data=b"{", Authorization=bearer)


async def opened(served: StandaloneSandbox) -> relay_hub.TestProcess:
    """Connect a process that never reads."""
    return served._hub.open(is_alone=False)


def test_request_of_no_test_process() -> None:
    """Without a known credential or socket, the server's own sandbox answers."""
    served = StandaloneSandbox(Sandbox(), ServerSettings(), standard_error())
    with served:
        process = asyncio.run(opened(served))
        process.tenants["1"] = RelayedTenant(process, "a test in another process")
        process.is_closed = True  # so that it owns no socket
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            urllib.request.urlopen(f"{served.base_url}/v1/agents", timeout=60)
        refused.value.close()
        assert [exchange.status for exchange in served.sandbox.journal] == [401]
