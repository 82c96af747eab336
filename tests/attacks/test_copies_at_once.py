"""Copies of one webhook that arrive at once: what a receiver may answer to them."""

import asyncio
import hashlib
from typing import Any

import pytest
from doubles.attack_harness import context_for
from doubles.receivers.good_receiver import Backend, ReceiverApp

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.findings.verdict import Verdict


class Claims:
    """An ASGI application that claims a webhook, works on it, and answers other copies meanwhile.

    Args:
        meanwhile: What it answers to a copy of what it works on.
        frees: Whether it lets the claim go if a copy comes; if not, nothing is done then.
        twice: Whether the work is done once more if a copy comes.
    """

    def __init__(self, meanwhile: int, *, frees: bool = True, twice: bool = False) -> None:
        self._meanwhile = meanwhile
        self._frees = frees
        self._twice = twice
        self._claimed: set[bytes] = set()
        self._copied: set[bytes] = set()
        self._done: set[bytes] = set()
        self.rows: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        digest = hashlib.sha256((await receive())["body"]).digest()
        status = 204 if digest in self._done else await self._work(digest)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body"})

    async def _work(self, digest: bytes) -> int:
        if digest in self._claimed:
            self._copied.add(digest)
            return self._meanwhile
        self._claimed.add(digest)
        for _ in range(30):
            await asyncio.sleep(0)
        copied = digest in self._copied
        if copied and not self._frees:
            return self._meanwhile
        self.rows += [digest] * (2 if copied and self._twice else 1)
        self._done.add(digest)
        return 204


def verdict_on(app: Claims) -> Verdict:
    """What WH-85 says about it."""
    receiver = Receiver(app, effects=lambda: len(app.rows))
    return run_attack(find_attack("WH-85"), receiver, context_for(Backend(), ReceiverApp))


@pytest.mark.parametrize("meanwhile", [204, 409, 425, 503])
def test_copy_of_what_is_in_work_may_be_put_off(meanwhile: int) -> None:
    """The webhook is not lost, and the sender can try the copy again."""
    verdict = verdict_on(Claims(meanwhile))
    assert verdict.outcome == "passed", verdict


@pytest.mark.parametrize("meanwhile", [401, 500])
def test_copy_of_what_is_in_work_is_not_refused_for_good(meanwhile: int) -> None:
    """The sender would report a webhook that failed."""
    verdict = verdict_on(Claims(meanwhile))
    assert [finding.kind for finding in verdict.findings] == ["status"], verdict


def test_one_copy_is_accepted() -> None:
    """A claim that is never freed loses the webhook."""
    verdict = verdict_on(Claims(409, frees=False))
    assert verdict.outcome == "failed"
    (finding,) = verdict.findings
    assert (finding.got, finding.expected) == ("409 to all 20", "2xx to one of them")


def test_work_that_is_done_twice_is_told_in_spite_of_a_409() -> None:
    """The answers to the other copies do not hide it."""
    (finding,) = verdict_on(Claims(409, twice=True)).findings
    assert (finding.kind, finding.got) == ("effects", "2 effects")
