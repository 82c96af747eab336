"""Where secrets are looked for: logs, output, files, the text of errors and reprs."""

import builtins
import io
import logging
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from doubles.clients.good_client import GoodClient
from doubles.clients.plain_client import PlainClient
from doubles.clients.registry import BROKEN
from doubles.clients.sweeping import examine

from pytest_turris.conformance.client_under_test import ClientUnderTest
from pytest_turris.conformance.observation.files import WrittenFiles, written_files
from pytest_turris.conformance.observation.leaks import watch
from pytest_turris.conformance.observation.recorded_request import RecordedRequest
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel

SECRET = "a-secret-of-the-test"


@pytest.mark.parametrize(
    ("mode", "text", "found"),
    [
        (0o644, SECRET, "token.txt (mode 0644)"),
        (0o600, SECRET, ""),
        (0o644, "nothing", ""),
    ],
)
def test_public_file_with_a_secret(tmp_path: Path, mode: int, text: str, found: str) -> None:
    """A file is a leak if it holds a secret and others may read it; a missing one is not."""
    path = tmp_path / "token.txt"
    path.write_text(text)
    path.chmod(mode)
    files = WrittenFiles(opened={str(path), str(tmp_path / "gone")})
    assert files.find_public([SECRET]) == found


def test_written_files_are_noted(tmp_path: Path) -> None:
    """Files opened for writing, by path; not files opened for reading, and no descriptors."""
    names = ("a", "b", "c", "d")
    for name in names:
        (tmp_path / name).write_text("")
    before = builtins.open, io.open, os.open
    with watch() as traces:
        with (
            open(tmp_path / "a", "w", encoding="utf-8"),  # noqa: PTH123 - what is patched
            (tmp_path / "b").open("a"),
            open(tmp_path / "c", encoding="utf-8"),  # noqa: PTH123 - as above
        ):
            pass
        os.close(os.open(tmp_path / "d", os.O_WRONLY))
        descriptor = os.open(tmp_path / "c", os.O_RDONLY)
        with open(descriptor, encoding="utf-8"):  # noqa: PTH123 - as above
            pass
    assert {Path(name).name for name in traces.files.opened} == {"a", "b", "d"}
    assert before == (builtins.open, io.open, os.open)


def test_records_of_the_sandboxs_server_are_not_the_clients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What uvicorn logs is not the client's leak, and is still logged."""
    heard: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign] # a spy
    logger = logging.getLogger("uvicorn.error")
    # What a server of another test left.
    monkeypatch.setattr(logger, "disabled", False)
    level = logger.level
    logger.setLevel(logging.WARNING)
    logger.addHandler(handler)
    try:
        with watch() as traces:
            logger.warning(SECRET)
            logging.getLogger("some.client").debug("%s again", SECRET)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert heard == [SECRET]
    assert traces.messages == [f"{SECRET} again"]
    assert traces.find_secret([SECRET]) == "a log record"


def test_enabled_records_reach_their_handlers(caplog: pytest.LogCaptureFixture) -> None:
    """A record is kept, with its traceback, and logged as without the watch."""
    caplog.set_level(logging.ERROR, "some.client")
    logger = logging.getLogger("some.client")
    with watch() as traces:
        try:
            raise ValueError(SECRET)  # noqa: TRY301 - for its traceback
        except ValueError:
            logger.exception("failed")
        logger.debug("too quiet for its own logger")
    assert caplog.messages == traces.messages == ["failed"]
    assert traces.find_secret([SECRET]) == "a log record"


@pytest.mark.parametrize(
    ("request_", "where"),
    [
        (Request(method="GET", path="/v1", query=f"t={SECRET}"), "the URL"),
        (Request(method="GET", path="/v1", headers=(("x-t", SECRET),)), "the header x-t"),
        (Request(method="POST", path="/v1", body=SECRET.encode()), "the body"),
        (Request(method="GET", path="/v1"), ""),
    ],
)
def test_secret_in_a_request(request_: Request, where: str, turris: Sandbox) -> None:
    """The place of a secret in a request is named."""
    assert RecordedRequest(at=turris.clock.now(), request=request_).find([SECRET]) == where


class ShowsItsSecret(PlainClient):
    """A client whose repr has the secret."""

    def __repr__(self) -> str:
        return f"<client {self.sandbox.client.client_secret}>"


def test_secret_in_a_repr_is_found(turris: Sandbox, turris_time: TimeTravel) -> None:
    """The repr of what a call holds on to is a leak."""
    client = ClientUnderTest(call=ShowsItsSecret(turris).call)
    verdict = TokenCase("TC-28", turris, turris_time).examine(client)
    assert "a token shows in the repr of ShowsItsSecret" in verdict.findings[0].got


