"""What a test did not mean to provoke fails it, and what the user reads about it."""

import re
from pathlib import Path

import pytest

from .project import Project

IMPORTS = (
    "import contextlib, httpx, logging, os, pytest",
    "from directory import bearer, credentials, login",
    "def swallow(turris, path='/v1/nothing', **body):",
    "    with contextlib.suppress(Exception):",
    "        httpx.request('POST' if body else 'GET', turris.base_url + path,",
    "            json=body or None).raise_for_status()",
)


def test_unknown_path_fails_though_it_was_swallowed(project: Project) -> None:
    """The failure names the request, why it was refused, and how to relax it."""
    project.files(*IMPORTS, "def test_x(turris): swallow(turris, '/v1/agent')")
    result = project.run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*_ ERROR at teardown of test_x _*",
            "turris: 1 request(s) that Turris would not understand:",
            "  ??:??:??.???Z  GET /v1/agent -> 404  [[]no such operation[]]",
            "    no documented operation has this method and path; the nearest is GET /v1/agents",
            (
                "Meant? Put the call into 'with turris.expect_refusal():', or relax it: "
                "@pytest.mark.turris(fail_on_refusal=False)"
            ),
            "*- turris exchanges -*",
            "??:??:??.???Z  GET /v1/agent -> 404 *",
        ],
        consecutive=True,
    )


def test_failed_validation_fails_though_it_was_swallowed(project: Project) -> None:
    """A body that Turris would refuse fails the test with the rule that it broke."""
    project.files(*IMPORTS, "def test_x(turris): swallow(turris, '/v1/auth/jwt', clientId=1)")
    result = project.run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "  ??:??:??.???Z  POST /v1/auth/jwt -> 400  [[]get_oauth_token[]]",
            "    clientId must be a string; clientSecret must be a string",
        ],
        consecutive=True,
    )


def test_refusals_that_clients_live_with_do_not_fail(project: Project) -> None:
    """401, 403, a missing record and 429 happen in production; they fail nothing."""
    project.files(
        *IMPORTS,
        "@pytest.mark.turris(token_requests_per_minute=1)",
        "def test_x(turris):",
        "    with httpx.Client(base_url=turris.base_url) as http:",
        "        auth = bearer(login(http))",
        "        statuses = [",
        "            http.get('/v1/agents').status_code,",
        "            http.get('/v1/agents/0', headers=auth).status_code,",
        "            http.post('/v1/auth/jwt', json=credentials()).status_code,",
        "            http.get(turris.base_url.replace('s:', ':') + '/v1/agents').status_code,",
        "        ]",
        "    assert statuses == [401, 404, 429, 403]",
    )
    project.run().assert_outcomes(passed=1)


def test_expected_refusal_passes(project: Project) -> None:
    """What is inside ``expect_refusal`` was meant, what is outside was not."""
    project.files(
        *IMPORTS,
        "def test_inside(turris):",
        "    with turris.expect_refusal(status=404) as expected: swallow(turris)",
        "    assert [seen.path for seen in expected.exchanges] == ['/v1/nothing']",
        "def test_outside(turris):",
        "    with turris.expect_refusal(): swallow(turris)",
        "    swallow(turris)",
    )
    result = project.run()
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*_ ERROR at teardown of test_outside _*", "turris: 1 request*"])


def test_missing_refusal_fails_with_what_was_seen(project: Project) -> None:
    """``expect_refusal`` around a call that is accepted fails, and tells what happened."""
    project.files(
        *IMPORTS,
        "def test_x(turris):",
        "    with turris.expect_refusal(status=400, operation='get_oauth_token'):",
        "        login(httpx.Client(base_url=turris.base_url))",
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            (
                "E*RefusalExpected: expected a refusal with status 400 of get_oauth_token, but the "
                "sandbox saw:"
            ),
            "E*POST /v1/auth/jwt -> 201 *",
        ],
    )


@pytest.mark.parametrize("where", ["marker", "ini file"])
def test_option_relaxes_refusals(project: Project, where: str) -> None:
    """``fail_on_refusal=False`` lets refusals pass, by marker and by ini key."""
    marker = "@pytest.mark.turris(fail_on_refusal=False)" if where == "marker" else ""
    if where == "ini file":
        project.ini("turris_fail_on_refusal = false")
    project.files(*IMPORTS, marker, "def test_x(turris): swallow(turris)")
    project.run().assert_outcomes(passed=1)


def test_unused_fault_fails(project: Project) -> None:
    """A scripted failure that never happened tested nothing; the failure says how to relax it."""
    project.files(
        *IMPORTS,
        "def test_unused(turris): turris.faults.add('list_agents', status=503)",
        "def test_optional(turris): turris.faults.add('*', status=503, optional=True)",
        "@pytest.mark.turris(fail_on_unused_fault=False)",
        "def test_relaxed(turris): turris.faults.add('*', error='reset')",
        "def test_used(turris):",
        "    turris.faults.add('jwks', status=503)",
        "    httpx.get(turris.base_url + '/.well-known/jwks.json')",
    )
    result = project.run()
    result.assert_outcomes(passed=4, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*_ ERROR at teardown of test_unused _*",
            "turris: 1 scripted fault(s) that never fired:",
            "  list_agents: status=503 (fired 0 of 1 times)",
            (
                "Not sure to fire? faults.add(..., optional=True), or relax it: "
                "@pytest.mark.turris(fail_on_unused_fault=False)"
            ),
        ],
        consecutive=True,
    )


