"""The cost of one test over a socket, compared with pytest-httpserver and uvicorn per test.

The exchange is the same as in process: a token with a new signature, and a list. pytest-httpserver
has one server for the session, like ``turris_server``. It is measured with signed tokens and with
canned responses. Wall time, because waiting for a socket counts.
"""

from suite import medians, milliseconds

SUITE = """
import json, time
import httpx, jwt
from werkzeug import Response
from pytest_turris.core.access.keys import signing_key

KNOWN = {"clientId": "a", "clientSecret": "b"}
TOKEN = {"accessToken": "e" * 700, "expiresIn": 3600, "tokenType": "Bearer"}
client = httpx.Client(trust_env=False)


def exchange(base, credentials):
    token = client.post(f"{base}/v1/auth/jwt", json=credentials).json()["data"]["accessToken"]
    answer = client.get(f"{base}/v1/agents", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["data"] == []


def test_turris(turris_server):
    known = turris_server.sandbox.client
    credentials = {"clientId": known.client_id, "clientSecret": known.client_secret}
    exchange(turris_server.base_url, credentials)


def test_canned(httpserver):
    httpserver.expect_request("/v1/auth/jwt", method="POST").respond_with_json({"data": TOKEN})
    httpserver.expect_request("/v1/agents").respond_with_json({"data": []})
    exchange(httpserver.url_for("")[:-1], KNOWN)


def test_signed(httpserver):
    def answer(request):
        claims = {"sub": "a", "exp": time.time() + 3600}
        data = TOKEN | {"accessToken": jwt.encode(claims, signing_key(), "RS256")}
        return Response(json.dumps({"data": data}), 201, content_type="application/json")

    httpserver.expect_request("/v1/auth/jwt", method="POST").respond_with_handler(answer)
    httpserver.expect_request("/v1/agents").respond_with_json({"data": []})
    exchange(httpserver.url_for("")[:-1], KNOWN)

"""
PER_TEST = """
import threading, time
import uvicorn


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body"})


@pytest.fixture
def server():
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.001)
    yield server
    server.should_exit = True
    thread.join()


def test_server(server):
    pass


@pytest.fixture
def plain():
    yield


def test_plain(plain):
    pass


def test_turris(turris_server):
    pass
"""


def main() -> None:
    usual = medians(
        milliseconds(SUITE, plugins=("turris", "pytest_httpserver"), clock="perf_counter")
    )
    ours = usual["turris"]
    for words, kind in (("canned", "canned"), ("signing too", "signed")):
        print(
            f"token POST + GET over a socket: turris_server {ours:.2f} ms, pytest-httpserver "
            f"{words} {usual[kind]:.2f} ms, ratio {ours / usual[kind]:.2f} (goal 0.75, stretch 0.6)"
        )
    took = milliseconds(PER_TEST, count=20, clock="perf_counter")
    first, floor = took["turris"][0], medians(took)["plain"]
    each, peer = medians(took)["turris"] - floor, medians(took)["server"] - floor
    print(
        f"turris_server: first use {first:.0f} ms, each further test {each:.2f} ms more than a "
        f"trivial one; uvicorn per test {peer:.0f} ms, {peer / each:.0f} times as much (goal 50)"
    )


if __name__ == "__main__":
    main()
