"""Puts every rule to published clients, and keeps the verdicts with their evidence.

``make findings`` runs all and writes ``FILE``; the page is made from that file.
"""

import asyncio
import gc
import json
import os
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx2  # noqa: F401 - its door is for a library that is imported

from pytest_turris.conformance.client_under_test import ClientUnderTest
from pytest_turris.conformance.errors import CaseError
from pytest_turris.conformance.rules import RULES
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.in_process.httpx import httpx2_door, httpx_door
from pytest_turris.doors.in_process.requests import requests_door
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.server import LiveServer
from pytest_turris.findings.verdict import Verdict
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel

from .dialect import rfc6749
from .third_party import ASYNC, LIBRARIES, OVER_A_SOCKET, forget_all

FILE = Path(__file__).parents[3] / "docs" / "explanation" / "sweep-findings.json"
_LONGEST = 30.0
_PORT = re.compile(r"(?<=127\.0\.0\.1|localhost):\d+")
_HEX = re.compile(r"[0-9a-f]{12,}")


def verdict(library: str, rule_id: str) -> Verdict:
    """What one rule finds in one library."""
    sandbox = Sandbox(Options(time_engine="time-machine"), name=f"{library}/{rule_id}")
    forget_all()
    with _at_home(library, sandbox):
        time = TimeTravel(sandbox)
        time.start()
        try:
            case, make = TokenCase(rule_id, sandbox, time), LIBRARIES[library]
            if library not in ASYNC:
                return case.examine(ClientUnderTest(call=make(), new_client=make))
            return asyncio.run(_aexamine(case, make))
        except CaseError as error:
            return Verdict(check=RULES[rule_id], outcome="not observed", reason=str(error))
        finally:
            time.stop()


async def _aexamine(case: TokenCase, make: Any) -> Verdict:
    return await case.aexamine(ClientUnderTest(call=make(), new_client=make))


def row(library: str, rule_id: str) -> dict[str, Any]:
    """The verdict as data: what was found, and the requests that show it."""
    found = verdict(library, rule_id)
    first = found.findings[0] if found.findings else None
    return {
        "library": library,
        "rule": rule_id,
        "outcome": found.outcome,
        "got": _steady(first.got if first else found.reason),
        "requests": [_steady(line) for line in first.sent.splitlines()] if first else [],
    }


def _steady(text: str) -> str:
    """The text without what differs between runs: ports and drawn identifiers."""
    return _HEX.sub("...", _PORT.sub("", text)).partition("\n")[0][:300]


def _version(library: str) -> str:
    return version(library.partition(" ")[0])


@contextmanager
def _at_home(library: str, sandbox: Sandbox) -> Iterator[None]:
    handle = rfc6749(sandbox.handle)
    running = set(threading.enumerate())
    with ExitStack() as stack:
        url = sandbox.base_url
        for door in (httpx_door, httpx2_door, requests_door):
            stack.enter_context(door(handle))
        if library in OVER_A_SOCKET:
            server = LiveServer(asgi_app(handle))
            stack.callback(server.stop)
            url = f"http://127.0.0.1:{server.port}"
        before = dict(os.environ)
        os.environ |= {
            "TURRIS_BASE_URL": url,
            "TURRIS_CLIENT_ID": sandbox.client.client_id,
            "TURRIS_CLIENT_SECRET": str(sandbox.client.client_secret),
        }
        try:
            yield
        finally:
            os.environ.clear()
            os.environ |= before
            for thread in set(threading.enumerate()) - running:
                if thread.name.startswith("Thread-"):
                    thread.join(_LONGEST)  # a call that still hangs would meet the next sandbox
            gc.collect()  # the libraries leave connections to the garbage collector


def main(libraries: list[str]) -> None:
    """Run the sweep on the libraries, and write what it finds."""
    warnings.simplefilter("ignore")
    names = libraries or list(LIBRARIES)
    kept = json.loads(FILE.read_text()) if FILE.exists() else {"versions": {}, "verdicts": []}
    verdicts = [found for found in kept["verdicts"] if found["library"] not in names]
    verdicts += [row(name, rule_id) for name in names for rule_id in RULES]
    verdicts.sort(key=lambda found: (list(LIBRARIES).index(found["library"]), found["rule"]))
    versions = kept["versions"] | {name: _version(name) for name in names}
    ordered = {name: versions[name] for name in LIBRARIES if name in versions}
    text = json.dumps({"versions": ordered, "verdicts": verdicts}, indent=1, ensure_ascii=False)
    FILE.write_text(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
