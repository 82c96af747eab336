"""What a tenant contradicts is found, whichever option it is; nothing of the tenant is shown."""

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from doubles.command_line import run
from doubles.served_here import served

from mock_server.drift import asking
from mock_server.drift.answers import HIDDEN, optional_members
from mock_server.drift.asking import DriftError, RealTenant, ask
from mock_server.drift.har import read_har
from mock_server.drift.questions import QUESTIONS
from mock_server.drift.report import DriftReport
from mock_server.drift.seen import SeenExchange, SeenExchanges
from pytest_turris.core.fidelity import FIDELITY
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request

URL = "https://public.api.sandbox.turrisfi.com"
KEPT: dict[str, Any] = {
    "envelope": ("top_level", "data_with_status", "status_without_request_id"),
    "optional_fields": ("null",),
    "unknown_fields": ("refused",),
    "compliance_states": ("state_code",),
    "appointment_status": ("appointed",),
    "document_categories": ("older",),
    "malformed_id": ("invalid_input",),
    "unknown_fein": ("empty",),
    "token_ttl": (dt.timedelta(minutes=30),),
    "token_issuer": ("https://auth.turris.example/",),
    "token_audience": ("turris-api",),
    "rate_headers": tuple({"near", "always"} - {Options().rate_headers}),
}
"""Options that one token request and GET requests show, with values that are not the default."""


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tenants need no rest between two requests."""
    monkeypatch.setattr(asking, "PAUSE", 0)


class Recorder(httpx.BaseTransport):
    """Answers from a sandbox that stands for the real tenant, and keeps what was asked."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the sandbox."""
        self.asked.append(request)
        answer = self.sandbox.handle(
            Request(
                method=request.method,
                path=request.url.path,
                query=request.url.query.decode(),
                headers=tuple((name.lower(), value) for name, value in request.headers.items()),
                body=request.read(),
                scheme="https",
                host=request.url.host,
                client_ip="127.0.0.1",
            )
        )
        return httpx.Response(answer.status, headers=list(answer.headers), content=answer.body)


def tenant_with(**options: Any) -> Recorder:
    """A tenant with some records, and with other options than the sandbox has by default."""
    sandbox = Sandbox(Options(**options), name="tenant")
    sandbox.seed("small_agency")
    return Recorder(sandbox)


def report_on(recorder: Recorder) -> DriftReport:
    """What the tenant says."""
    client = recorder.sandbox.client
    return DriftReport.of(ask(RealTenant(URL, client.client_id, client.client_secret), recorder))


def test_every_question_is_about_a_row() -> None:
    """Each finds its row, and its option is one of the row's."""
    for question in QUESTIONS:
        assert question.row in FIDELITY
        assert not question.option or question.option in question.row.options


def test_the_sandbox_itself_does_not_drift() -> None:
    """Nothing is contradicted, and most of what can be seen is confirmed."""
    recorder = tenant_with()
    report = report_on(recorder)
    assert not report.drifted, str(report)
    assert report.options == {}
    assert sum(row.state == "confirmed" for row in report.rows) >= 12
    assert len(report.rows) == len(FIDELITY)


def test_only_one_token_is_asked_for_and_nothing_is_written() -> None:
    """All other requests are GETs, and none asks for a link that signs in."""
    recorder = tenant_with()
    report_on(recorder)
    first, *others = recorder.asked
    assert (first.method, first.url.path) == ("POST", "/v1/auth/jwt")
    assert {one.method for one in others} == {"GET"}
    assert not [one for one in others if "sign-in" in one.url.path]
    assert len(others) < 45


@pytest.mark.parametrize(
    ("option", "value"), [(name, value) for name, values in KEPT.items() for value in values]
)
def test_an_option_of_the_tenant_is_found(option: str, value: object) -> None:
    """The ini block of the report makes the sandbox behave in the same way."""
    report = report_on(tenant_with(**{option: value}))
    assert report.options.get(option) == value, str(report)
    assert f"turris_{option} = " in str(report)
    assert report.drifted


def test_several_options_at_once() -> None:
    """Each is found next to the others."""
    given = {name: values[0] for name, values in KEPT.items()}
    report = report_on(tenant_with(**given))
    assert report.options == given
    *_, last = str(report).split("\n\n")
    first, block, *lines = last.splitlines()
    assert (first[-1], block, len(lines)) == (":", "[pytest]", len(given))


