"""Captured output: what is written is kept, and written as well."""

import io

from pytest_turris.process.output import Tee


def test_lines_are_kept_and_written() -> None:
    """``writelines`` is kept like ``write``."""
    kept: list[str] = []
    stream = io.StringIO()
    Tee(stream, kept).writelines(["one\n", "two\n"])
    assert kept == ["one\n", "two\n"]
    assert stream.getvalue() == "one\ntwo\n"
