"""The cost of one test with the sandbox in process, compared with httpx.MockTransport.

The baseline answers with two constants: no signature, no state, no checks. The time of one RS256
signature is measured too, to show which part of the difference is ours. CPU time.
"""

import statistics
import time

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from suite import medians, milliseconds

from pytest_turris.core.access.keys import signing_key

MORE = 50
SUITE = f"""
import httpx, jwt, time
from pytest_turris.core.access.keys import signing_key

BASE = "https://public.api.sandbox.turrisfi.com"
KNOWN = {{"clientId": "a", "clientSecret": "b"}}
KEY = signing_key()


def exchange(client, credentials, more=0):
    token = client.post("/v1/auth/jwt", json=credentials).json()["data"]["accessToken"]
    for _ in range(1 + more):
        answer = client.get("/v1/agents", headers={{"Authorization": f"Bearer {{token}}"}})
        assert answer.json()["data"] == []


def issued(sandbox):
    client = sandbox.client
    return {{"clientId": client.client_id, "clientSecret": client.client_secret}}


def canned(request):
    if request.method == "POST":
        token = {{"accessToken": "e" * 700, "expiresIn": 3600, "tokenType": "Bearer"}}
        return httpx.Response(201, json={{"data": token}})
    return httpx.Response(200, json={{"data": []}})


def signed(request):
    if request.method == "POST":
        text = jwt.encode({{"sub": "a", "exp": time.time() + 3600}}, KEY, "RS256")
        return httpx.Response(201, json={{"data": {{"accessToken": text, "expiresIn": 3600}}}})
    bearer = request.headers["authorization"].removeprefix("Bearer ")
    jwt.decode(bearer, KEY.public_key(), ["RS256"])
    return httpx.Response(200, json={{"data": []}})


@pytest.fixture
def plain():
    yield


def test_turris(turris):
    with httpx.Client(base_url=BASE) as client:
        exchange(client, issued(turris))


def test_canned(plain):
    with httpx.Client(base_url=BASE, transport=httpx.MockTransport(canned)) as client:
        exchange(client, KNOWN)


def test_signed(plain):
    with httpx.Client(base_url=BASE, transport=httpx.MockTransport(signed)) as client:
        exchange(client, KNOWN)


def test_turris_more(turris):
    with httpx.Client(base_url=BASE) as client:
        exchange(client, issued(turris), {MORE})


def test_canned_more(plain):
    with httpx.Client(base_url=BASE, transport=httpx.MockTransport(canned)) as client:
        exchange(client, KNOWN, {MORE})


def test_turris_unused(turris):
    pass


def test_plain_unused(plain):
    pass
"""


def main() -> None:
    took = medians(milliseconds(SUITE))
    signature = signature_milliseconds()
    ours, canned, signed = took["turris"], took["canned"], took["signed"]
    print(
        f"token POST + GET, client per test: turris {ours:.2f} ms, canned MockTransport "
        f"{canned:.2f} ms, ratio {ours / canned:.2f} (goal 1.8, stretch 1.5)"
    )
    print(
        f"    one RS256 signature takes {signature:.2f} ms of it, {signature / ours:.0%}; without "
        f"it the ratio is {(ours - signature) / canned:.2f}; against a MockTransport that signs "
        f"and verifies, {signed:.2f} ms, it is {ours / signed:.2f}"
    )
    more = (took["turris_more"] - ours) / MORE
    floor = (took["canned_more"] - canned) / MORE
    print(
        f"one more GET: turris {more:.3f} ms, canned MockTransport {floor:.3f} ms, "
        f"ratio {more / floor:.2f} (goal 2)"
    )
    fixture = took["turris_unused"] - took["plain_unused"]
    print(
        f"the fixture only: {fixture:.3f} ms more than a trivial one of "
        f"{took['plain_unused']:.2f} ms (goal 0.15, stretch 0.05)"
    )


def signature_milliseconds() -> float:
    key, each = signing_key(), []
    for _ in range(300):
        begin = time.process_time()
        key.sign(b"x" * 300, PKCS1v15(), SHA256())
        each.append((time.process_time() - begin) * 1000)
    return statistics.median(each)


if __name__ == "__main__":
    main()