def test_a_path_that_cannot_be_guessed_is_said() -> None:
    """The option is named, and its value is left to the user."""
    report = report_on(tenant_with(webhooks_path="/v1/hooks"))
    assert "path of the list" in str(report)
    assert "webhooks_path" not in report.options


def test_no_value_of_the_tenant_reaches_the_report() -> None:
    """Neither records nor ids, credentials or tokens, nor an issuer that names the tenant."""
    name = "acme-insurance-507f1f77bcf86cd799439011"
    recorder = tenant_with(token_issuer=f"https://{name}.auth.example/", envelope="top_level")
    sandbox = recorder.sandbox
    report = report_on(recorder)
    text = str(report) + repr(report)
    bodies = [json.loads(one.read() or b"{}") for one in recorder.asked]
    values = [sandbox.client.client_id, sandbox.client.client_secret, name, URL]
    values += [one.npn for one in sandbox.agents] + [one.id for one in sandbox.agents]
    values += [one.downstream_entity.legal_name for one in sandbox.associations]
    assert bodies[0]["clientSecret"] not in text
    assert [value for value in values if value and value in text] == []
    assert HIDDEN in text


def test_deleted_records_in_a_list_are_seen() -> None:
    """A list without any shows nothing."""
    for deleted, value in ((True, "listed"), (False, None)):
        body = {"data": [{"isDeleted": deleted}]}
        report = DriftReport.of(SeenExchanges([seen("GET", "/v1/agents", 200, body)]))
        answers = {one.question.about: one for row in report.rows for one in row.answers}
        assert answers["deleted_agents"].value == value


def test_other_members_are_named() -> None:
    """Additional, missing and reordered members, at any depth; open objects are left alone."""
    agent = {"npn": "1", "_id": "a" * 24, "extra": "secret value"}
    body = {"data": [{"agent": agent, "email": "a@b.c"}], "requestId": "x", "timestamp": "y"}
    report = DriftReport.of(SeenExchanges([seen("GET", "/v1/agents", 200, body)]))
    text = "\n".join(report.members)
    assert "`agent.extra` is a member that the sandbox lacks" in text
    assert "the members of agent have another order: `npn`, `_id`" in text
    assert "`agent.firstName` is missing" in text
    assert "secret value" not in str(report)