@pytest.mark.parametrize("fixture", ["turris_server", "turris_time", "turris_webhooks"])
def test_every_fixture_is_strict(project: Project, fixture: str) -> None:
    """Strictness is the sandbox', whichever fixture brought it."""
    project.files(
        f"def test_x({fixture}, request):",
        "    sandbox = request.getfixturevalue('turris')",
        "    sandbox.faults.add('list_agents', status=503)",
    )
    project.run().assert_outcomes(passed=1, errors=1)


def test_failed_test_tells_its_exchanges(project: Project) -> None:
    """A failure comes with the last exchanges, the clock and the count of token requests."""
    project.files(
        *IMPORTS,
        "def test_x(turris):",
        "    with httpx.Client(base_url=turris.base_url) as http:",
        "        for _ in range(13): http.get('/v1/agents')",
        "        login(http)",
        "        assert 0",
        "def test_quiet(turris): assert 0",
    )
    result = project.run()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*- turris exchanges -*",
            "... 2 earlier",
            "??:??:??.???Z  GET /v1/agents -> 401  [[]list_agents[]]",
            "    no Authorization header and no restricted access token",
            (
                "*POST /v1/auth/jwt -> 201  [[]get_oauth_token[]]  as turris_sandbox_client_*, "
                "token [*][*][*]-????"
            ),
            "<Clock ????-??-?? ??:??:??Z>, token requests: 1",
            "*- turris exchanges -*",
            "no request reached the sandbox",
        ]
    )


LEAKY = (
    *IMPORTS,
    "def test_locals(turris):",
    "    secret = os.environ['TURRIS_CLIENT_SECRET']",
    "    token = login(httpx.Client(base_url=turris.base_url))",
    "    headers, token_again = bearer(token), [token]",
    "    print('printed', token, secret)",
    "    logging.getLogger('app').warning('logged %s %s', token, secret)",
    "    save(secret, token)",
    "    assert secret == 'x'",
    "def test_message(turris):",
    "    raise RuntimeError(login(httpx.Client(base_url=turris.base_url)))",
    "def test_compared(turris):",
    "    assert [login(httpx.Client(base_url=turris.base_url))] == ['x']",
    "def test_client(turris):",
    "    save(turris.client.client_secret)",
    "    assert turris.client == turris.tokens.issue(turris.client) == turris",
    "def test_chain(turris):",
    "    try: raise KeyError(os.environ['TURRIS_CLIENT_SECRET'])",
    "    except KeyError as error:",
    "        raise ValueError(os.environ['TURRIS_WEBHOOK_SECRET']) from error",
    "@pytest.fixture",
    "def broken(turris): raise RuntimeError(os.environ['TURRIS_CLIENT_SECRET'])",
    "def test_set_up(broken): pass",
    "def test_teardown(turris):",
    "    print(os.environ['TURRIS_CLIENT_SECRET'])",
    "    swallow(turris, '/v1/agents?access_token=' + os.environ['TURRIS_CLIENT_SECRET'] + '/x')",
    "    swallow(turris, '/v1/auth/jwt/', **credentials())",
    "@pytest.mark.xfail",
    "def test_xfails(turris): raise RuntimeError(os.environ['TURRIS_CLIENT_SECRET'])",
    "def save(*secrets):",
    "    with open('secrets.txt', 'a') as file: print(*secrets, sep='\\n', file=file)",
)


@pytest.mark.parametrize("style", ["long", "short", "native", "line"])
def test_no_output_holds_a_secret(project: Project, style: str) -> None:
    """Whatever a failure shows of locals, messages, diffs and captured output, it is masked."""
    project.files(*LEAKY)
    result = project.run("-l", "-vv", "-rA", f"--tb={style}", "--junitxml=report.xml")
    result.assert_outcomes(passed=1, failed=5, errors=2, xfailed=1)
    report = Path("report.xml").read_text(encoding="utf-8")
    secrets = Path("secrets.txt").read_text(encoding="utf-8").split()
    assert len(secrets) == 3
    assert result.stderr.str() == ""
    for shown in (result.stdout.str(), report):
        assert "***-" in shown
        assert not re.search(r"eyJ[\w-]{8}", shown)
        assert not re.search(r"turris_sandbox_(secret|token|webhook)_", shown)
        for secret in secrets:
            assert secret[-8:] not in shown


def test_cut_secret_shows_four_characters(project: Project) -> None:
    """Where pytest cuts a long text in its middle, the rest of a secret is masked too."""
    project.files(*LEAKY)
    shown = project.run("-l", "-k", "test_locals").stdout.str()
    # A token may have a hyphen before its last four characters, as a mask has.
    shown = shown.replace("***-", "*** ")
    for secret in Path("secrets.txt").read_text(encoding="utf-8").split():
        assert secret[-4:] in shown
        assert secret[-5:] not in shown
