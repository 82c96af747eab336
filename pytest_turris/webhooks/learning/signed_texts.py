"""The texts that a sender may have signed: the body alone, or with a time, an id, a URL."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pytest_turris.webhooks.learning.bodies import RAW_BODY, forms_of
from pytest_turris.webhooks.learning.delivery import CapturedDelivery
from pytest_turris.webhooks.learning.times import time_in
from pytest_turris.webhooks.learning.values import ValueReading

JOINTS_TRIED = (".", ":", "", "|", "\n", ",", "-", "_", " ")
"""The possible separators of the parts, the likeliest first."""

LAYOUTS: tuple[tuple[str, ...], ...] = (
    ("body",), ("time", "body"), ("id", "time", "body"), ("version", "time", "body"),
    ("id", "body"), ("time", "id", "body"), ("version", "body"), ("version", "id", "time", "body"),
    ("url", "body"), ("body", "time"), ("body", "id"), ("body", "url"), ("method", "url", "body"),
    ("url", "time", "body"), ("time", "url", "body"), ("path", "body"), ("method", "path", "body"),
    ("time", "method", "path", "body"), ("method", "path", "time", "body"),
)  # fmt: skip
"""The parts of the signed text in their order, the likeliest first."""

_LAYOUTS_OF_OTHER_BODIES = 8
_JOINTS_OF_OTHER_BODIES = 3
_LONGEST_ID = 128
_VERSIONS = ("v1", "v0", "v2")
_USUAL = frozenset({
    "accept", "accept-encoding", "accept-language", "cache-control", "connection",
    "content-length", "content-type", "host", "traceparent", "tracestate", "transfer-encoding",
    "user-agent", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port",
    "x-forwarded-proto", "x-real-ip",
})  # fmt: skip
"""Headers of HTTP itself and of proxies, which senders do not sign as a message's id."""

_SIGNATURE_WORDS = ("signature", "hmac", "authorization")
_ID_WORDS = ("id", "nonce", "delivery", "event")


@dataclass(frozen=True, slots=True)
class TextPart:
    """One part of a signed text besides the body.

    Args:
        kind: ``time``, ``id``, ``version``, ``url``, ``method`` or ``path``.
        header: The header that it is in; empty if it is in none.
        text: Its text in this delivery; for a version, its text in every one.
    """

    kind: str
    header: str
    text: str


@dataclass(frozen=True, slots=True)
class SignedText:
    """One text that the sender may have signed.

    Args:
        layout: The kinds of its parts, in order.
        parts: The parts besides the body, in order.
        joint: Their separator.
        form: The form of the body.
        body: The body in this form.
    """

    layout: tuple[str, ...]
    parts: tuple[TextPart, ...]
    joint: str
    form: str
    body: bytes = field(repr=False)

    @property
    def text(self) -> bytes:
        """The bytes that are signed."""
        texts = {part.kind: part.text.encode("latin-1", "replace") for part in self.parts}
        texts["body"] = self.body
        return self.joint.encode().join(texts[kind] for kind in self.layout)

    @property
    def identity(self) -> tuple[object, ...]:
        """What is the same in every delivery of the sender."""
        parts = tuple(
            (part.kind, part.header.lower(), part.text if part.kind == "version" else "")
            for part in self.parts
        )
        return self.layout, parts, self.joint, self.form


def signed_texts_of(
    delivery: CapturedDelivery, values: Sequence[ValueReading]
) -> Iterator[SignedText]:
    """Yield every text that the sender may have signed, the likeliest first.

    Args:
        delivery: The delivery.
        values: How its headers can be read as signatures.
    """
    parts = _parts(delivery, values)
    forms = forms_of(delivery.body)
    yield from _of_body(RAW_BODY, forms.pop(RAW_BODY), parts, LAYOUTS, JOINTS_TRIED)
    for form, body in forms.items():
        layouts, joints = (
            LAYOUTS[: _LAYOUTS_OF_OTHER_BODIES + 1],
            JOINTS_TRIED[:_JOINTS_OF_OTHER_BODIES],
        )
        yield from _of_body(form, body, parts, layouts, joints)


def _of_body(
    form: str,
    body: bytes,
    parts: dict[str, list[TextPart]],
    layouts: Sequence[tuple[str, ...]],
    joints: Sequence[str],
) -> Iterator[SignedText]:
    for layout in layouts:
        kinds = [kind for kind in layout if kind != "body"]
        for chosen in itertools.product(*(parts.get(kind, ()) for kind in kinds)):
            if not _distinct(chosen):
                continue
            for joint in joints if kinds else joints[:1]:
                yield SignedText(layout, chosen, joint, form, body)


def _distinct(parts: Sequence[TextPart]) -> bool:
    """Whether no part is used twice; what looks like a time can be an id only next to a time."""
    kinds = {part.kind: part for part in parts}
    if "id" not in kinds or time_in(kinds["id"].text) != kinds["id"].text:
        return True
    return "time" in kinds and kinds["time"].header != kinds["id"].header


def _parts(delivery: CapturedDelivery, values: Sequence[ValueReading]) -> dict[str, list[TextPart]]:
    found: dict[str, list[TextPart]] = {"time": [], "id": [], "version": []}
    for reading in values:
        time = TextPart("time", reading.header, reading.time)
        if reading.time and time not in found["time"]:
            found["time"].append(time)
    for header, value in delivery.headers:
        text = value.strip()
        if text and time_in(text) == text:
            found["time"].append(TextPart("time", header, text))
        if _can_be_id(header.lower(), text):
            found["id"].append(TextPart("id", header, text))
    found["id"].sort(key=lambda part: not any(one in part.header.lower() for one in _ID_WORDS))
    words = [reading.prefix.rstrip("=:,. ") for reading in values]
    versions = dict.fromkeys(word for word in [*words, *_VERSIONS] if word)
    found["version"] = [TextPart("version", "", word) for word in versions]
    if delivery.url:
        found["url"] = [TextPart("url", "", delivery.url)]
        split = urlsplit(delivery.url)
        path = (split.path or "/") + (f"?{split.query}" if split.query else "")
        found["path"] = [TextPart("path", "", path)]
        found["method"] = [TextPart("method", "", delivery.method)]
    return found


def _can_be_id(header: str, text: str) -> bool:
    # An id may look like a digest, so the value does not decide.
    named = any(word in header for word in _SIGNATURE_WORDS)
    return header not in _USUAL and not named and 0 < len(text) <= _LONGEST_ID
