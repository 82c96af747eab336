"""The requests: list, filters, one in detail, live."""

import datetime as dt
import http.client
import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from doubles.served_here import served
from doubles.visitor import PAGE, Visitor

from mock_server.control.control import ControlCall
from mock_server.page.views.requests import follow_requests
from mock_server.page.visit import Visit
from pytest_turris.core.wire.messages import Request


def call(
    visitor: Visitor, method: str, path: str, token: str = "", body: str = "", **headers: str
) -> int:
    """A request of a client, as the sandbox gets it."""
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    if token:
        fields.append(("authorization", f"Bearer {token}"))
    if body:
        fields.append(("content-type", "application/json"))
    path, _, query = path.partition("?")
    request = Request(
        method=method, path=path, query=query, headers=tuple(fields), body=body.encode(),
        host="api-sandbox.turrisfi.com",
    )  # fmt: skip
    return visitor.server.tenants.default.handle(request).status


@pytest.fixture
def token(visitor: Visitor) -> str:
    """A token of the default client."""
    return str(visitor.sandbox.tokens.issue(visitor.sandbox.client).text)


@pytest.fixture(autouse=True)
def _fresh(visitor: Visitor) -> None:
    visitor.server.tenants.default.reset()
    visitor.sandbox.journal.clear()


def numbers(text: str) -> list[int]:
    """The numbers of the rows that are shown."""
    return [int(one) for one in re.findall(r'<tr data-number="(\d+)"', text)]


def test_newest_first_with_the_reason(visitor: Visitor, token: str) -> None:
    """A refused request is marked, and says why."""
    call(visitor, "GET", "/v1/agents", token)
    call(visitor, "GET", "/v1/agents", "nonsense")
    text = visitor.get("requests").text
    found = numbers(text)
    assert found == sorted(found, reverse=True)
    assert len(found) == 2
    assert "malformed: not a JWT" in text
    assert text.count('class="refused"') == 1


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("text=nothing+like+it", 0),
        ("text=policies", 1),
        ("operation=list_agents", 2),
        ("status=401", 1),
        ("refused=1", 1),
        ("operation=list_agents&refused=1", 1),
    ],
)
def test_filters(visitor: Visitor, token: str, query: str, count: int) -> None:
    """Each alone, and together."""
    call(visitor, "GET", "/v1/agents", token)
    call(visitor, "GET", "/v1/policies", token)
    call(visitor, "GET", "/v1/agents", "nonsense")
    assert len(numbers(visitor.get(f"requests?{query}").text)) == count


def test_filter_of_a_credential(visitor: Visitor, token: str) -> None:
    """As the journal names it."""
    call(visitor, "GET", "/v1/agents", token)
    call(visitor, "GET", "/v1/agents")
    text = visitor.get(f"requests?credential={visitor.sandbox.client.client_id}").text
    assert len(numbers(text)) == 1


def test_a_filter_that_is_no_number_is_refused(visitor: Visitor) -> None:
    """In words, in the list and in the stream."""
    assert visitor.get("requests?status=many").status == 400
    assert visitor.get("requests/stream?status=many").status == 400
    assert visitor.get("requests/x").status == 400
    assert visitor.get("requests/999").status == 404


def test_older_ones_come_when_they_are_asked_for(visitor: Visitor) -> None:
    """50 at a time, whatever came meanwhile; the last part has no button."""
    for _ in range(70):
        call(visitor, "GET", "/v1/agents")
    first = visitor.get("requests").text
    assert 'data-total="70"' in first
    for query in ("", "operation=list_agents"):
        text = visitor.get(f"requests?{query}").text
        before = re.search(r'name="before" value="(\d+)"', text)
        assert before
        call(visitor, "GET", "/v1/agents")
        part = visitor.get(f"requests?{query}&before={before[1]}", HX_Target="older").text
        found = numbers(text) + numbers(part)
        assert found == sorted(set(found), reverse=True)
        assert len(numbers(text)) == 50
        assert found[-1] == numbers(first)[-1] - 20
        assert "Older requests" not in part
        assert "<html" not in part