def test_secret_in_a_repr_is_found_through_a_function(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """A function that is made around a client holds on to it, too."""

    def made_around(client: PlainClient) -> ClientUnderTest:
        return ClientUnderTest(call=lambda: [client.call()])

    verdict = TokenCase("TC-28", turris, turris_time).examine(made_around(ShowsItsSecret(turris)))
    assert "a token shows in the repr of ShowsItsSecret" in verdict.findings[0].got
    verdict = TokenCase("TC-28", turris, turris_time).examine(made_around(PlainClient(turris)))
    assert verdict.outcome == "passed", verdict


def test_secret_in_a_repr_is_no_link(turris: Sandbox, turris_time: TimeTravel) -> None:
    """TC-54 is about links alone."""
    association = turris.associations.add()
    client = ShowsItsSecret(turris)
    client.path = (
        f"/v1/downstream-entity-associations/{association.id}/sign-in-url?email={association.email}"
    )
    verdict = TokenCase("TC-54", turris, turris_time).examine(ClientUnderTest(call=client.call))
    assert verdict.outcome == "passed", verdict


class LogsWhatIsRefused(GoodClient):
    """Logs the token that the API refuses for want of a permission."""

    def note(self, send: Any, outcome: Any) -> None:
        """With its headers."""
        if getattr(outcome, "status", 0) == 403:
            logging.getLogger("careless").warning("refused: %s", send.headers)


def test_token_that_the_api_refuses_is_looked_for(turris: Sandbox, turris_time: TimeTravel) -> None:
    """The API refuses and fails too, not the token endpoint alone."""
    for rule, outcome in (("TC-28", "failed"), ("TC-63", "not observed")):
        verdict = examine(TokenCase(rule, turris, turris_time), "httpx", LogsWhatIsRefused)
        assert verdict.outcome == outcome, verdict


class ErrorWithRequestError(Exception):
    """As aiohttp's ClientResponseError: its text is harmless, its repr has the request."""

    def __init__(self, headers: object) -> None:
        super().__init__(headers)

    def __str__(self) -> str:
        return "refused"


class RaisesTheRequest(GoodClient):
    """Its errors have what was sent."""

    def note(self, send: Any, outcome: Any) -> None:
        """Raise one."""
        if getattr(outcome, "status", 0) == 403:
            raise ErrorWithRequestError(send.headers)


def test_secret_in_the_repr_of_an_error_is_advice(turris: Sandbox, turris_time: TimeTravel) -> None:
    """Few logs show a repr, and some libraries put the request there."""
    verdict = examine(TokenCase("TC-28", turris, turris_time), "httpx", RaisesTheRequest)
    assert verdict.outcome == "warned", verdict
    (finding,) = verdict.findings
    assert finding.got == "a secret or a token shows in the repr of ErrorWithRequestError"


def test_leak_under_a_hostile_answer_has_its_own_advice(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """What to do about the answer does not mend it."""
    verdict = examine(HostileCase("AR-13", turris, turris_time), "httpx", LogsWhatIsRefused)
    assert "shows in a log record" in verdict.findings[0].got
    assert verdict.findings[0].expected == "it shows nowhere: see TC-28"
    assert verdict.findings[0].fix.startswith("Log method, path and status only")


def test_urls_of_a_client_that_only_reads(turris: Sandbox, turris_time: TimeTravel) -> None:
    """Without a write, the calls alone show what is in their URLs."""
    under_test = ClientUnderTest(call=PlainClient(turris).call)
    assert TokenCase("TC-16", turris, turris_time).examine(under_test).outcome == "passed"
    client = PlainClient(turris)

    def call() -> object:
        client.path = f"/v1/agents?access_token={client.token()}"
        return client.call()

    verdict = TokenCase("TC-16", turris, turris_time).examine(ClientUnderTest(call=call))
    assert "has a secret in its URL" in verdict.findings[0].got


@pytest.mark.parametrize("writes", [False, True])
def test_without_a_link_nothing_is_observed_of_links(
    turris: Sandbox, turris_time: TimeTravel, writes: bool
) -> None:
    """A client that gets no sign-in link, neither by its call nor by a write, cannot log one."""
    client = PlainClient(turris)
    under_test = ClientUnderTest(call=client.call, write=client.call if writes else None)
    verdict = TokenCase("TC-54", turris, turris_time).examine(under_test)
    assert (verdict.outcome, "no answer had a sign-in" in str(verdict)) == ("not observed", True)


def test_without_a_personal_value_nothing_is_observed_of_queries(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """A client whose query has no personal value cannot log one."""
    under_test = ClientUnderTest(call=PlainClient(turris, "/v1/agents?limit=5").call)
    verdict = TokenCase("TC-55", turris, turris_time).examine(under_test)
    assert (verdict.outcome, "no personal value" in str(verdict)) == ("not observed", True)


def test_answer_that_is_not_read_is_no_leak(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A client that still uses its old token does not read the garbage of the token endpoint."""
    verdict = examine(TokenCase("TC-28", turris, turris_time), "httpx", BROKEN["TC-06"])
    assert verdict.outcome == "passed", verdict


def test_personal_value_in_an_error_is_found(
    turris: Sandbox, turris_time: TimeTravel, caplog: pytest.LogCaptureFixture
) -> None:
    """The error of an HTTP library has the whole URL."""
    caplog.set_level(logging.WARNING, "httpx")
    client = PlainClient(turris, "/v1/agents?email=dana%40example.test")
    verdict = TokenCase("TC-55", turris, turris_time).examine(ClientUnderTest(call=client.call))
    assert verdict.outcome == "warned"
    assert verdict.findings[0].got == "a personal value of the query shows in an error's text"


def test_decoy_resolves_the_turris_hosts_only(turris: Sandbox) -> None:
    """Other names resolve as usual; the original function is back afterwards."""
    from pytest_turris.conformance.servers.decoys import DecoyServers

    before = socket.getaddrinfo
    decoys = DecoyServers(lambda _: pytest.fail("called"))
    try:
        with decoys.in_place_of_turris():
            assert socket.getaddrinfo("127.0.0.1", 80)[0][4] == ("127.0.0.1", 80)
            host = httpx.URL(turris.base_url).host
            for name in (host, host.encode()):
                assert socket.getaddrinfo(name, 443)[0][4] == ("127.0.0.1", decoys.port())
    finally:
        decoys.stop()
    assert socket.getaddrinfo is before


def test_written_by_any_way_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Renamed files, databases, and what a search finds in the working directory."""
    import dbm
    import sqlite3

    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    files = WrittenFiles()
    with written_files(files, search=True):
        (tmp_path / "made").mkdir()
        (tmp_path / "first").write_text(SECRET)
        (tmp_path / "first").rename(tmp_path / "renamed")
        sqlite3.connect(tmp_path / "rows.db").close()
        dbm.open(str(tmp_path / "pairs"), "n").close()
        with pytest.raises(TypeError):
            sqlite3.connect(3.5)  # type: ignore[call-overload] # no name at all
        subprocess.run(["/bin/sh", "-c", "echo $TEXT > child"], env={"TEXT": SECRET}, check=True)
    assert [path.name for path in files.with_secret([SECRET])] == ["child", "renamed"]
    assert str(tmp_path / "renamed") in files.renamed
    assert files.directories == {str(tmp_path / "made")}
    assert {str(tmp_path / name) for name in ("rows.db", "pairs")} <= files.opened


@pytest.mark.parametrize(
    ("first", "text", "found"),
    [
        (0o644, SECRET, "token.txt (mode 0644 until it was changed)"),
        (0o644, "", ""),
        (0o600, SECRET, ""),
    ],
)
def test_file_that_was_public_for_a_moment(
    tmp_path: Path, first: int, text: str, found: str
) -> None:
    """The mode has to be right before the secret is in the file; a changed one comes too late."""
    path, files = tmp_path / "token.txt", WrittenFiles()
    with written_files(files):
        path.touch()
        path.chmod(first)
        path.write_text(text)
        path.chmod(0o600)
        path.write_text(SECRET)
        with pytest.raises(FileNotFoundError):
            (tmp_path / "missing").chmod(0o600)
    assert files.find_public([SECRET]) == found


def test_file_in_a_shut_directory_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's own directory protects its files, if nobody else can enter it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    directory = tmp_path / "store"
    directory.mkdir(mode=0o700)
    path = directory / "token.txt"
    path.write_text(SECRET)
    path.chmod(0o644)
    files = WrittenFiles(opened={str(path)})
    assert files.find_public([SECRET]) == ""
    directory.chmod(0o755)
    assert files.find_public([SECRET]) == "token.txt (mode 0644)"
    directory.chmod(0o700)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert files.find_public([SECRET]) == "token.txt (mode 0644)", "only the tests' own"
    files.directories.add(str(directory))
    assert files.find_public([SECRET]) == ""
