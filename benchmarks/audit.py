"""What the audit costs: on the suite of the example project, and for one request.

The suite runs with and without ``--turris-audit``, in turn; the CPU time of it and its children
counts. A request is answered with and without an observer of the journal, in turn; the rules judge
each window of requests. Switched off, the audit must not even be imported.
"""

import gc
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pytest_turris.audit.live import LiveAudit
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "agency_directory"
SUITE_ROUNDS = 3
ROUNDS = 40
REQUESTS = 500
OFF = """
import sys, pytest
status = pytest.main(["-q", "-p", "no:randomly", "-p", "no:asyncio", "-p", "no:cacheprovider"])
loaded = [name for name in sys.modules if name.startswith("pytest_turris.audit")]
sys.exit(f"loaded: {loaded}" if loaded else int(status))
"""


def suite_seconds(*options: str) -> float:
    """The CPU time of the example's suite."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", *options],
        cwd=EXAMPLE,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def request_microseconds(ask: Callable[[], object]) -> float:
    """The CPU time of one request."""
    start = time.process_time()
    for _ in range(REQUESTS):
        ask()
    return (time.process_time() - start) / REQUESTS * 1e6


def per_request() -> tuple[float, float]:
    """A request without the audit, and what the audit adds to it."""
    gc.collect()
    gc.freeze()  # as the server does when it has started
    sandbox = Sandbox()
    token = sandbox.tokens.issue(sandbox.client).text
    request = Request(
        method="GET",
        path="/v1/agents",
        headers=(("authorization", f"Bearer {token}"),),
        host="public.api.sandbox.turrisfi.com",
        client_port=50_000,
    )
    audit = LiveAudit(sandbox, "benchmark", lambda: REQUESTS)  # judged once a round
    pairs = []
    for _ in range(ROUNDS):
        sandbox.journal.observer = None
        without = request_microseconds(lambda: sandbox.handle(request))
        sandbox.journal.observer = audit.observe
        pairs.append((without, request_microseconds(lambda: sandbox.handle(request))))
    # The quickest round of each: what else the machine does can only add to the others.
    quickest = min(without for without, _ in pairs)
    return quickest, min(audited for _, audited in pairs) - quickest


def main() -> None:
    """Print the figures."""
    suite_seconds()  # the first run compiles
    pairs = [(suite_seconds(), suite_seconds("--turris-audit")) for _ in range(SUITE_ROUNDS)]
    ratio = statistics.median(audited / without for without, audited in pairs)
    print(f"the example's suite with --turris-audit: {ratio:.2f}x of {pairs[0][0]:.1f} s")
    without, added = per_request()
    print(f"one request: {added:+.1f} us, on {without:.1f} us")
    subprocess.run([sys.executable, "-c", OFF], cwd=EXAMPLE, stdout=subprocess.DEVNULL, check=True)
    print("switched off: no module of the audit is imported")


if __name__ == "__main__":
    main()
