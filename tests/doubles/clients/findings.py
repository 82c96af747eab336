"""Puts every rule to the published clients, and writes the verdicts as a page."""

import contextlib
import gc
import os
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version

from pytest_turris.conformance.errors import CaseError
from pytest_turris.conformance.harness import ClientUnderTest
from pytest_turris.conformance.rules import RULES
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.in_process.httpx import httpx_door
from pytest_turris.doors.sockets.pool import ServerPool
from pytest_turris.findings.verdict import Verdict
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel

from .third_party import LIBRARIES, OVER_A_SOCKET

_PORT = re.compile(r"(?<=127\.0\.0\.1|localhost):\d+")
_BROKEN = "**broken**"
WORDS = {
    "passed": "kept", "failed": _BROKEN, "warned": _BROKEN, "noted": _BROKEN, "not observed": "-",
}  # fmt: skip
VERSIONS = ("authlib", "httpx-auth", "requests-oauthlib", "oauthlib", "httpx", "requests")


@cache
def verdicts(library: str) -> dict[str, Verdict]:
    """The verdict on each rule."""
    pool = ServerPool()
    try:
        return {rule_id: _verdict(library, rule_id, pool) for rule_id in RULES}
    finally:
        pool.stop()
        gc.collect()  # the libraries leave connections to the garbage collector


def page() -> str:
    """The findings as Markdown."""
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    head = ["| Rule | " + " | ".join(LIBRARIES) + " |", "|---|" + "---|" * len(LIBRARIES)]
    rows = []
    for rule in RULES.values():
        found = [verdicts(library)[rule.id].outcome for library in LIBRARIES]
        if set(found) != {"not observed"}:
            words = " | ".join(WORDS[outcome] for outcome in found)
            rows.append(f"| {rule.id} {rule.title} | {words} |")
    stories = []
    for library in LIBRARIES:
        broken = [v for v in verdicts(library).values() if v.findings]
        lines = [f"- {v.check.id}: {_PORT.sub('', v.findings[0].got)}" for v in broken]
        stories += [f"\n## {library} {version(library)}\n", *lines]
    return "\n".join([f"Measured with {versions}.\n", *head, *rows, *stories]) + "\n"


def _verdict(library: str, rule_id: str, pool: ServerPool) -> Verdict:
    sandbox = Sandbox(Options(time_engine="time-machine"), name=f"{library}/{rule_id}")
    with _at_home(library, sandbox, pool):
        time = TimeTravel(sandbox)
        time.start()
        try:
            make = LIBRARIES[library]
            client = ClientUnderTest(call=make(), new_client=make)
            return TokenCase(rule_id, sandbox, time).examine(client)
        except CaseError as error:
            return Verdict(check=RULES[rule_id], outcome="not observed", reason=str(error))
        finally:
            time.stop()


@contextlib.contextmanager
def _at_home(library: str, sandbox: Sandbox, pool: ServerPool) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        stack.enter_context(httpx_door(sandbox.handle))
        url = sandbox.base_url
        if library in OVER_A_SOCKET:
            url = stack.enter_context(pool.serve(sandbox)).base_url
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


if __name__ == "__main__":
    print(page())  # noqa: T201 - a script
