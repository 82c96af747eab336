"""The tripwire: a text that records when it is compared with ``==``."""

from pytest_turris.attacks.judging.constant_time import Tripwire

SIGNATURE = "0123456789abcdef0123456789abcdef"


def test_comparison_with_another_signature_is_recorded() -> None:
    """Both ``==`` and ``!=`` are recorded, and give what they give for any text."""
    hits: list[str] = []
    wire = Tripwire(SIGNATURE, hits)
    assert wire == SIGNATURE
    assert wire != SIGNATURE[::-1]
    assert hits == ["==", "=="]


def test_comparison_with_a_short_text_is_not_recorded() -> None:
    """A check for an empty header or a prefix is no comparison of signatures."""
    hits: list[str] = []
    assert Tripwire(SIGNATURE, hits) != ""
    assert hits == []


def test_pieces_are_tripwires_too() -> None:
    """What ``split`` and ``strip`` make of it still records; it can be a key of a dict."""
    hits: list[str] = []
    piece = Tripwire(f"sha256={SIGNATURE}", hits).split("=")[1].strip()
    assert {piece: 1}[Tripwire(SIGNATURE, [])] == 1
    hits.clear()
    assert piece == SIGNATURE
    assert hits == ["=="]
