"""What a receiver takes for a bomb is held against what it takes for a smaller one."""

import sys
from typing import Any

import pytest
from doubles.attack_harness import attack_in_process
from doubles.receivers.good_receiver import ReceiverApp

from pytest_turris.attacks.sending.packed_spaces import packed_spaces

_MIB = 2**20


class TakesTheSame(ReceiverApp):
    """Takes 24 MiB for any packed body, as a process does that inflates its first up to a limit."""

    def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        if environ.get("HTTP_CONTENT_ENCODING"):
            taken = bytearray(24 * _MIB)
            taken[::4096] = b"x" * len(taken[::4096])
            return 413, b""
        return super().answer(environ)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel counts memory so on Linux alone")
def test_memory_that_does_not_grow_with_the_bomb_is_fine() -> None:
    """A correct receiver takes some memory for any body, and no more for a larger one."""
    verdict = attack_in_process("WH-125", TakesTheSame)
    assert verdict.outcome == "passed", str(verdict)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_bomb_is_as_small_as_the_page_says(coding: str) -> None:
    """A mebibyte of spaces takes a kibibyte."""
    assert len(packed_spaces(64 * _MIB)[coding]) < 66 * 1024
