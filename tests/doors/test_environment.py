"""Children find a server, its credentials and its certificate in their environment."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

import httpx
import pytest
from doubles.doors.child_clients import program

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.environment import TRUST, no_proxy_for
from pytest_turris.doors.sockets.pool import Server, ServerPool
from pytest_turris.fixtures.server import serving

PATH = "/.well-known/jwks.json"
IN_PYTHON = {
    "urllib": "import urllib.request as lib; print(lib.urlopen(url).status)",
    "urllib3": "import ssl, urllib3 as lib; print(lib.request('GET', url, retries=0).status)",
    "requests": "import requests as lib; print(lib.get(url).status_code)",
    "httpx": "import httpx as lib; print(lib.get(url).status_code)",
    "httpx2": "import httpx2 as lib; print(lib.get(url).status_code)",
    "aiohttp": (
        "import asyncio, aiohttp as lib\n"
        "async def main():\n"
        "    async with lib.ClientSession() as session, session.get(url) as answer:\n"
        "        print(answer.status)\n"
        "asyncio.run(main())"
    ),
}
IN_NODE = {
    "fetch": "fetch(url).then((answer) => console.log(answer.status))",
    "http": (
        "require(url.split(':')[0]).get(url, (answer) => {"
        "console.log(answer.statusCode); answer.resume() })"
    ),
}
CHILDREN = ["curl", *IN_NODE, *IN_PYTHON]


def command(child: str) -> list[str]:
    """A program that prints the status it gets, and reads all it knows in its environment."""
    if child in IN_PYTHON:
        url = f"import os; url = os.environ['TURRIS_BASE_URL'] + {PATH!r}\n"
        return [sys.executable, "-W", "error", "-c", url + IN_PYTHON[child]]
    if child in IN_NODE:
        url = f"const url = process.env.TURRIS_BASE_URL + {PATH!r};"
        return [program("node"), "-e", url + IN_NODE[child]]
    return [
        "sh",
        "-c",
        f"{program('curl')} -qsS -o /dev/null -w %{{http_code}} $TURRIS_BASE_URL{PATH}",
    ]


def run(child: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The output of such a program."""
    return subprocess.run(
        command(child), env=environment, capture_output=True, text=True, check=False, timeout=30
    )


def without(names: tuple[str, ...], environment: Mapping[str, str]) -> dict[str, str]:
    """An environment that does not have these variables."""
    return {name: value for name, value in environment.items() if name not in names}


@pytest.fixture
def plain(pool: ServerPool) -> Iterator[Server]:
    """A server that speaks HTTP."""
    with pool.serve(Sandbox()) as server:
        yield server


@pytest.fixture
def secure(pool: ServerPool) -> Iterator[Server]:
    """A server that speaks HTTPS."""
    with pool.serve(Sandbox(Options(tls=True))) as server:
        yield server


@pytest.fixture
def company() -> Iterator[Server]:
    """A server with another authority."""
    pool = ServerPool()
    with pool.serve(Sandbox(Options(tls=True))) as server:
        yield server
    pool.stop()


@pytest.mark.parametrize("child", CHILDREN)
def test_child_reaches_a_plain_server(plain: Server, child: str) -> None:
    """A child needs nothing but its environment."""
    done = run(child, plain.environment())
    assert done.stdout.strip() == "200", done.stderr
    assert len(plain.sandbox.journal) == 1


@pytest.mark.parametrize("child", CHILDREN)
def test_child_trusts_a_secure_server(secure: Server, child: str) -> None:
    """Each library finds the certificate authority by its own variable."""
    done = run(child, secure.environment())
    assert done.stdout.strip() == "200", done.stderr
    assert len(secure.sandbox.journal) == 1


@pytest.mark.parametrize("child", CHILDREN)
def test_child_that_was_not_told_trusts_nobody(secure: Server, child: str) -> None:
    """Without these variables a child refuses the certificate."""
    done = run(child, without(TRUST, secure.environment()))
    assert done.returncode != 0
    assert "certificate" in done.stderr.lower()
    assert len(secure.sandbox.journal) == 0


