"""Who may come in: every row is refused without the token, from pages, and for other hosts."""

import hmac
import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from doubles import served_here
from doubles.controlled import Controlled, Refused

from mock_server.control.control import Control
from mock_server.control.table import CONTROLS
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from pytest_turris.relay.protocol import PROTOCOL, RELAYS

ROWS = [pytest.param(row, id=row.name) for row in CONTROLS.values()]
WRITES = [pytest.param(row, id=row.name) for row in CONTROLS.values() if row.has_body]
TOKEN = "a control token of this test, which is long enough"


@pytest.fixture(scope="module")
def served() -> Iterator[StandaloneSandbox]:
    """A server on a socket."""
    with served_here.served(settings=ServerSettings(control_token=TOKEN)) as served:
        yield served


def send(
    served: StandaloneSandbox, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Send a request with exactly these headers, and return status, headers and body."""
    address = urlsplit(served.base_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.putrequest(method, path, skip_host="Host" in given, skip_accept_encoding=True)
    for name, value in given.items():
        connection.putheader(name, value.encode())
    connection.putheader("Content-Length", str(len(body.encode())))
    connection.endheaders(body.encode())
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, content


def path_of(row: Control) -> str:
    """A path of a row."""
    return "/__sandbox__" + row.path.replace("{id}", "1").replace("{number}", "1")


RIGHT = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
FORMS = (
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
    "text/plain; application/json", "text/plain;a=application/json", "application/json5",
)  # fmt: skip
"""What a page can send without asking first, and what is nearly JSON."""
WRONG = {
    "no token": ({"Authorization": ""}, 401),
    "another token": ({"Authorization": "Bearer nonsense"}, 401),
    "another scheme": ({"Authorization": f"Basic {TOKEN}"}, 401),
    "not ASCII": ({"Authorization": "Bearer töken"}, 401),
    "a page": ({"Origin": "https://evil.example"}, 403),
    "no origin": ({"Origin": "null"}, 403),
    "another site": ({"Sec_Fetch_Site": "cross-site"}, 403),
    "a browser": ({"User_Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101"}, 403),
    "another host": ({"Host": "evil.example"}, 421),
}


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_guarded(served: StandaloneSandbox, row: Control) -> None:
    """No row answers without the token, whatever the method; nor a page, nor another host."""
    before = served.sandbox.snapshot()
    for headers, status in WRONG.values():
        got, answered, body = send(served, row.method, path_of(row), "{}", **RIGHT | headers)
        assert got == status
        assert answered["x-content-type-options"] == "nosniff"
        assert not [name for name in answered if name.startswith("access-control-")]
        assert b"nonsense" not in body
    for method in ("HEAD", "OPTIONS", "GET", "PUT"):
        assert send(served, method, path_of(row))[0] == 401
    assert served.sandbox.snapshot() == before


@pytest.mark.parametrize("row", WRITES)
def test_a_change_needs_json(served: StandaloneSandbox, row: Control) -> None:
    """What a form of a page can send is refused, so that no page can change anything."""
    before = served.sandbox.snapshot()
    for kind in FORMS:
        for body in ("{}", ""):
            headers = RIGHT | {"Content-Type": kind}
            assert send(served, row.method, path_of(row), body, **headers)[0] == 415
    assert served.sandbox.snapshot() == before


@pytest.mark.parametrize("row", WRITES)
def test_a_control_takes_no_body(served: StandaloneSandbox, row: Control) -> None:
    """Without a Content-Type it is an empty object: it works, or names the members it needs."""
    start = served.sandbox.snapshot()
    expected = send(served, row.method, path_of(row), "{}", **RIGHT)[0]
    served.sandbox.restore(start)
    status = send(served, row.method, path_of(row), Authorization=RIGHT["Authorization"])[0]
    served.sandbox.restore(start)
    assert status == expected


@pytest.mark.parametrize("row", WRITES)
def test_a_body_needs_its_type(served: StandaloneSandbox, row: Control) -> None:
    """Only where there is nothing to read, nothing has to say what it is."""
    answer = send(served, row.method, path_of(row), "{}", Authorization=RIGHT["Authorization"])
    assert answer[0] == 415
    assert b"or no body and no Content-Type" in answer[2]


@pytest.mark.parametrize("path", ["/__sandbox__/nonsense", "/%5f_sandbox__/clock"])
def test_what_is_no_row_is_guarded_too(served: StandaloneSandbox, path: str) -> None:
    """Without the token, nobody learns which paths there are."""
    assert send(served, "GET", path)[0] == 401
    assert send(served, "GET", path, **RIGHT)[0] == 404


@pytest.mark.parametrize(
    "near",
    [
        f"{TOKEN}x", TOKEN[:-1], f"{TOKEN[:-1]}x", f"x{TOKEN[1:]}", TOKEN[:32], TOKEN.upper(),
        f"{TOKEN} {TOKEN}", f"{TOKEN},", "",
    ],
)  # fmt: skip
def test_a_token_that_is_nearly_right_is_wrong(served: StandaloneSandbox, near: str) -> None:
    """It is the whole token, letter by letter, and no more."""
    for path in ("/__sandbox__/clock", "/__sandbox__/control/tenants"):
        headers = RIGHT | {"Authorization": f"Bearer {near}"}
        assert send(served, "GET", path, **headers)[0] == 401
        assert send(served, "GET", path, **RIGHT)[0] == 200


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_has_no_case(served: StandaloneSandbox, scheme: str) -> None:
    """RFC 9110, 11.1."""
    headers = {"Authorization": f"{scheme} {TOKEN}"}
    assert send(served, "GET", "/__sandbox__/clock", **headers)[0] == 200


def test_the_token_is_compared_in_constant_time(
    served: StandaloneSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long a refusal takes says nothing about how much was right."""
    compared: list[tuple[object, object]] = []

    def differ(one: object, other: object) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(hmac, "compare_digest", differ)
    assert send(served, "GET", "/__sandbox__/clock", **RIGHT)[0] == 401
    assert compared == [(f"Bearer {TOKEN}".encode(),) * 2]


@pytest.mark.parametrize("right_first", [True, False])
def test_two_tokens_are_none(served: StandaloneSandbox, right_first: bool) -> None:
    """A doubled header is refused, even if one of its lines is right."""
    lines = [f"Bearer {TOKEN}", "Bearer nonsense"]
    first, second = lines if right_first else lines[::-1]
    headers = {"Authorization": first, "authorization": second}
    assert send(served, "GET", "/__sandbox__/clock", **headers)[0] == 401


def test_a_connected_test_is_guarded_too(served: StandaloneSandbox) -> None:
    """What a test is asked, and answers, needs the token; a change needs JSON."""
    body = json.dumps({"protocol": PROTOCOL, "workers": 1})
    status, _, content = send(served, "POST", RELAYS, body, **RIGHT)
    assert status == 201
    process = f"{RELAYS}/{json.loads(content)['relay']}"
    calls = [("GET", "/lines"), ("PUT", "/tenants/a"), ("DELETE", "/tenants/a"),
             ("POST", "/exchanges/1")]  # fmt: skip
    for method, path in calls:
        for headers, refused in WRONG.values():
            got = send(served, method, process + path, "{}", **RIGHT | headers)
            assert got[0] == refused, (method, path, headers)
    for kind in FORMS:
        for method, path in calls[1::2]:
            headers = RIGHT | {"Content-Type": kind}
            assert send(served, method, process + path, "{}", **headers)[0] == 415


def test_markup_is_not_reflected(served: StandaloneSandbox) -> None:
    """A refusal names a field only if its name is plain, and has no HTML in it."""
    for attempt in ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a&b"):
        body = json.dumps({"npn": "1", attempt: attempt, "email": attempt})
        for path in ("/__sandbox__/agents", f"/__sandbox__/{attempt.replace(' ', '%20')}"):
            status, headers, content = send(served, "POST", path, body, **RIGHT)
            assert status in (400, 404)
            assert headers["content-type"] == "application/json; charset=utf-8"
            assert not set(b"<>&") & set(content)
            json.loads(content)


def test_a_stream_tells_that_it_lives_and_what_comes(served: StandaloneSandbox) -> None:
    """Lines of JSON, or server-sent events for who accepts them; the first comes at once."""
    for accept, first, lead in (("*/*", b"\n", b""), ("text/event-stream", b": \n\n", b"data: ")):
        address = urlsplit(served.base_url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        headers = RIGHT | {"Accept": accept}
        connection.request("GET", "/__sandbox__/journal/stream?refused=true", headers=headers)
        answer = connection.getresponse()
        assert answer.read(len(first)) == first
        send(served, "GET", "/v1/agents")
        line = answer.readline()
        assert line.startswith(lead)
        assert json.loads(line.removeprefix(lead))["status"] == 401
        connection.close()


def test_a_stream_that_cannot_be_is_refused(served: StandaloneSandbox) -> None:
    """Its parameters are checked first."""
    status, _, content = send(served, "GET", "/__sandbox__/journal/stream?sinc=1", **RIGHT)
    assert status == 400
    assert json.loads(content)["problems"][0]["nearest"] == "since"


def test_the_log_names_each_change() -> None:
    """What changes a sandbox from outside is a line in the log; what only reads is not."""
    controlled = Controlled()
    controlled.call("POST", "/clock/advance", by=1)
    controlled.get("/clock")
    with pytest.raises(Refused):
        controlled.call("POST", "/history/rewind", step=9)
    assert controlled.log == [
        "control of default: clock advance",
        "control of default: history rewind -> 409",
    ]


def test_a_bug_is_an_answer_and_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong inside, the answer has no details, and the log has them."""
    controlled = Controlled()
    monkeypatch.setattr(controlled.sandbox.clock, "advance", lambda _: 1 / 0)
    with pytest.raises(Refused, match="500") as refused:
        controlled.call("POST", "/clock/advance", by=1)
    assert "ZeroDivisionError" not in str(refused.value.document)
    assert "ZeroDivisionError" in controlled.log[-2]
    assert controlled.log[-1] == "control of default: clock advance -> 500"
