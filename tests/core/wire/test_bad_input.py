"""Bad paths, methods, headers and bodies: a 4xx, and nothing changes."""

import dataclasses
import json
from typing import Any

import pytest
from doubles.sandbox_client import INVITE, NOW, SANDBOX_HOST, Client
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request, Response

MEMBERS = ["statusCode", "requestId", "errorType", "errorMessage", "timestamp"]
TYPES = {"invalid_input", "unauthorized", "forbidden", "not_found", "rate_limit_exceeded"}
MOVING = ("journal", "randomness", "limits", "token_requests")
JSON = ("content-type", "application/json")
AGENTS = "/v1/agents"
JWT = "/v1/auth/jwt"


def state(sandbox: Sandbox) -> dict[str, Any]:
    """The state that a refused request must not change: all but counters and the journal."""
    return {name: part for name, part in sandbox.snapshot().items() if name not in MOVING}


def answer(sandbox: Sandbox, request: Request) -> Response:
    """The response, after checking its shape and the sandbox's state."""
    before = state(sandbox)
    response = sandbox.handle(request)
    if response.status in (200, 201):
        assert request.method == "HEAD" or isinstance(response.json(), dict)
        return response
    assert 400 <= response.status < 500
    assert state(sandbox) == before
    json.dumps(sandbox.snapshot())
    assert str(sandbox.journal[-1])
    if request.method != "HEAD":
        document = response.json()
        assert list(document) == MEMBERS
        assert document["errorType"] in TYPES
        assert document["statusCode"] == response.status
        assert document["errorMessage"]
        assert all(isinstance(message, str) for message in document["errorMessage"])
    return response


def sent(
    sandbox: Sandbox,
    method: str = "GET",
    path: str = AGENTS,
    *,
    body: bytes = b"",
    headers: tuple[tuple[str, str], ...] = (),
    query: str = "",
) -> Response:
    """The answer to a request with a valid token and the given members."""
    token = next(iter(sandbox.tokens), None) or sandbox.tokens.issue(sandbox.client)
    fields = (("authorization", f"Bearer {token.text}"), *headers)
    request = Request(
        method=method, path=path, headers=fields, body=body, host=SANDBOX_HOST, query=query
    )
    return answer(sandbox, request)