def test_list_alone_is_what_a_filter_gets(visitor: Visitor) -> None:
    """Not the page around it: a filter answers while a person types."""
    call(visitor, "GET", "/v1/agents")
    text = visitor.get("requests?text=agents", HX_Target="list").text
    assert text.startswith('<section id="list"')
    assert len(numbers(text)) == 1


def test_tenant_is_a_filter(visitor: Visitor) -> None:
    """The list of the other one, with the same filters."""
    assert 'id="q-tenant"' not in visitor.get("requests").text
    visitor.do("tenants create", name="other")
    assert 'id="q-tenant"' in visitor.get("requests").text
    to = f"{PAGE}/other/requests?status=401"
    seen = visitor.get("requests?tenant=other&status=401")
    assert (seen.status, seen.headers["location"]) == (303, to)
    seen = visitor.get("requests?tenant=other&status=401", HX_Request="true")
    assert (seen.status, seen.headers["hx-redirect"]) == (204, to)
    assert visitor.get("requests?tenant=unknown").status == 404


def test_detail_says_what_was_the_case_then(visitor: Visitor) -> None:
    """The age of the token, and the rate window, when the request came."""
    sandbox = visitor.sandbox
    secret = str(sandbox.client.client_secret)
    body = json.dumps({"clientId": sandbox.client.client_id, "clientSecret": secret})
    assert call(visitor, "POST", "/v1/auth/jwt", body=body) == 201
    seen = sandbox.journal.seen
    newest = sandbox.tokens.newest
    assert newest
    token = str(newest.text)
    for minutes in (10, 46, 5):
        sandbox.clock.advance(dt.timedelta(minutes=minutes))
        call(visitor, "GET", "/v1/agents", token)
    text = visitor.get(f"requests/{seen}").text
    assert "1 of 10 token requests used" in text
    assert "Token issued" in text
    assert secret not in text
    texts = [visitor.get(f"requests/{seen + n}", HX_Target="detail").text for n in (1, 2, 3)]
    assert "10 min 00 s old, 50 min 00 s left" in texts[0]
    assert "late: its refresh was due" in texts[1]
    assert "expired 1 min 00 s before" in texts[2]
    assert all("<html" not in text for text in texts)
    sandbox.tokens.revoke(newest)
    assert "revoked since" in visitor.get(f"requests/{seen + 1}").text


def test_rate_windows_are_counted(visitor: Visitor, token: str) -> None:
    """Writes count, reads do not; a window ends after a minute, in both kinds of window."""
    sandbox = visitor.sandbox
    for _ in range(2):
        call(visitor, "POST", "/v1/agents", token, "{}")
    call(visitor, "GET", "/v1/agents", token)
    seen = sandbox.journal.seen
    writes = [one for one in sandbox.journal if one.method == "POST"]
    limited = visitor.get(f"requests/{writes[-1].number}").text
    assert "2 of 60 writes used" in limited
    assert "not limited" in visitor.get(f"requests/{seen}").text
    sandbox.clock.advance(dt.timedelta(seconds=61))
    sandbox.limits.exhaust("write", leave=1)
    call(visitor, "POST", "/v1/agents", token, "{}")
    assert call(visitor, "POST", "/v1/agents", token, "{}") == 429
    # The two that were exhausted by hand are not in the journal.
    assert "1 of 60 writes used" in visitor.get(f"requests/{sandbox.journal.seen}").text
    call(visitor, "POST", "/v1/agents")
    assert "not limited" in visitor.get(f"requests/{sandbox.journal.seen}").text


def test_what_cannot_be_shown_of_a_token_is_said(visitor: Visitor) -> None:
    """One that was not issued here is masked."""
    call(visitor, "GET", "/v1/agents", "nonsense-nonsense")
    text = visitor.get(f"requests/{visitor.sandbox.journal.seen}").text
    assert "nonsense-nonsense" not in text


