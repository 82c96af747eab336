"""The fidelity table: complete, honest about its options, and counted."""

import re
from pathlib import Path

from pytest_turris.core.fidelity import FIDELITY, counted_rows
from pytest_turris.core.options import Options, option_types
from pytest_turris.core.text.field_docs import field_docs
from pytest_turris.core.unknowns.record_options import RecordOptions


def test_an_open_behaviour_has_an_option_or_a_reason() -> None:
    """One of them, and never both."""
    for row in FIDELITY:
        if row.provenance in ("assumed", "disputed"):
            assert bool(row.options) != bool(row.no_option), row
        else:
            assert not row.no_option, row


def test_every_named_option_exists_and_every_option_is_named() -> None:
    """Those about what the API answers."""
    named = {name for row in FIDELITY for name in row.options}
    assert named <= set(option_types())
    assert {name for name in RecordOptions.__slots__ if not name.startswith("_")} <= named


def test_an_option_does_not_call_documented_what_is_partly_assumed() -> None:
    """If it also changes an assumption, its text says so; else it would read as Turris' own."""
    partly = {name for row in FIDELITY if row.provenance == "assumed" for name in row.options}
    for name, text in field_docs(Options).items():
        if name in partly and "(documented" in text:
            assert "assumed" in text, name


def test_the_counts_add_up() -> None:
    """Each row counts once."""
    assert sum(counted_rows().values()) == len(FIDELITY)
    assert all(counted_rows().values())


DOCS = Path(__file__).parents[2] / "docs"
STATED = re.compile(
    r"(?<!how )(?<!What )(?<!If )Turris signs|headers, which are not signed\."
    r"|captured webhook stays valid:|no timestamp in Turris' scheme;|X-Turris-Signature`: hex \|"
)
"""What a page would have to know about the signature, and no page of Turris says."""


def test_no_page_states_what_turris_signs() -> None:
    """Encoding, signed text and time are assumed: a page says so, or leaves them open."""
    texts = {
        path.relative_to(DOCS).as_posix(): " ".join(path.read_text().split())
        for path in DOCS.rglob("*.md")
    }
    found = {name: STATED.findall(text) for name, text in texts.items()}
    assert {name: stated for name, stated in found.items() if stated} == {}
