"""A consumer's project with a receiver, and a pytest run over it."""

import pytest

QUIET = ("-p", "no:randomly", "-p", "no:asyncio", "-p", "no:cacheprovider")

RECEIVER = """
import hashlib, hmac, os

done = []

def verify(body, headers):
    key = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
    expected = hmac.new(key, body, hashlib.sha256).hexdigest().encode()
    fine = hmac.compare_digest(headers.get("X-Turris-Signature", "").encode(), expected)
    if fine:
        done.append(body)
    return fine

def believe(body, headers):
    done.append(body)
    return True
"""


def run(pytester: pytest.Pytester, *lines: str, args: tuple[str, ...] = ()) -> pytest.RunResult:
    """Run a test module over the receiver."""
    pytester.makepyfile(receiver=RECEIVER, test_project="\n".join(lines))
    pytester.syspathinsert()
    return pytester.runpytest_inprocess(*QUIET, *args)
