"""A test that gets a token and lists agents, compared with bare respx and two canned routes.

Both run in one pytest process, alternating in groups of 20, with a shared client. The ratio is what
counts. CPU time, because wall time includes the work of other processes.
"""

import subprocess
import sys
import tempfile
from importlib.metadata import entry_points
from pathlib import Path

# Their hooks take time in every test, on both sides.
OTHERS = {entry.name for entry in entry_points(group="pytest11")} - {"turris", "respx"}

CONFTEST = """
import statistics
import time

import httpx
import pytest

names = "turris respx_mock turris_own_client respx_own_client turris_unused respx_unused"
took = {name: [] for name in names.split()}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    begin = time.process_time()
    result = yield
    took[item.originalname.removeprefix("test_")].append((time.process_time() - begin) * 1000)
    return result


def pytest_collection_modifyitems(items):
    # As in a real suite, a test follows others of its kind: alternate in groups of 20.
    items.sort(key=lambda item: int(item.name.partition("[")[2].rstrip("]")) // 20)


def pytest_sessionfinish():
    for what, ours, theirs in (
        ("token POST + GET, shared client", "turris", "respx_mock"),
        ("the same, httpx.Client() per test", "turris_own_client", "respx_own_client"),
        ("the fixture only", "turris_unused", "respx_unused"),
    ):
        a, b = statistics.median(took[ours]), statistics.median(took[theirs])
        print(f"\\n{what}: turris {a:.2f} ms, bare respx_mock {b:.2f} ms, ratio {a / b:.2f}")
"""
SUITE = """
import httpx, pytest

BASE = "https://public.api.sandbox.turrisfi.com"
client = httpx.Client(base_url=BASE)
often = pytest.mark.parametrize("n", range(400))


def exchange(credentials, client=client):
    token = client.post("/v1/auth/jwt", json=credentials).json()["data"]["accessToken"]
    answer = client.get("/v1/agents", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["data"] == []


@often
def test_turris(turris, n):
    exchange({"clientId": turris.client.client_id, "clientSecret": turris.client.client_secret})


@often
def test_turris_own_client(turris, n):
    with httpx.Client(base_url=BASE) as own:
        credentials = turris.client
        known = {"clientId": credentials.client_id, "clientSecret": credentials.client_secret}
        exchange(known, own)


@pytest.fixture
def canned(respx_mock):
    respx_mock.post(f"{BASE}/v1/auth/jwt").respond(
        201, json={"data": {"accessToken": "e" * 700, "expiresIn": 3600, "tokenType": "Bearer"}}
    )
    respx_mock.get(f"{BASE}/v1/agents").respond(200, json={"data": []})


@often
def test_respx_mock(canned, n):
    exchange({"clientId": "a", "clientSecret": "b"})


@often
def test_respx_own_client(canned, n):
    with httpx.Client(base_url=BASE) as own:
        exchange({"clientId": "a", "clientSecret": "b"}, own)


@often
def test_turris_unused(turris, n):
    pass


@often
def test_respx_unused(respx_mock, n):
    pass
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "conftest.py").write_text(CONFTEST, encoding="utf-8")
        Path(folder, "test_both.py").write_text(SUITE, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"]
        command += [word for name in sorted(OTHERS) for word in ("-p", f"no:{name}")]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        for line in run.stdout.splitlines():
            if "ratio" in line or "failed" in line:
                print(line)


if __name__ == "__main__":
    main()
