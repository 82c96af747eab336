"""The taps of the leak watch by themselves: what they see, and what they put up with."""

import logging
import ssl
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from doubles.doors import mocker_like

from pytest_turris.audit.evidence import Evidence
from pytest_turris.audit.leaks import traces as module
from pytest_turris.audit.leaks.search import LeakSearch
from pytest_turris.audit.leaks.tap import Taps
from pytest_turris.audit.leaks.traces import LeakTraces, Trace, exception_texts, repr_of
from pytest_turris.audit.leaks.ways import WAYS, as_application
from pytest_turris.audit.places import NOWHERE, CallSite, Place, PlaceFinder, base_of
from pytest_turris.audit.spellings import SecretForms
from pytest_turris.hooks.audit_canaries import _raises
from pytest_turris.hooks.audit_taps import PytestTaps

_SECRET = "turris_sandbox_secret_3f9a1c0d7e5b2a4866aa01"


@pytest.fixture
def taps() -> Iterator[Taps]:
    """Taps in this process, on top of those of a run that is audited itself."""
    found = Taps()
    found.install()
    yield found
    found.remove()


@pytest.mark.parametrize(("check", "way", "leak"), WAYS, ids=[way for _, way, _ in WAYS])
def test_each_way_out_is_seen(taps: Taps, check: str, way: str, leak: object) -> None:
    """From a file of an application; from one of ours, nothing is kept of what is sent."""
    del way
    assert callable(leak)
    leak(_SECRET)
    found = taps.begin(None)
    as_application(leak)(_SECRET)
    names = "\n".join(found.opened | found.renamed)
    texts = [one.text for one in found.texts if one.check == check]
    assert _SECRET in (names if check == "LK-06" else "\n".join(texts))


def test_what_is_put_back_sees_nothing() -> None:
    """After ``remove`` the hooks are those of before."""
    before = threading.excepthook
    found = Taps()
    found.install()
    assert threading.excepthook is not before
    found.remove()
    assert threading.excepthook is before