BODIES = {
    "nothing": b"",
    "a brace": b"{",
    "a word": b"npn",
    "single quotes": b"{'npn':'1'}",
    "two documents": b"{}{}",
    "a trailing comma": b'{"npn":"1",}',
    "an array": b"[]",
    "null": b"null",
    "a number": b"5",
    "NaN": b'{"npn":NaN}',
    "infinity": b'{"npn":-Infinity}',
    "an overflow": b'{"npn":1e999}',
    "5,000 digits": b'{"npn":' + b"9" * 5_000 + b"}",
    "4,000 digits": b'{"npn":' + b"9" * 4_000 + b"}",
    "100,000 digits after the point": b'{"npn":0.' + b"9" * 100_000 + b"}",
    "100,000 arrays": b"[" * 100_000,
    "100,000 closed arrays": b'{"npn":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 objects": b'{"npn":' * 100_000,
    "no UTF-8": b'{"npn":"\xff\xfe"}',
    "overlong UTF-8": b'{"npn":"\xc0\xaf"}',
    "half a surrogate": b'{"npn":"\\ud800"}',
    "UTF-16": '{"npn":"1"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"npn":"1"}',
    "NULs": b"\x00" * 1_000,
    "10 MB": b'{"npn":"' + b"1" * 10_000_000 + b'"}',
    "10 MB of brackets": b"[" * 10_000_000,
    "many members": json.dumps({f"m{n}": n for n in range(20_000)}).encode(),
    "long names": json.dumps({"x" * 100_000: 1}).encode(),
    "a prototype": b'{"__proto__":{"npn":"1"},"constructor":1}',
    "wrong types": b'{"npn":{"$ne":null},"email":[],"clientId":{"$gt":""},"clientSecret":{}}',
    "a member twice": b'{"npn":5,"npn":[]}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("path", [JWT, AGENTS, INVITE, "/nowhere"])
def test_a_bad_body_is_refused(sandbox: Sandbox, path: str, body: bytes) -> None:
    """Any bad body gets a 4xx in Turris's shape, and nothing changes."""
    response = sent(sandbox, "POST", path, body=body, headers=(JSON,))
    assert 400 <= response.status < 500


PATHS = {
    "nothing": "",
    "a dot": "/v1/agents/.",
    "up": "/v1/agents/../../etc/passwd",
    "up, encoded": "/v1/agents/%2e%2e",
    "up, encoded twice": "/v1/agents/%252e%252e%252f",
    "a slash, encoded": "/v1/agents/..%2f..%2fetc%2fpasswd",
    "double slashes": "//v1//agents",
    "a host": "//evil.example/v1/agents",
    "a whole URL": "https://evil.example/v1/agents",
    "a backslash": "\\v1\\agents",
    "a NUL": "/v1/agents/\x00",
    "a NUL, encoded": "/v1/agents/%00",
    "a line break": "/v1/agents/x\r\nset-cookie: a=b",
    "half an escape": "/v1/agents/%",
    "no escape": "/v1/agents/%zz",
    "no UTF-8": "/v1/agents/%ff%fe",
    "letters": "/v1/agents/é\N{SNOWMAN}\N{PILE OF POO}",
    "half a surrogate": "/v1/agents/\ud800",
    "a script": "/v1/agents/<script>alert(1)</script>",
    "very long": "/v1/agents/" + "x" * 1_000_000,
    "very deep": "/v1" + "/a" * 500_000,
    "many slashes": "/" * 1_000_000,
    "a star": "*",
    "braces": "/v1/agents/{agentId}",
    "a token": "/v1/agents/eyJhbGciOiJSUzI1NiJ9.e30.x",
    "a semicolon": "/v1/agents;jsessionid=1",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_a_bad_path_is_refused(sandbox: Sandbox, method: str, path: str) -> None:
    """No trick in the path reaches a record, a file or an exception: it is a 404."""
    assert sent(sandbox, method, path).status == 404


@pytest.mark.parametrize(
    "method", ["", "get", "TRACE", "CONNECT", "PROPFIND", "GET\r\n", "\N{SNOWMAN}", "X" * 100_000]
)
@pytest.mark.parametrize("path", [AGENTS, JWT, "/v1/agents/x"])
def test_an_unknown_method_is_refused(sandbox: Sandbox, method: str, path: str) -> None:
    """A method without an operation is a 404."""
    assert sent(sandbox, method, path).status == 404


QUERIES = {
    "ampersands": "&" * 1_000,
    "many": "&".join(f"a{n}=1" for n in range(100_000)),
    "half an escape": "downstreamEntityAssociationId=%",
    "no UTF-8": "downstreamEntityAssociationId=%ff",
    "a NUL": "downstreamEntityAssociationId=%00",
    "half a surrogate": "downstreamEntityAssociationId=\ud800",
    "letters": "stateCode=é&licenseNumber=\N{SNOWMAN}",
    "an array": "npn[]=1&npn[$ne]=1&npn=1&npn=2",
    "very long": "downstreamEntityAssociationId=" + "x" * 1_000_000,
    "many question marks": "?" * 100_000 + "&npn=1&npn=2",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_a_bad_query_is_refused(sandbox: Sandbox, query: str) -> None:
    """Too many parameters, or one that breaks a rule: it is a 400."""
    assert sent(sandbox, query=query).status == 400


CREDENTIALS = {
    "nothing": (),
    "empty": (("authorization", ""),),
    "a scheme": (("authorization", "Bearer"),),
    "spaces": (("authorization", "Bearer " + " " * 10_000),),
    "letters": (("authorization", "Bearer é\N{SNOWMAN}"),),
    "half a surrogate": (("authorization", "Bearer \ud800"),),
    "dots": (("authorization", "Bearer " + "." * 100_000),),
    "very long": (("authorization", "Bearer " + "x" * 1_000_000),),
    "no JSON": (("authorization", "Bearer eyJ.eyJ.eyJ"),),
    "deep JSON": (("authorization", "Bearer " + "W1tb" * 50_000 + ".e30.x"),),
    "doubled": (("authorization", "Bearer a"), ("authorization", "Bearer b")),
    "restricted, empty": (("x-restricted-access-token", ""),),
    "restricted, letters": (("x-restricted-access-token", "é\N{SNOWMAN}\ud800"),),
    "restricted, doubled": (("x-restricted-access-token", "a"),) * 2,
    "both": (("authorization", "Basic a"), ("x-restricted-access-token", "b")),
    "10,000 headers": tuple((f"x-{n}", "v") for n in range(10_000)),
}


@pytest.mark.parametrize("headers", CREDENTIALS.values(), ids=CREDENTIALS.keys())
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_bad_credential_is_refused(
    sandbox: Sandbox, method: str, headers: tuple[tuple[str, str], ...]
) -> None:
    """A missing, repeated, empty, huge or unreadable credential is a 401."""
    request = Request(method=method, path=AGENTS, headers=headers, host=SANDBOX_HOST)
    assert answer(sandbox, request).status == 401


@pytest.mark.parametrize(
    "kind", ["", "text/html", "application/json, application/json", "é", ";", "x" * 100_000]
)
def test_a_bad_content_type_is_refused(sandbox: Sandbox, kind: str) -> None:
    """A body that is not declared as JSON is not read, so its rules fail."""
    headers = (("content-type", kind),)
    assert sent(sandbox, "POST", AGENTS, body=b'{"npn":"1"}', headers=headers).status == 400


@pytest.mark.parametrize("host", ["", "é", "x" * 100_000, ":", "[::1]", "evil.example", "a\x00b"])
def test_an_odd_host_is_the_default_environment(sandbox: Sandbox, host: str) -> None:
    """A host other than Turris's belongs to the environment of the options."""
    token = sandbox.tokens.issue(sandbox.client).text
    headers = (("authorization", f"Bearer {token}"),)
    request = Request(method="GET", path=AGENTS, headers=headers, host=host)
    assert answer(sandbox, request).status == 200


NAMES = st.sampled_from(
    ["authorization", "x-restricted-access-token", "content-type", "idempotency-key", "host", "x"]
)
REQUESTS = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE"]) | st.text(max_size=8),
    path=st.sampled_from([JWT, AGENTS, INVITE, AGENTS + "/x", "/v1/auth/test-oauth"])
    | st.text(max_size=40)
    | st.text(max_size=20).map(lambda text: f"/v1/agents/{text}"),
    query=st.text(max_size=60)
    | st.dictionaries(
        st.sampled_from(["npn", "stateCode", "licenseNumber", "email", "token"]),
        st.text(max_size=8),
    ).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs.items())),
    headers=st.lists(
        st.tuples(NAMES, st.text(max_size=40) | st.just("application/json")), max_size=4
    ).map(tuple),
    body=st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["npn", "email", "clientId", "clientSecret", "category", "x"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    ).map(lambda document: json.dumps(document).encode()),
    scheme=st.sampled_from(["https", "http", ""]),
    host=st.sampled_from([SANDBOX_HOST, "public.api.live.turrisfi.com", "127.0.0.1:1", ""]),
    client_ip=st.text(max_size=10),
)


@settings(max_examples=400, deadline=None)
@given(request=REQUESTS, authenticated=st.booleans())
def test_no_request_is_too_odd(request: Request, authenticated: bool) -> None:
    """Any request is answered: with a documented success, or a 4xx that changes nothing."""
    sandbox = Sandbox()
    if authenticated:
        token = sandbox.tokens.issue(sandbox.client).text
        fields = [field for field in request.headers if field[0] != "authorization"]
        headers = (("authorization", f"Bearer {token}"), *fields)
        request = dataclasses.replace(request, headers=headers)
    answer(sandbox, request)
    assert sandbox.journal.seen == 1
    assert sandbox.clock.now() == NOW


def test_a_sandbox_still_serves_after_all_of_it(caller: Client) -> None:
    """After every bad body and path, a good request is answered as before."""
    for body in BODIES.values():
        caller.send("POST", AGENTS, headers=[JSON], body=body)
    for path in PATHS.values():
        caller.get(path)
    assert caller.get(AGENTS).json()["data"] == []
    caller.sandbox.limits.reset()
    assert caller.post(AGENTS, {"npn": "1"}).status == 201
