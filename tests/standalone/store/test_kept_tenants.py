"""Tenants of a server with a store: created, deleted, idle, and after a restart."""

import contextlib
import datetime as dt
import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.served_here import KeptLog

from mock_server.control.tenants import DEFAULT, Tenants
from mock_server.control.wire.errors import ControlError
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from mock_server.store.store import Store
from pytest_turris.core.options import Options
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.sandbox import Sandbox


@contextlib.contextmanager
def tenants(path: Path, options: Options | None = None) -> Iterator[Tenants]:
    """The sandboxes of one run of a server."""
    store, sandbox = Store.open(path, print), Sandbox(options)
    store.attach(sandbox, DEFAULT)
    found = Tenants(sandbox, store)
    found.resume()
    yield found
    store.close()


def test_tenants_last_over_a_restart(tmp_path: Path) -> None:
    """With their options, data, credentials, saved states, and limit of idleness."""
    path, limit = tmp_path / "turris.db", dt.timedelta(hours=3)
    with tenants(path) as first:
        made = first.create(
            "ci", Options(envelope="top_level"), limit, lambda new: new.seed("small_agency")
        )
        made.saved.save("before")
        with made.step("agents add"):
            made.sandbox.agents.add()
        client_id = made.sandbox.client.client_id
        with pytest.raises(ControlError, match="there is a tenant"):
            first.create("ci", Options())
    with tenants(path) as second:
        again = second.get("ci")
        assert again is not None
        assert second.find((client_id,)) is again
        assert again.sandbox.options.envelope == "top_level"
        assert again.idle_limit == limit
        assert len(again.sandbox.agents) == 4
        again.restore(again.saved.get("before"))
        assert len(again.sandbox.agents) == 3
        again.saved.remove("before")
        with pytest.raises(UnknownRecordError):
            again.saved.get("before")
        second.delete("ci")
        assert second.find((client_id,)) is None
    with tenants(path) as third:
        assert third.names == (DEFAULT,)


def test_a_restarted_server_answers_once_it_knows_its_tenants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that connects while they are read waits, and then finds its tenant."""
    path, token, resume = tmp_path / "turris.db", "0123456789abcdef" * 2, Tenants.resume
    with tenants(path) as first:
        first.create("ci", Options())
    before = set(threading.enumerate())
    waiting: list[http.client.HTTPConnection] = []

    def slow(found: Tenants) -> None:
        waiting.append(http.client.HTTPConnection("127.0.0.1", found.server.own_port, timeout=60))
        headers = {"authorization": f"Bearer {token}"}
        waiting[0].request("GET", "/__sandbox__/tenants/ci/clock", headers=headers)
        started = set(threading.enumerate()) - before
        assert "turris-server" not in {thread.name for thread in started}
        resume(found)

    monkeypatch.setattr(Tenants, "resume", slow)
    with contextlib.closing(Store.open(path, print)) as store:
        sandbox, settings = Sandbox(), ServerSettings(control_token=token)
        store.attach(sandbox, DEFAULT)
        with StandaloneSandbox(sandbox, settings, KeptLog([]), store):
            assert waiting[0].getresponse().status == 200
            waiting[0].close()


def test_reset_returns_to_the_first_start(tmp_path: Path) -> None:
    """Also after a restart, with the options of then."""
    path = tmp_path / "turris.db"
    with tenants(path) as first:
        first.default.sandbox.agents.add()
        first.default.sandbox.settle()
    with tenants(path) as second:
        assert len(second.default.sandbox.agents) == 1
        second.default.reset()
        assert len(second.default.sandbox.agents) == 0


def test_idle_tenants_are_forgotten_by_the_store(tmp_path: Path) -> None:
    """After their limit without a request."""
    path = tmp_path / "turris.db"
    with tenants(path) as first:
        first.create("idle", Options(), dt.timedelta(0))
        first._swept_at -= 2
        first.sweep()
        assert first.get("idle") is None
    with tenants(path) as second:
        assert second.names == (DEFAULT,)


def test_changed_options_last_unless_they_are_given(tmp_path: Path) -> None:
    """What was changed while it ran; the command line of a later start has the last word."""
    path = tmp_path / "turris.db"
    with tenants(path, Options(token_requests_per_minute=7)) as first:
        changes = {"envelope": "top_level", "writes_per_minute": 5}
        with first.default.step("options change"):
            sandbox = first.default.sandbox
            sandbox.change_options(sandbox.options.replaced(changes))
    with tenants(path) as second:
        options = second.default.sandbox.options
        assert options == Options(envelope="top_level", writes_per_minute=5)
    with tenants(path, Options(writes_per_minute=9)) as third:
        options = third.default.sandbox.options
        assert (options.envelope, options.writes_per_minute) == ("top_level", 9)