def test_there_is_an_end_to_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that logs without end does not take all memory."""
    monkeypatch.setattr(module, "_MOST", 2)
    found = LeakTraces()
    for _ in range(5):
        found.note("LK-01", "text")
    assert (len(found.texts), found.dropped) == (2, 3)


class _Odd(Exception):  # noqa: N818 - as an application may write it
    """Can be shown in no way."""

    def __str__(self) -> str:
        raise ValueError(self)

    __repr__ = __str__


def test_an_exception_that_cannot_be_shown_is_passed_over() -> None:
    """Its notes and its causes are read anyway, each once."""
    error = _Odd()
    error.add_note(_SECRET)
    error.__context__ = other = ValueError("other")
    other.__context__ = error
    texts = exception_texts(error)
    assert _SECRET in texts
    assert texts.count("other") == 1
    assert repr_of(error) == ""


def test_files_that_are_gone_and_directories_are_passed_over(tmp_path: Path) -> None:
    """Only what can be read is searched."""
    call = CallSite((lambda: None).__code__, 1, -1)
    found = LeakTraces()
    found.opened.calls |= {str(tmp_path / "gone"): call, str(tmp_path): call}
    found.renamed.calls["nul\0"] = NOWHERE
    evidence = Evidence(test="test_it")
    forms = SecretForms([(_SECRET, "a client secret")])
    search = LeakSearch(evidence, forms, PlaceFinder(tmp_path), Place(path="test_it.py"), ())
    search.search(found, frozenset(), {})
    assert evidence.is_empty


def test_the_first_of_several_taps_names_the_host(tmp_path: Path) -> None:
    """A request that a client library and a socket show is one finding."""
    found = LeakTraces()
    for name in ("errors.example", "a socket"):
        found.keep(Trace("LK-08", _SECRET, CallSite((lambda: None).__code__, 1, -1), name, 80))
    evidence = Evidence(test="test_it")
    forms = SecretForms([(_SECRET, "a client secret")])
    search = LeakSearch(evidence, forms, PlaceFinder(tmp_path), Place(path="test_it.py"), ())
    search.search(found, frozenset({81}), {})
    (one,) = evidence.spotted
    assert one.finding.got.endswith("of errors.example")


def test_what_is_sent_to_a_shared_server_by_its_name_is_no_leak(tmp_path: Path) -> None:
    """A client library names the host; the sandbox got requests there."""
    found = LeakTraces()
    found.note("LK-08", _SECRET, name="turris.internal")
    evidence = Evidence(test="test_it")
    forms = SecretForms([(_SECRET, "a client secret")])
    search = LeakSearch(evidence, forms, PlaceFinder(tmp_path), Place(path="test_it.py"), ())
    search.search(found, frozenset({80, "turris.internal"}), {})
    assert evidence.is_empty


def test_a_file_that_may_not_be_read_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application has written it for another user; what it wrote elsewhere is searched."""
    call = CallSite((lambda: None).__code__, 1, -1)
    found = LeakTraces()
    for name in ("theirs", "ours"):
        (tmp_path / name).write_text(_SECRET)
        (tmp_path / name).chmod(0o644)
        found.opened.calls[str(tmp_path / name)] = call
    opens = Path.open

    def refused(path: Path, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as Path.open
        if path.name == "theirs":
            raise PermissionError(path)
        return opens(path, *args, **options)

    monkeypatch.setattr(Path, "open", refused)
    evidence = Evidence(test="test_it")
    forms = SecretForms([(_SECRET, "a client secret")])
    search = LeakSearch(evidence, forms, PlaceFinder(tmp_path), Place(path="test_it.py"), ())
    search.search(found, frozenset(), {})
    assert evidence.ran == {"LK-06": 1}
    assert [one.finding.got.partition(",")[0] for one in evidence.spotted] == [
        "a client secret in ours"
    ]


@pytest.mark.parametrize(
    ("message", "argument"), [("%d of it", _SECRET), ("%(name)s", {"nam": _SECRET})]
)
def test_a_record_that_cannot_be_formatted_is_kept(
    taps: Taps, message: str, argument: object
) -> None:
    """With its arguments, which logging would show; the call that logs does not fail."""
    logging.getLogger("acme.mistakes").debug(message, argument)
    (one,) = [one for one in taps.traces.texts if one.name == "acme.mistakes"]
    assert _SECRET in one.text
    assert one.message == repr(message)


def test_a_logger_that_is_switched_off_logs_nothing(taps: Taps) -> None:
    """As with ``disable_existing_loggers``; one whose level only the root decides is heard."""
    logger = logging.getLogger("acme.switched_off")
    logger.debug("first")
    logger.disabled = True
    logger.critical("second %s", _SECRET)
    logger.disabled = False
    assert [one.message for one in taps.traces.texts if one.name == logger.name] == ["first"]


def test_what_is_encrypted_is_seen_before(taps: Taps) -> None:
    """Asynchronous clients encrypt in memory; what a library's thread writes is nobody's."""
    context = ssl.create_default_context()
    connection = context.wrap_bio(
        ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="errors.example"
    )
    with pytest.raises(ssl.SSLError):  # nobody is at the other end
        connection.write(_SECRET.encode())
    with ThreadPoolExecutor(1) as pool:
        assert isinstance(pool.submit(connection.write, b"of a thread").exception(), ssl.SSLError)
    (one,) = [one for one in taps.traces.texts if one.check == "LK-08"]
    assert (one.text, one.name) == (_SECRET, "errors.example")
    assert one.call.code is test_what_is_encrypted_is_seen_before.__code__


def test_what_a_mock_answers_for_another_host_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """It replaces the method of the session by one that was imported before the taps."""
    monkeypatch.setitem(sys.modules, "requests_mock.mocker", mocker_like)
    found = Taps()
    found.install()
    try:
        with mocker_like.Mocker({"https://errors.example/": "thanks"}):
            answer = requests.post("https://errors.example/", data=_SECRET, timeout=1)
    finally:
        found.remove()
    assert answer.status_code == 200
    (one,) = [one for one in found.traces.texts if one.check == "LK-08"]
    assert (one.name, _SECRET in one.text) == ("errors.example", True)


def test_an_exception_that_a_test_expects_is_seen() -> None:
    """``pytest.raises`` hides it from all other hooks; where nothing is raised, nothing is kept."""
    taps = Taps()
    ours = PytestTaps(taps)
    ours.install()
    try:
        for leak in (_raises, as_application(_raises)):
            traces = taps.begin(None)
            leak(_SECRET)
            (one,) = traces.texts
            assert (one.check, one.name, _SECRET in one.text) == ("LK-04", "ValueError", True)
        traces = taps.begin(None)
        with pytest.raises(pytest.fail.Exception), pytest.raises(ValueError, match="never"):
            pass
        assert [one.name for one in traces.texts] == ["Failed"]
    finally:
        ours.remove()


def test_places_are_below_the_repository(tmp_path: Path) -> None:
    """Without a repository around it, below the directory of the tests."""
    inner = tmp_path / "repository" / "tests"
    inner.mkdir(parents=True)
    assert base_of(inner) == inner
    (tmp_path / "repository" / ".git").mkdir()
    assert base_of(inner) == tmp_path / "repository"
