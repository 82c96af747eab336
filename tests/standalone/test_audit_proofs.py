"""What a suite in any language adds to the audit: drills, its log, and the verdicts of attacks."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from doubles.served_here import served

from mock_server.serving.server import StandaloneSandbox
from pytest_turris.audit.rules.log import LogAudit

WAIT = 30
"""Seconds that nothing takes."""


@pytest.fixture(scope="module")
def shared() -> Iterator[StandaloneSandbox]:
    """A server in this process."""
    with served() as running:
        yield running


class Suite:
    """A test of a suite in another language: a tenant, its controls, and a client."""

    def __init__(self, server: StandaloneSandbox) -> None:
        self._token = server.control_token
        self._http = httpx.Client(base_url=server.base_url)
        self.tenant: dict[str, Any] = self._control("POST", "/__sandbox__/tenants", {}).json()
        environment = self.tenant["environment"]
        self.secret: str = environment["TURRIS_CLIENT_SECRET"]
        self._id = environment["TURRIS_CLIENT_ID"]
        self._access = ""

    def _control(self, method: str, path: str, body: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}"}
        return self._http.request(method, path, json=body, headers=headers)

    def control(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Call a control of the tenant."""
        return self._control(method, self.tenant["controlPath"] + path, body or {})

    def calls(self, times: int = 1) -> list[httpx.Response]:
        """Call the API as a plain client would: a new token after a refusal, once."""
        answers = []
        for _ in range(times):
            if not self._access:
                body = {"clientId": self._id, "clientSecret": self.secret}
                answer = self._http.post("/v1/auth/jwt", json=body)
                answers.append(answer)
                if answer.is_error:
                    return answers
                self._access = answer.json()["data"]["accessToken"]
            answer = self._http.get("/v1/agents", headers=self._headers)
            if answer.is_error:
                self._access = ""
            answers.append(answer)
        return answers

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._access}"}

    def writes(self, times: int) -> None:
        """Send writes as fast as it goes."""
        for number in range(times):
            self._http.post("/v1/agents", json={"npn": f"{number:08}"}, headers=self._headers)

    def shown(self) -> Any:
        """The live checklist, with its findings."""
        return self._control("GET", self.tenant["controlPath"] + "/audit", None).json()

    def lines(self) -> dict[str, str]:
        """The status of each line of the checklist."""
        return {one["id"]: one["status"] for one in self.shown()["lines"]}

    def close(self) -> None:
        """End the test."""
        self._control("DELETE", f"/__sandbox__/tenants/{self.tenant['name']}", None)
        self._http.close()


@pytest.fixture
def suite(shared: StandaloneSandbox) -> Iterator[Suite]:
    """A test with a tenant of its own, whose client has made a call."""
    running = Suite(shared)
    running.calls()
    yield running
    running.close()


def test_a_client_that_picks_up_a_rotated_secret_is_proven(suite: Suite) -> None:
    """The drill issues the secret, and the client's calls are the evidence."""
    suite.secret = suite.control("POST", "/audit/drill", {"drill": "rotation"}).json()[
        "clientSecret"
    ]
    suite.calls(2)
    verdict = suite.control("POST", "/audit/drill/end").json()
    assert (verdict["check"], verdict["outcome"]) == ("DR-1", "passed")
    assert suite.lines()["SEC-03"] == "proven"


@pytest.mark.parametrize("failed", [True, False])
def test_a_client_that_keeps_the_old_secret_is_found(suite: Suite, *, failed: bool) -> None:
    """Also if the suite does not say that its call failed."""
    suite.control("POST", "/audit/drill", {"drill": "rotation"})
    suite.calls(2)
    verdict = suite.control("POST", "/audit/drill/end", {"failed": failed}).json()
    assert verdict["outcome"] == "warned"
    assert suite.lines()["SEC-03"] == "violated"


