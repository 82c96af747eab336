"""A row of the fidelity table: a behaviour, how it is known, and the option that changes it."""

from dataclasses import dataclass
from typing import Literal

Provenance = Literal["documented", "derived", "assumed", "disputed"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One row of the fidelity table.

    ``no_option`` says why an assumed or disputed row has none; it is empty for every other row.
    """

    topic: str
    what: str
    provenance: Provenance
    source: str
    options: tuple[str, ...] = ()
    no_option: str = ""


def row(
    topic: str,
    what: str,
    provenance: Provenance,
    source: str,
    *options: str,
    no_option: str = "",
) -> Behaviour:
    """A row, with the options that change its behaviour."""
    return Behaviour(topic, what, provenance, source, options, no_option)
