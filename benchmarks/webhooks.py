"""The time to build and sign a webhook, and to run the full attack profile, also over HTTP.

The baseline is a dict, ``json.dumps`` and ``hmac`` for a body of 1 KB. CPU time of alternating
batches; the ratio is what counts.
"""

import hashlib
import hmac
import json
import multiprocessing
import resource
import socket
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "docs" / "examples" / "receivers")]

from fastapi_receiver import create_app  # noqa: E402 - found by the line above
from turris_inbox import Inbox  # noqa: E402 - as above

from pytest_turris.attacks.catalogue import ATTACKS  # noqa: E402 - as above
from pytest_turris.attacks.context import AttackContext  # noqa: E402 - as above
from pytest_turris.attacks.receiver import Receiver  # noqa: E402 - as above
from pytest_turris.attacks.runner import run_attack  # noqa: E402 - as above
from pytest_turris.attacks.series.series import AttackSeries  # noqa: E402 - as above
from pytest_turris.core.options import Options  # noqa: E402 - as above
from pytest_turris.core.sandbox import Sandbox  # noqa: E402 - as above
from pytest_turris.webhooks.factory import WebhookFactory  # noqa: E402 - as above

KEY = "turris_sandbox_whsec_0123456789abcdef"
ENTITY = "507f1f77bcf86cd799439010"
FACTORY = WebhookFactory.of(Sandbox(Options(webhook_secret=KEY)), entity=ENTITY)
EVENT = {
    "webhookType": "X",
    "upstreamEntityId": FACTORY.upstream_entity_id,
    "payload": {f"member{number}": "x" * 40 for number in range(16)},
}


def baseline() -> str:
    """Build a dict, its JSON and its HMAC."""
    body = json.dumps(dict(EVENT), separators=(",", ":")).encode()
    return hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()


def batch(call: Callable[[], Any], count: int = 2_000) -> float:
    """Return the microseconds of CPU time per call."""
    begin = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - begin) / count * 1e6


def compared(name: str, call: Callable[[], Any]) -> None:
    """Print both medians and their ratio."""
    pairs = [(batch(call), batch(baseline)) for _ in range(7)]
    ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{name}: {ours:.1f} us, baseline {bare:.1f} us, ratio {ours / bare:.2f}")


def full_profile() -> None:
    """Run every attack on the FastAPI receiver of the examples, in process."""
    rows: dict[str, Any] = {}
    app = create_app(Inbox([KEY], FACTORY.upstream_entity_id, rows.__setitem__))
    receiver = Receiver(app, "/webhooks", effects=lambda: len(rows))
    context = AttackContext(factory=FACTORY)
    begin, busy = time.perf_counter(), time.process_time()
    outcomes = [run_attack(attack, receiver, context).outcome for attack in ATTACKS]
    took, busy = time.perf_counter() - begin, time.process_time() - busy
    print(f"full profile in process: {len(outcomes)} attacks in {took:.2f} s; CPU {busy:.2f} s")


def serve(listener: socket.socket) -> None:
    """Serve the FastAPI receiver of the examples with uvicorn."""
    import uvicorn

    rows: dict[str, Any] = {}
    app = create_app(Inbox([KEY], ENTITY, rows.__setitem__))
    uvicorn.Server(uvicorn.Config(app, log_level="critical")).run([listener])


def full_profile_over_http() -> None:
    """Run every attack on the FastAPI receiver of the examples, in a process of its own."""
    factory = WebhookFactory.of(Sandbox(Options(webhook_secret=KEY)), entity=ENTITY)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/webhooks"
        child = multiprocessing.get_context("spawn").Process(target=serve, args=(listener,))
        child.start()
    try:
        series = AttackSeries(Receiver(url), AttackContext(factory=factory))
        series.run(ATTACKS[:1])  # waits until it serves
        begin, busy = time.perf_counter(), time.process_time()
        verdicts = series.run(ATTACKS).verdicts
        took, busy = time.perf_counter() - begin, time.process_time() - busy
    finally:
        child.terminate()
        child.join()
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"full profile over HTTP: {len(verdicts)} attacks in {took:.2f} s; CPU {busy:.2f} s, "
        f"the receiver {theirs.ru_utime + theirs.ru_stime:.2f} s with its start"
    )


if __name__ == "__main__":
    compared("sign a dict of 1 KB", lambda: FACTORY.sign(EVENT))
    compared("build and sign a documented event", FACTORY.producer_agreement_executed)
    full_profile()
    full_profile_over_http()
