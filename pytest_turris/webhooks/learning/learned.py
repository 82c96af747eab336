"""Learns from a delivery how its sender signs, and says how sure that is."""

import math
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_turris.webhooks.learning import bodies, keys, values
from pytest_turris.webhooks.learning.delivery import CapturedDelivery, _Headers
from pytest_turris.webhooks.learning.expressed import Reading, reading_of
from pytest_turris.webhooks.learning.search import Fit, Search, search
from pytest_turris.webhooks.learning.signed_texts import JOINTS_TRIED, LAYOUTS

_SHOWN = 8
_LINE_BREAK = re.compile(rb"\r?\n\Z")
_ALIKE = {
    "body": "with spaces in its JSON and names that are not ASCII",
    "signature": "whose signature has one of the characters + / - _",
}
"""Schemes that look the same in many deliveries, with a delivery that distinguishes them."""


@dataclass(frozen=True, slots=True)
class LearnedSignature:
    """What a real delivery shows about its signature; ``str()`` is a report without secrets.

    Args:
        readings: The schemes that fit every delivery, the likeliest first.
        deliveries: How many deliveries were compared.
        tried: How many combinations of keys and signed texts were tried.
        left: How many unlikely ones were left out, because the body is large.
        signatures: The headers whose values can be signatures.
        trimmed: Of how many deliveries the body had a line break too many at its end.
    """

    readings: tuple[Reading, ...]
    deliveries: int
    tried: int
    left: int
    signatures: tuple[str, ...]
    trimmed: int = 0

    @property
    def sure(self) -> bool:
        """Whether exactly one scheme fits."""
        return len(self.readings) == 1

    @property
    def options(self) -> dict[str, Any]:
        """The options of the likeliest scheme; empty for the defaults, or if none can be set."""
        return dict(self.readings[0].options) if self.readings else {}

    def __str__(self) -> str:
        return "\n".join(_report(self))


def learn_signature(
    headers: _Headers,
    body: bytes,
    *,
    secret: str,
    url: str = "",
    others: Iterable[tuple[_Headers, bytes]] = (),
) -> LearnedSignature:
    """Find out how the sender of a real delivery signs.

    Args:
        headers: The headers of the delivery, as a mapping or as pairs: all of them, so that a
            signed time or id is found.
        body: The body as it was received, byte for byte.
        secret: The secret as the sender shows it.
        url: The URL that the sender called, if it may be signed too.
        others: The headers and bodies of further deliveries with the same secret. What fits one
            of them and not another is dropped.
    """
    __tracebackhide__ = True  # pytest --showlocals would print the secret
    first = CapturedDelivery.of(headers, body, url=url)
    rest = [CapturedDelivery.of(lines, text, url=url) for lines, text in others]
    return learned_from([first, *rest], secret)


def learned_from(deliveries: Sequence[CapturedDelivery], secret: str) -> LearnedSignature:
    """Return what several deliveries show together.

    Args:
        deliveries: The deliveries, at least one.
        secret: The secret that signs all of them.
    """
    __tracebackhide__ = True  # pytest --showlocals would print the secret
    as_sent = [_as_sent(delivery, secret) for delivery in deliveries]
    searches = [found for found, _ in as_sent]
    common = [list(same) for same in _common(searches)]
    readings = [reading_of(fits[0], fits) for fits in common]
    # Of equally good fits, show first those that the sandbox can do.
    readings.sort(key=lambda reading: bool(reading.obstacles))
    return LearnedSignature(
        readings=tuple(readings),
        deliveries=len(searches),
        tried=sum(one.tried for one in searches),
        left=sum(one.left for one in searches),
        signatures=tuple(dict.fromkeys(name for one in searches for name in one.signatures)),
        trimmed=sum(is_trimmed for _, is_trimmed in as_sent),
    )


def _as_sent(delivery: CapturedDelivery, secret: str) -> tuple[Search, bool]:
    """Search with the body as it is, and without a line break at its end if that fits better.

    Editors add one when they save a file, and it changes the signature.

    Returns:
        What was found, and whether it is without the line break.
    """
    __tracebackhide__ = True  # pytest --showlocals would print the secret
    given = search(delivery, secret)
    body = _LINE_BREAK.sub(b"", delivery.body)
    if body == delivery.body or not _obstacles(given):
        return given, False
    shorter = search(replace(delivery, body=body), secret)
    is_better = _obstacles(shorter) < _obstacles(given)
    return (shorter, True) if is_better else (given, False)


def _obstacles(found: Search) -> float:
    """How many things no option expresses, in the fit that has the fewest; infinite without one."""
    return min((len(reading_of(fit).obstacles) for fit in found.fits), default=math.inf)