@pytest.mark.parametrize(
    ("calls", "failed", "outcome", "status"),
    [
        (2, True, "passed", "proven"),
        (2, False, "failed", "violated"),
        (9, True, "failed", "violated"),
        (0, True, "not observed", "not observed"),
    ],
)
def test_revoked_credentials_have_to_fail_within_bounds(
    suite: Suite, calls: int, outcome: str, status: str, *, failed: bool
) -> None:
    """An error after few requests; a client that goes on, or hides it, is found."""
    begun = suite.control("POST", "/audit/drill", {"drill": "revocation"})
    assert begun.json()["clientSecret"] is None
    for _ in range(calls):
        suite.calls()
    verdict = suite.control("POST", "/audit/drill/end", {"failed": failed}).json()
    assert verdict["outcome"] == outcome
    assert suite.lines()["SEC-17"] == status


@pytest.mark.parametrize(
    ("writes", "waits", "outcome", "status"),
    [
        (3, False, "not observed", "not observed"),
        (6, False, "warned", "violated"),
        (6, True, "passed", "proven"),
    ],
)
def test_writes_have_to_stay_below_the_limit(
    suite: Suite, writes: int, outcome: str, status: str, *, waits: bool
) -> None:
    """More than a minute allows, in one minute or in two; fewer show nothing."""
    suite.control("PATCH", "/options", {"writesPerMinute": 4}).raise_for_status()
    suite.control("POST", "/audit/drill", {"drill": "rate"})
    suite.writes(writes // 2)
    if waits:
        suite.control("POST", "/clock/advance", {"by": "61s"})
    suite.writes(writes - writes // 2)
    assert suite.control("POST", "/audit/drill/end").json()["outcome"] == outcome
    assert suite.lines()["SEC-23"] == status


def test_a_drill_needs_a_client_that_works(shared: StandaloneSandbox) -> None:
    """Before its first call, and without a beginning, nothing could show."""
    running = Suite(shared)
    begun = running.control("POST", "/audit/drill", {"drill": "rotation"})
    ended = running.control("POST", "/audit/drill/end")
    running.close()
    assert (begun.status_code, ended.status_code) == (409, 409)
    assert "make a call first" in begun.text
    assert "no drill has begun" in ended.text


def _log_of(answers: list[httpx.Response]) -> str:
    return "\n".join(
        json.dumps(
            {
                "method": answer.request.method,
                "path": answer.request.url.path,
                "status": answer.status_code,
                "requestId": answer.json()["requestId"],
            }
        )
        for answer in answers
    )


def test_a_log_with_a_line_for_each_request_is_proof(shared: StandaloneSandbox) -> None:
    """It is compared with the requests since the last comparison; without any it shows nothing."""
    running = Suite(shared)
    shown = running.control("POST", "/audit/log", {"text": _log_of(running.calls(2))}).json()
    again = running.control("POST", "/audit/log", {"text": "a line"}).json()
    status = running.lines()["SEC-24"]
    running.close()
    assert shown["findings"] == []
    assert shown["ran"]["AU-1"] == 3
    assert again == {"ran": {}, "findings": []}
    assert status == "proven"


def test_a_log_that_lacks_requests_or_has_a_secret_is_found(suite: Suite) -> None:
    """The finding names the check, and does not show the secret."""
    text = f"POST /v1/auth/jwt 201 with {suite.secret}"
    shown = suite.control("POST", "/audit/log", {"text": text})
    assert {one["check"] for one in shown.json()["findings"]} == {"AU-1", "AU-2", "AU-4"}
    assert suite.secret not in shown.text
    assert suite.lines()["SEC-24"] == "violated"
    (unlogged,) = [one for one in suite.shown()["findings"] if one["check"] == "AU-1"]
    assert unlogged["exchanges"][0]["number"] > 0


def test_requests_are_answered_while_a_log_is_read(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To read a long one takes long; what is asked meanwhile belongs to the next log."""
    begun, answered = threading.Event(), threading.Event()
    judge = LogAudit.judge

    def slowly(audit: LogAudit) -> None:
        begun.set()
        assert answered.wait(WAIT)
        judge(audit)

    monkeypatch.setattr(LogAudit, "judge", slowly)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(suite.control, "POST", "/audit/log", {"text": "a line"})
        assert begun.wait(WAIT)
        try:
            meanwhile = suite.calls(2)
        finally:
            answered.set()
        shown = reading.result(WAIT).json()
    assert [one.status_code for one in meanwhile] == [200, 200]
    assert shown["ran"]["AU-1"] == 2
    assert suite.control("POST", "/audit/log", {"text": "a line"}).json()["ran"]["AU-1"] == 2
