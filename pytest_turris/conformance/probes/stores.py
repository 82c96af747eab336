"""TC-29 and TC-70: files in which a client keeps its token."""

import os
from pathlib import Path

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.rule import RuleFamily

STORES = RuleFamily()
_rule = STORES.rule


@_rule(
    "TC-29",
    "A file with a token is private",
    does="Gets two tokens, and searches what was written meanwhile: files, renamed files, "
    "databases, and new files in the working directory, HOME and TMPDIR.",
    why="Every user of the machine can read the token.",
    fix="Create the file with mode 0600, in a directory with 0700, or keep the token in memory.",
    usual_bug="json.dump writes a file with the default mode",
    source="botocore: 0600",
)
def _private_files(harness: ClientHarness) -> ProbeSteps[None]:
    if os.name == "nt":  # pragma: no cover - the tests run on POSIX
        harness.not_applicable("on Windows a file's mode does not say who may read it")
    with harness.traces(search_files=True) as traces:
        yield from harness.get_first_token()
        yield from harness.past_expiry()
        yield from harness.calls()
        if harness.client.new_client:
            yield from harness.new_client()
    public = traces.files.find_public(harness.secrets())
    harness.require(not public, f"a file that others may read holds a token or secret: {public}")


@_rule(
    "TC-70",
    "A half-written token store costs one token request",
    does="Truncates the file in which the client keeps its token, and makes a new client.",
    why="A process that was killed, or two that write at once, stop every process after them.",
    fix="Write a temporary file and rename it; take a store that cannot be read for an empty one.",
    usual_bug="json.load without an except, on a file that is written in place",
    source="workers-sdk issue 15089",
    needs="new_client",
)
def _half_written(harness: ClientHarness) -> ProbeSteps[None]:
    with harness.traces(search_files=True) as traces:
        yield from harness.get_first_token()
        yield from harness.new_client()
    stores = traces.files.written_in_place(harness.secrets())
    if not stores:
        harness.not_applicable("the client writes no file with its token, or renames a whole one")
    for store in stores:
        yield from _damage(harness, store)


def _damage(harness: ClientHarness, store: Path) -> ProbeSteps[None]:
    whole = store.read_bytes()
    try:
        for name, part in (("half of its content", whole[: len(whole) // 2]), ("nothing", b"")):
            store.write_bytes(part)
            result = yield from harness.new_client()
            harness.require_success([result], f"with {name} in {store.name}", ours_alone=True)
            store.write_bytes(whole)
    finally:
        store.write_bytes(whole)
