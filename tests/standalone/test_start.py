"""The start of ``turris-sandbox serve``: nothing is built before it is used."""

import gc
import os
import subprocess
import sys

import pytest

from mock_server import starting
from pytest_turris.core.wire.building import ModelBuilding

_BUILT = """
import sys
from mock_server import starting
starting.begin() if sys.argv[1:] else None
import mock_server.serving.run, pydantic

def below(kind):
    return [one for direct in kind.__subclasses__() for one in (direct, *below(direct))]

ours = [one for one in below(pydantic.BaseModel) if one.__module__.startswith("pytest_turris")]
print(len(ours), sum(one.__pydantic_complete__ for one in ours))
from pytest_turris import Sandbox
sandbox = Sandbox()
sandbox.seed("small_agency")
print(len(sandbox.agents), sandbox.agents.where()[0].wire()["agent"]["npn"])
"""


def built(*arguments: str) -> list[str]:
    """How many models there are, how many are built, and what the sandbox does then."""
    done = subprocess.run(
        [sys.executable, "-c", _BUILT, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_a_server_builds_a_model_when_it_is_used() -> None:
    """None is built by then; what is used works as it does in a test process, where all are."""
    models, complete, *works = built("serve")
    assert int(models) > 40
    assert complete == "0"
    known, all_of_them, *same = built()
    assert known == all_of_them
    assert int(known) > int(models)  # those of operations come with the first request for them
    assert works == same


_LATER = (
    "jwt",
    "cryptography",
    "h11",
    "email.message",
    "zipfile",
    "xml",
    "unittest",
    "fastapi",
    "sqlite3",
    "pytest_turris.core.api.routes",
    "pytest_turris.core.api.operations.agents",
    "pytest_turris.core.outbox.outbox",
)


def test_a_server_imports_for_its_first_answer_what_that_needs() -> None:
    """The rest comes with the first token, form, upload, control call or audit."""
    code = """
import sys
from mock_server import starting
starting.begin()
import mock_server.serving.run
from pytest_turris import Sandbox
from pytest_turris.core.wire.messages import Request
answer = Sandbox().handle(Request(method="GET", path="/.well-known/jwks.json"))
print(answer.status, [name for name in sys.argv[1:] if name in sys.modules])
"""
    arguments = [sys.executable, "-c", code, *_LATER]
    env = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == "200 []"


def test_garbage_is_collected_once_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not during the imports, which leave none."""
    calls: list[str] = []
    for name in ("disable", "freeze", "enable"):
        monkeypatch.setattr(gc, name, lambda name=name: calls.append(name))
    monkeypatch.setattr(gc, "isenabled", lambda: "disable" not in calls)
    monkeypatch.setattr(ModelBuilding, "is_deferred", False)
    starting.finish()
    assert calls == []
    starting.begin()
    assert calls == ["disable"]
    assert ModelBuilding.is_deferred
    starting.finish()
    assert calls == ["disable", "freeze", "enable"]


def test_pydantic_without_its_lock_builds_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads may use a model for the first time at once."""
    monkeypatch.setattr(ModelBuilding, "is_deferred", False)
    monkeypatch.delattr("pydantic.main._rebuild_lock")
    ModelBuilding.defer()
    assert not ModelBuilding.is_deferred
