"""A key that is shown in part, as a text cut short or a mask that hides too little shows it."""

from typing import Any

import pytest
from doubles.attack_harness import attack_in_process
from doubles.receivers.good_receiver import ReceiverApp

from pytest_turris.attacks.judging.leaks import key_runs

KEY = "turris_sandbox_secret_k7Qz93LmX0vT5bRw8Yp2"


class Shows(ReceiverApp):
    """Answers 401 with a part of its key."""

    part = slice(0, -4)

    def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        status, text = super().answer(environ)
        return (status, f"key {KEY[self.part]}".encode()) if status == 401 else (status, text)


class Logs(Shows):
    """Writes it into its log."""

    def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        status, text = super().answer(environ)
        self.backend.log.append(text.decode())
        return status, b""


@pytest.mark.parametrize("part", [slice(0, -4), slice(4, None), slice(0, 36)])
@pytest.mark.parametrize("receiver", [Shows, Logs])
def test_part_of_the_key_is_a_leak(receiver: type[Shows], part: slice) -> None:
    """What is left of it can be guessed."""
    shows = type("App", (receiver,), {"part": part})
    verdict = attack_in_process("WH-05", shows, key=KEY)
    assert verdict.outcome == "failed", str(verdict)
    assert any(one.got.startswith("a part of the key") for one in verdict.findings)


@pytest.mark.parametrize("part", [slice(0, 22), slice(-4, None), slice(0, 33)])
def test_what_shows_too_little_is_let_be(part: slice) -> None:
    """The public beginning, and a mask such as ***-8Yp2, are no leak."""
    shows = type("App", (Shows,), {"part": part})
    assert attack_in_process("WH-05", shows, key=KEY).outcome == "passed"


def test_words_in_a_key_are_not_taken_for_it() -> None:
    """A key that somebody made up may consist of words that any text has."""
    assert not key_runs("my-company-webhook-secret")
    assert not key_runs("short")