def test_sliding_windows(visitor: Visitor, token: str) -> None:
    """A call counts for a minute, whenever it was made."""
    sandbox = visitor.sandbox
    sandbox.change_options(sandbox.options.replaced({"rate_window": "sliding"}))
    for seconds in (0, 40, 40):
        sandbox.clock.advance(dt.timedelta(seconds=seconds))
        call(visitor, "POST", "/v1/agents", token, "{}")
    text = visitor.get(f"requests/{sandbox.journal.seen}").text
    assert "2 of 60 writes used, reset in 20 s" in text


@pytest.fixture
def stream(visitor: Visitor) -> Iterator[http.client.HTTPResponse]:
    """The open stream of a browser."""
    address = urlsplit(visitor.server.base_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    headers = {"Cookie": visitor.cookie, "Accept": "text/event-stream"}
    path = f"{PAGE}/default/requests/stream?since={visitor.sandbox.journal.seen}"
    connection.request("GET", path, headers=headers)
    yield connection.getresponse()
    connection.close()


def next_event(stream: http.client.HTTPResponse) -> str:
    """The next event that is not a sign of life."""
    while not (line := stream.readline()).startswith(b"data: "):
        assert line, "the stream ended"
    return line.decode()


def test_requests_come_as_they_are_made(visitor: Visitor, stream: http.client.HTTPResponse) -> None:
    """As one line of HTML each time, newest first; of many at once the newest."""
    assert stream.status == 200
    call(visitor, "GET", "/v1/agents?q=%0A<b>")
    first = next_event(stream)
    assert numbers(first) == [visitor.sandbox.journal.seen]
    assert "<b>" not in first
    call(visitor, "GET", "/v1/agents")
    next_event(stream)
    visitor.server.tenants.default.reset()
    call(visitor, "GET", "/v1/nope")
    assert "/v1/nope" in next_event(stream)


def test_stream_needs_a_session() -> None:
    """Nothing comes to who is not signed in."""
    with served() as server:
        seen = Visitor(server).send("GET", f"{PAGE}/default/requests/stream")
        assert seen.status == 401


def test_a_stream_says_how_many_it_left_out() -> None:
    """However many come at once, each is in a row or in the count."""
    with served() as server:
        visitor = Visitor(server).signed_in()
        session = next(iter(server._sign_in._sessions.values()))
        for query in ({}, {"text": "/v1"}):
            for _ in range(130):
                call(visitor, "GET", "/v1/agents")
            seen = server.sandbox.journal.seen
            request = Request(method="GET", path="/", host="127.0.0.1")
            control = ControlCall(tenant=server.tenants.default, tenants=server.tenants)
            visit = Visit(
                request=request, session=session, call=control,
                query={"since": str(seen - 130), **query}, form={}, log=lambda _: None,
            )  # fmt: skip
            looks = follow_requests(visit)
            (line,) = next(looks)
            assert numbers(line.decode()) == list(range(seen, seen - 100, -1))
            assert b'data-skipped="30"' in line
            assert next(looks) == []
            for _ in range(20):
                call(visitor, "GET", "/v1/agents")
            (line,) = next(looks)
            assert len(numbers(line.decode())) == 10
            assert b'data-skipped="10"' in line


def test_stream_follows_the_filters(visitor: Visitor) -> None:
    """Only what they leave comes."""
    address = urlsplit(visitor.server.base_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    headers = {"Cookie": visitor.cookie, "Accept": "text/event-stream"}
    connection.request("GET", f"{PAGE}/default/requests/stream?text=nope", headers=headers)
    stream = connection.getresponse()
    call(visitor, "GET", "/v1/agents")
    call(visitor, "GET", "/v1/nope")
    assert numbers(next_event(stream)) == [visitor.sandbox.journal.seen]
    connection.close()


def test_the_list_of_a_tenant_that_is_gone(visitor: Visitor) -> None:
    """The answer says so, in place of an empty list."""
    answer = visitor.get("requests?tenant=gone")
    assert answer.status == 404
    assert "There is no such tenant any more." in answer.text