def seen(method: str, url: str, status: int, body: object, **headers: str) -> SeenExchange:
    """An exchange as it was recorded."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SeenExchange(method=method, url=url, status=status, headers=headers, body=content)


@pytest.mark.parametrize(
    ("exchanges", "option", "value"),
    [
        ([seen("GET", "/v1/agents", 429, {}, **{"retry-after": "3"})], "retry_after", True),
        ([seen("GET", "http://api.example.com/v1/agents", 200, b"")], "allow_plain_http", True),
        (
            [seen("GET", "/v1/policies/uploads/1", 200, {"status": "QUEUED"})],
            "upload_status_envelope",
            "bare",
        ),
        (
            [seen("POST", "/v1/auth/jwt", 429, {}, **{"x-ratelimit-limit": "20"})],
            "token_requests_per_minute",
            20,
        ),
    ],
)
def test_what_only_a_recording_shows(
    exchanges: list[SeenExchange], option: str, value: object
) -> None:
    """A recording may have what the command never asks for."""
    assert DriftReport.of(SeenExchanges(exchanges)).options == {option: value}


def test_a_member_that_is_never_null_says_nothing_about_the_others() -> None:
    """An agent without an agency has no association id, whether others are omitted or ``null``."""
    agent = Sandbox().agents.add(email="a@x.example", external_id="E").wire()
    exchange = seen("GET", "/v1/agents", 200, {"data": [agent]})
    assert optional_members(SeenExchanges([exchange])) is None


@pytest.mark.parametrize(
    "body",
    [
        b"\xff", b"[", b"null", b"[]", {"data": None}, {"data": {"accessToken": 1}},
        {"data": {"accessToken": "a.b.c"}}, {"data": {"accessToken": "W10.W10.c"}},
        {"errorMessage": "text"}, {"data": [1, "x", {"agent": 7}]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 201, 401, 404, 500])
def test_strange_answers_are_no_error(body: object, status: int) -> None:
    """What cannot be read is not seen, or contradicts."""
    paths = ["/v1/auth/jwt", *("/v1/agents/x", "/v1/agents", "/v1/policies/uploads/1", "/x")]
    exchanges = [seen("POST", paths[0], status, body)]
    exchanges += [seen("GET", path, status, body) for path in paths[1:]]
    assert "\n5 exchanges" in str(DriftReport.of(SeenExchanges(exchanges)))


def token(header: object, claims: object) -> dict[str, Any]:
    """The data of a token answer without a lifetime."""
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()) for one in (header, claims)]
    return {"data": {"accessToken": b".".join([*parts, b"signature"]).decode()}}


def test_claims_of_a_token_are_read() -> None:
    """Its lifetime follows from them; of several audiences none is shown."""
    claims = {
        "iat": 10,
        "exp": 70,
        "aud": ["a", "b"],
        "iss": ["https://one.example/"],
        "sub": "m2m-7",
    }
    answer = seen("POST", "/v1/auth/jwt", 201, token({"alg": "ES256"}, claims))
    options = DriftReport.of(SeenExchanges([answer])).options
    assert options["token_ttl"] == dt.timedelta(minutes=1)
    assert options["token_issuer"] == "https://one.example/"
    assert "token_audience" not in options


def test_records_without_what_is_asked_for_say_nothing() -> None:
    """No state, no current appointment, no product."""
    agent, association = "/v1/agents/1", "/v1/downstream-entity-associations/1"
    found = SeenExchanges([
        seen("GET", f"{agent}/license-compliance-statuses", 200, {"data": {"states": []}}),
        seen("GET", f"{association}/license-compliance-statuses", 200, {"data": {}}),
        seen("GET", f"{agent}/appointments", 200, {"data": [{"status": "terminated"}]}),
        seen("GET", f"{association}/appointments", 200, {"data": []}),
    ])  # fmt: skip
    answers = {
        one.question.option: one.value for row in DriftReport.of(found).rows for one in row.answers
    }
    assert (answers["compliance_states"], answers["appointment_status"]) == (None, None)


def test_ids_that_are_no_text_are_left_out() -> None:
    """Nothing is asked about a product whose id is a number."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(201, json=token({}, {}))
        return httpx.Response(200, json={"data": [{"authority": [{"upstreamEntityProductId": 7}]}]})

    found = ask(RealTenant(URL, "id", "secret"), httpx.MockTransport(answer))
    assert not found.of("get_product", succeeded=False)


def test_a_recording_is_read(tmp_path: Path) -> None:
    """As a proxy exports it, in text or base64."""
    body = '{"statusCode": 200, "data": {"message": "x"}, "timestamp": "y"}'
    entries = [
        entry("/v1/agents/" + "a" * 24, {"text": body}),
        entry("/v1/agents/" + "b" * 24, {"text": "e30=", "encoding": "base64"}),
        entry("/v1/agents/" + "c" * 24, {"text": "x", "encoding": "base64"}),
    ]
    file = tmp_path / "session.har"
    file.write_text(json.dumps({"log": {"entries": entries}}))
    assert [one.json for one in read_har(file).exchanges][1:] == [{}, None]
    done = run("drift", "--recorded", str(file))
    assert done.exit_code == 1
    assert "turris_envelope = status_without_request_id" in done.output


@pytest.mark.parametrize("ours", [URL, "https://turris.gateway.example", "http://127.0.0.1:80"])
def test_other_hosts_in_a_recording_are_left_out(tmp_path: Path, ours: str) -> None:
    """A browser records everything; what another server answers says nothing about Turris."""
    error = {"text": '{"message": "not here"}'}
    entries = [entry("/v1/agents/x", error, host="https://other.example", status=404)]
    if ours == URL:
        entries.append(entry("/v1/agents", error, host="https://proxied.example", status=401))
    else:
        entries.append(entry("/metrics", error, host="https://proxied.example", status=401))
        entries[0]["request"]["url"] = "https://other.example/agents/x"
    file = tmp_path / "session.har"
    file.write_text(json.dumps({"log": {"entries": entries}}))
    if ours != URL:
        done = run("drift", "--recorded", str(file))
        assert (done.exit_code, "has no exchange with Turris" in done.output) == (2, True)
    entries.append(entry("/v1/agents", {"text": '{"data": []}'}, host=ours))
    file.write_text(json.dumps({"log": {"entries": entries}}))
    assert [one.url for one in read_har(file).exchanges] == [ours + "/v1/agents"]