@pytest.mark.parametrize("child", CHILDREN)
def test_child_goes_on_to_trust_what_it_trusted(
    secure: Server, company: Server, child: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of the company, for example, by the authority that its machines trust."""
    monkeypatch.setenv("SSL_CERT_FILE", str(company.ca_file))
    environment = secure.environment()
    for base_url in (secure.base_url, company.base_url):
        done = run(child, environment | {"TURRIS_BASE_URL": base_url})
        assert done.stdout.strip() == "200", done.stderr


CLIENT = """
import json, os, urllib.request
def call(path, body=None, **headers):
    headers["content-type"] = "application/json"
    url = os.environ["TURRIS_BASE_URL"] + path
    asked = urllib.request.Request(url, body and json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(asked))["data"]
names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
token = call("/v1/auth/jwt", {key: os.environ[name] for key, name in names.items()})
agents = call("/v1/agents", authorization="Bearer " + token["accessToken"])
print(agents[0]["agent"]["npn"])
"""


def test_child_logs_in_with_the_sandbox_credentials(secure: Server) -> None:
    """The credentials are there, and what the test adds is what the child reads."""
    secure.sandbox.agents.add(npn="12345678")
    told = subprocess.run(
        [sys.executable, "-c", CLIENT], env=secure.environment(), capture_output=True, check=True
    )
    assert told.stdout.strip() == b"12345678"
    assert [seen.status for seen in secure.sandbox.journal] == [201, 200]


def test_names_are_those_of_the_options(pool: ServerPool) -> None:
    """Variables with other names are found under those names."""
    options = Options(env_base_url="API_URL", env_client_id="API_ID")
    with pool.serve(Sandbox(options)) as server:
        environment = server.environment()
    assert environment["API_URL"] == server.base_url
    assert environment["API_ID"] == server.sandbox.client.client_id


def test_the_rest_is_this_process(plain: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child keeps its environment, and plain HTTP changes no trust store."""
    for name in TRUST:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OF_THE_DEVELOPER", "kept")
    before = dict(os.environ)
    environment = plain.environment()
    assert environment["OF_THE_DEVELOPER"] == "kept"
    assert environment["PATH"] == os.environ["PATH"]
    assert environment.keys().isdisjoint(TRUST)
    assert dict(os.environ) == before


@pytest.mark.parametrize("child", ["curl", "requests", "httpx"])
def test_proxy_is_not_asked_for_loopback(
    plain: Server, monkeypatch: pytest.MonkeyPatch, child: str
) -> None:
    """A developer's proxy is not used for a server on the same machine."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    environment = plain.environment()
    assert run(child, environment).stdout.strip() == "200"
    asked = run(child, without(("no_proxy", "NO_PROXY"), environment))
    assert asked.stdout.strip() != "200"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "127.0.0.1"),
        ({"NO_PROXY": "a.example"}, "a.example,127.0.0.1"),
        ({"no_proxy": "a.example", "NO_PROXY": "b.example"}, "a.example,127.0.0.1"),
        ({"no_proxy": "*"}, "*"),
        ({"NO_PROXY": "127.0.0.1, a.example"}, "127.0.0.1, a.example"),
    ],
)
def test_hosts_past_the_proxy_are_kept(before: dict[str, str], after: str) -> None:
    """Hosts that the developer excluded from the proxy stay excluded."""
    assert no_proxy_for(before, "http://127.0.0.1:1") == {"no_proxy": after, "NO_PROXY": after}


def test_proxy_is_not_asked_by_the_test_itself(
    request: pytest.FixtureRequest, turris: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor by the code under test while it uses the server; afterwards all is as it was."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "a.example")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with serving(request) as server:
        assert httpx.get(f"{server.base_url}/.well-known/jwks.json").status_code == 200
    assert "no_proxy" not in os.environ
    assert os.environ["NO_PROXY"] == "a.example"