def _common(searches: Sequence[Search]) -> Iterator[list[Fit]]:
    """For each scheme that fits every delivery, its fits, one with a list of signatures first."""
    tables = [{fit.identity: fit for fit in one.fits} for one in searches]
    for identity in tables[0]:
        if all(identity in table for table in tables):
            yield [table[identity] for table in tables]


def _report(learned: LearnedSignature) -> Iterator[str]:
    found = learned.readings
    if not found:
        yield from _nothing(learned)
        return
    fit = "1 scheme fits" if learned.sure else f"{len(found)} schemes fit"
    given = "this delivery" if learned.deliveries == 1 else f"{learned.deliveries} deliveries"
    yield f"{fit} {given}; {learned.tried:,} combinations were tried:"
    yield f"1. {found[0].description}"
    for number, one in enumerate(found[1:_SHOWN], 2):
        other = [text for about, text in one.aspects.items() if found[0].aspects.get(about) != text]
        yield f"{number}. the same, but {'; '.join(other)}"
    if len(found) > _SHOWN:
        yield f"... and {len(found) - _SHOWN} more"
    yield ""
    yield from _how_sure(learned)
    yield ""
    yield from _settings(found[0])


def _how_sure(learned: LearnedSignature) -> Iterator[str]:
    first, *others = learned.readings
    differ = [
        about
        for about in first.aspects
        if any(one.aspects.get(about) != first.aspects[about] for one in others)
    ]
    if learned.sure:
        yield "Sure: nothing else that was tried makes this signature with this secret."
    elif set(differ) <= _ALIKE.keys():
        yield "Nearly sure: they all make the same signature here. A second delivery decides:"
        yield f"one {' and '.join(_ALIKE[about] for about in differ)}."
    else:
        yield "Not sure: the first is the simplest. A second delivery decides, with another time"
        yield "and id, with names that are not ASCII, and with spaces in its JSON."
    yield from (f"Note: {note}." for note in first.notes)
    if learned.trimmed:
        yield f"Note: {_trimmed(learned)}."
    if learned.left:
        yield f"Note: {_left(learned)}."


def _settings(reading: Reading) -> Iterator[str]:
    if reading.obstacles:
        yield "The sandbox cannot sign like this: no option sets"
        yield from (f"- {obstacle}" for obstacle in reading.obstacles)
        return
    if not reading.options:
        yield "These are the defaults: no option has to be set."
        return
    yield "In the ini file:"
    yield from (f"turris_{name} = {_ini(value)}" for name, value in reading.options.items())
    if any(_needs_marker(value) for value in reading.options.values()):
        yield "An ini file drops white space at the ends of a value: use the marker for that."
    keywords = ", ".join(f"{name}={value!r}" for name, value in reading.options.items())
    yield f"As a marker:\n@pytest.mark.turris({keywords})"
    words = (shlex.quote(f"{name}={_ini(value)}") for name, value in reading.options.items())
    yield "On the command line:\n" + " ".join(f"-o {word}" for word in words)


def _nothing(learned: LearnedSignature) -> Iterator[str]:
    if not learned.signatures:
        yield "None fits: no header has a value that can be a signature. Give all header lines."
        return
    yield (
        "None fits. Either the secret is not the one that signed, or the body is not what was "
        "sent, byte for byte, or a signed header is missing, or the scheme is another one."
    )
    yield f"Tried: {learned.tried:,} combinations."
    yield f"- signatures in {', '.join(learned.signatures)}, alone or in a list, with any prefix"
    yield f"- digests: {', '.join(values.ALGORITHMS.values())}"
    yield f"- encodings: {', '.join(encoding.name for encoding in values.ENCODINGS)}"
    yield f"- the secret as {', '.join(keys.KEY_FORMS)}; without its prefix, if that is a known one"
    yield f"- signed: {'; '.join(' '.join(layout) for layout in LAYOUTS)}"
    yield f"- joined by {' '.join(map(repr, JOINTS_TRIED))}"
    yield f"- the body as {'; '.join(bodies.BODY_FORMS)}"
    if learned.left:
        yield f"Not tried: {_left(learned)}."


def _trimmed(learned: LearnedSignature) -> str:
    whose = "the body" if learned.deliveries == 1 else f"the body of {learned.trimmed} of them"
    return (
        f"{whose} ends with a line break that was not signed, as editors add one: take it out of "
        "the file"
    )


def _left(learned: LearnedSignature) -> str:
    return f"{learned.left:,} unlikely combinations were left out, because the body is large"


def _ini(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _needs_marker(value: object) -> bool:
    return isinstance(value, str) and value != value.strip()