def entry(path: str, content: dict[str, str], host: str = URL, status: int = 200) -> dict[str, Any]:
    """An entry of a recording."""
    headers = [{"name": "Content-Type", "value": "application/json"}]
    return {
        "request": {"method": "get", "url": host + path, "headers": []},
        "response": {"status": status, "headers": headers, "content": content},
    }


@pytest.mark.parametrize("text", ["", "[]", '{"log": {}}', '{"log": {"entries": [1]}}'])
def test_another_file_is_no_recording(tmp_path: Path, text: str) -> None:
    """The mistake is one line."""
    file = tmp_path / "session.har"
    file.write_text(text)
    done = run("drift", "--recorded", str(file))
    assert (done.exit_code, "is not a HAR file" in done.output) == (2, True)


def test_from_the_command_line() -> None:
    """Against a server, as a tenant would be: the host is typed, and the report can be pasted."""
    with served() as running:
        credentials = running.environment()
        done = run("drift", "--against", running.base_url, "--read-only", "--yes", **credentials)
        assert done.exit_code == 0, done.output
    with served(Options(envelope="data_with_status")) as running:
        client = running.sandbox.client
        credentials = {
            "TURRIS_CLIENT_ID": client.client_id,
            "TURRIS_CLIENT_SECRET": client.client_secret,
        }
        given = ("drift", "--against", running.base_url, "--read-only")
        refused = run(*given, input="another.host\n", **credentials)
        assert (refused.exit_code, running.sandbox.token_requests) == (2, 0)
        done = run(*given, input=running.base_url.removeprefix("http://") + "\n", **credentials)
        wrong = run(*given, "--yes", **credentials | {"TURRIS_CLIENT_SECRET": "wrong"})
    assert done.exit_code == 1, done.output
    assert "turris_envelope = data_with_status" in done.output
    assert client.client_secret not in done.output
    assert (wrong.exit_code, "got 401 and no access token" in wrong.output) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give --against URL --read-only, or --recorded"),
        (("--against", URL), "add --read-only"),
        (("--against", "api.example.com", "--read-only"), "write a base URL"),
        (("--against", "http://api.example.com", "--read-only"), "in plain text"),
        (("--against", URL, "--read-only"), "set TURRIS_CLIENT_ID"),
        (("--recorded", "none.har"), "No such file"),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    """Nothing is sent."""
    done = run("drift", *arguments, TURRIS_CLIENT_ID="", TURRIS_CLIENT_SECRET="")
    assert (done.exit_code, message in done.output) == (2, True), done.output


def test_a_tenant_that_limits_is_left_alone() -> None:
    """It stops at the first 429."""
    recorder = tenant_with()
    recorder.sandbox.faults.add("list_contacts", status=429, times=None)
    report = report_on(recorder)
    assert recorder.asked[-1].url.path == "/v1/contacts"
    assert report.exchanges == len(recorder.asked)


def test_a_tenant_that_does_not_answer() -> None:
    """The error says where, and shows no credentials."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    tenant = RealTenant(URL, "id", "turris_sandbox_secret")
    assert "turris_sandbox_secret" not in repr(tenant)
    with pytest.raises(DriftError, match=f"no answer from {URL}: ConnectError"):
        ask(tenant, httpx.MockTransport(refuse))


def test_no_proxy_gets_the_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with served() as server:
        client = server.sandbox.client
        tenant = RealTenant(server.base_url, client.client_id, str(client.client_secret))
        assert ask(tenant).exchanges[0].succeeded


def test_redirects_are_not_followed() -> None:
    """Another address would get the credentials."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(307, headers={"location": "https://other.example/v1/auth/jwt"})

    with pytest.raises(DriftError, match="got 307 and no access token"):
        ask(RealTenant(URL, "id", "secret"), httpx.MockTransport(answer))
    assert asked == ["public.api.sandbox.turrisfi.com"]
