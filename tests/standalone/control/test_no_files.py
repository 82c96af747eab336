"""Nothing that arrives over HTTP names a file: no request opens one, or starts anything."""

import json
import sys
from urllib.parse import quote

import pytest
from doubles.api_recipes import World, as_request
from doubles.controlled import Controlled

from mock_server.control.control import Control
from mock_server.control.description import describe
from mock_server.control.table import CONTROLS
from pytest_turris.core.api.routes import OPERATIONS

NAME = "passwd"
"""A name as the controls take it, and of a file in many folders."""
TRAVERSALS = ("../../etc/passwd", "..\\..\\win.ini", "/proc/self/environ\0.json", "$(id){{7*7}}")
WATCHED = ("open", "subprocess.Popen", "os.system", "os.exec", "os.remove", "os.mkdir")
PYTHON = (sys.prefix, sys.base_prefix)
"""Where modules are looked for, and what packages say about themselves."""
ROWS = [row for row in CONTROLS.values() if not row.sends and not row.streams]

_seen: list[list[str]] = []
"""The lists of the tests that watch at the moment."""


def _hook(event: str, given: tuple[object, ...]) -> None:
    if _seen and event in WATCHED and not str(given[0]).startswith(PYTHON):
        _seen[-1].append(f"{event} {given[:1]}")


@pytest.fixture(scope="module", autouse=True)
def hooked() -> None:
    """Watch from now on: an audit hook cannot be removed."""
    sys.addaudithook(_hook)


def test_an_opened_file_is_seen() -> None:
    """The watch works."""
    found: list[str] = []
    _seen.append(found)
    try:
        with open("/dev/null", encoding="utf-8"):  # noqa: PTH123 - as any code may do it
            pass
    finally:
        _seen.pop()
    assert found == ["open ('/dev/null',)"]


def documents(row: Control, text: str) -> list[dict[str, object]]:
    """None of the members of a row, those that it needs, and all of them: each is the text."""
    told = [one for one in describe(row)["parameters"] if one["where"] == "body"]
    filled = {one["name"]: one["choices"][0] if one["choices"] else text for one in told}
    needed = {one["name"]: filled[one["name"]] for one in told if one["required"]}
    at_home = needed | {name: "http://127.0.0.1:9/passwd" for name in needed if name == "url"}
    return [{}, needed, at_home, filled] if row.has_body else [{}]


def ask(controlled: Controlled, world: World) -> None:
    """Send each path in each place: a path, a body, and the name of a tenant."""
    for text in (NAME, *TRAVERSALS):
        coded = quote(text, safe="")
        for row in ROWS:
            path = row.path
            for name in row.in_path:
                path = path.replace(f"{{{name}}}", coded)
            for document in documents(row, text):
                body = json.dumps(document).encode() if row.has_body else b""
                for tenant in ("", f"/tenants/{coded}"):
                    controlled.send(row.method, tenant + path, body)
        for operation in (one for one in OPERATIONS if one.parameters):
            sent = world.request(operation)
            target = sent.target.rpartition("/")[0]
            world.sandbox.handle(as_request(type(sent)("GET", f"{target}/{coded}", sent.headers)))


def test_no_request_opens_a_file() -> None:
    """Neither for the control API nor for the sandbox; modules are imported by the first calls."""
    controlled, world = Controlled(), World()
    ask(controlled, world)
    found: list[str] = []
    _seen.append(found)
    try:
        ask(controlled, world)
    finally:
        _seen.pop()
    assert found == []
