"""The search: which keys, texts and values fit each other."""

import hmac
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_turris.webhooks.learning import keys, values
from pytest_turris.webhooks.learning.delivery import CapturedDelivery
from pytest_turris.webhooks.learning.keys import KeyReading
from pytest_turris.webhooks.learning.signed_texts import SignedText, signed_texts_of
from pytest_turris.webhooks.learning.values import ALGORITHMS, ValueReading

MOST_BYTES = 300_000_000
"""The maximum number of bytes that are hashed, for about a second.

Then the least likely are left out.
"""


@dataclass(frozen=True, slots=True)
class Fit:
    """One scheme that made the signature of the delivery.

    Args:
        key: How the secret is read.
        value: How the header is read.
        signed: What was signed.
    """

    key: KeyReading
    value: ValueReading
    signed: SignedText

    @property
    def algorithm(self) -> str:
        """The digest of the HMAC."""
        return ALGORITHMS[self.value.size]

    @property
    def identity(self) -> tuple[object, ...]:
        """What is the same in every delivery of the sender, except the list of signatures."""
        value = self.value
        key = self.key.form, self.key.prefix
        shown = value.header.lower(), value.form, value.encoding.name, value.size
        return key, shown, self.signed.identity


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found.

    Args:
        fits: Every scheme that fits, the likeliest first.
        tried: How many combinations of keys and texts were tried.
        left: How many were left out, because the body is large.
        signatures: The headers whose value can be read as a signature.
    """

    fits: tuple[Fit, ...]
    tried: int
    left: int
    signatures: tuple[str, ...]


def search(delivery: CapturedDelivery, secret: str) -> Search:
    """Return every scheme that fits a delivery.

    Args:
        delivery: The delivery.
        secret: The secret as it is configured.
    """
    __tracebackhide__ = True  # pytest --showlocals would print the key
    read = [
        reading
        for header, value in delivery.headers
        for reading in values.value_readings(header, value.strip())
    ]
    wanted = _by_digest(read)
    sizes = sorted({reading.size for reading in read})
    all_keys = keys.key_readings(secret)
    fits: list[Fit] = []
    known: dict[bytes, list[tuple[KeyReading, ValueReading]]] = {}
    hashed = left = 0
    for signed in signed_texts_of(delivery, read) if read else ():
        if hashed > MOST_BYTES:
            left += len(all_keys)
            continue
        text = signed.text
        if text not in known:
            hashed += len(text) * len(sizes) * len(all_keys)
            known[text] = _matching(text, all_keys, sizes, wanted)
        fits += [Fit(key, value, signed) for key, value in known[text]]
    headers = dict.fromkeys(reading.header for reading in read)
    return Search(tuple(_once(fits)), len(known) * len(all_keys), left, tuple(headers))


def _matching(
    text: bytes,
    all_keys: Sequence[KeyReading],
    sizes: Sequence[int],
    wanted: dict[bytes, list[ValueReading]],
) -> list[tuple[KeyReading, ValueReading]]:
    __tracebackhide__ = True  # pytest --showlocals would print the key
    found: dict[bytes, list[tuple[KeyReading, ValueReading]]] = {}
    for size in sizes:
        for key in all_keys:
            digest = hmac.digest(key.key, text, ALGORITHMS[size])
            # Two keys that make one digest are one key: HMAC hashes a long one first.
            if digest in wanted and digest not in found:
                found[digest] = [(key, value) for value in wanted[digest]]
    return [pair for pairs in found.values() for pair in pairs]


def _by_digest(read: Iterable[ValueReading]) -> dict[bytes, list[ValueReading]]:
    found: dict[bytes, list[ValueReading]] = defaultdict(list)
    for reading in read:
        for digest in reading.digests:
            found[digest].append(reading)
    return found


def _once(fits: Iterable[Fit]) -> Iterable[Fit]:
    seen = set()
    for fit in fits:
        if fit.identity not in seen:
            seen.add(fit.identity)
            yield fit
