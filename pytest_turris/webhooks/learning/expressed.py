"""The learned scheme as options of the sandbox, or why no option expresses it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from pytest_turris.webhooks.learning.bodies import COMPACT_PAYLOAD, RAW_BODY
from pytest_turris.webhooks.learning.search import Fit
from pytest_turris.webhooks.learning.signed_texts import TextPart
from pytest_turris.webhooks.learning.times import form_of, is_seconds
from pytest_turris.webhooks.schemes import FIELDS, JOINTS, SCHEMES
from pytest_turris.webhooks.signature import SignatureScheme

_TIME_IN_VALUE = "t={time},v1="
_ORDER = ("version", "id", "time", "body")
_COMPARED = [
    field.name
    for field in fields(SignatureScheme)
    if field.name not in ("unsigned_lines", "list_separator", "key_prefix")
]


@dataclass(frozen=True, slots=True)
class Reading:
    """One scheme that fits, as options.

    Args:
        aspects: The scheme in words, by what they are about.
        options: The options that make the sandbox sign like this; they differ from the defaults.
        obstacles: What no option expresses; if there is anything, the sandbox cannot sign like
            this.
        notes: Further advice, such as a secret to write without its prefix.
    """

    aspects: dict[str, str]
    options: dict[str, Any]
    obstacles: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def description(self) -> str:
        """The scheme in words."""
        return "; ".join(self.aspects.values())


def reading_of(fit: Fit, several: Sequence[Fit] = ()) -> Reading:
    """Return a fit as options.

    Args:
        fit: The fit.
        several: Fits of other deliveries; one of them may show the separator of signatures.
    """
    obstacles = tuple(_obstacles(fit))
    separators = [one.value.separator for one in (fit, *several) if one.value.separator]
    notes = tuple(_notes(fit, separators))
    if obstacles:
        return Reading(_aspects(fit), {}, obstacles, notes)
    scheme = _scheme(fit, separators[0] if separators else "")
    return Reading(_aspects(fit), _options(scheme), (), notes)


def _obstacles(fit: Fit) -> Iterator[str]:
    value, signed, key = fit.value, fit.signed, fit.key
    parts = {part.kind: part for part in signed.parts}
    time = parts.get("time")
    if fit.algorithm != "sha256":
        yield f"HMAC-{fit.algorithm.upper()}: Turris documents SHA-256"
    if value.encoding.name not in ("hex", "base64"):
        yield f"a signature in {value.encoding.name}"
    if key.form not in ("text", "hex", "base64", "stripped"):
        yield f"{key.words} as the key"
    if signed.form not in (RAW_BODY, COMPACT_PAYLOAD):
        yield f"signing {signed.form}"
    if signed.layout != tuple(kind for kind in _ORDER if kind in signed.layout):
        yield f"signing {_layout(fit)}: only version, id, time and body, in this order, can be set"
    if "{time}" in value.form and not value.form.startswith(_TIME_IN_VALUE):
        yield f"a header value of the form {value.form!r}: only 't=...,v1=...' can be set"
    if "{time}" in value.form and (time is None or time.header != value.header):
        yield "a time in the signature's header that is not the signed one"
    if time is not None and not is_seconds(time.text):
        yield f"a signed time in {form_of(time.text)}, not in Unix seconds"


def _notes(fit: Fit, separators: Sequence[str]) -> Iterator[str]:
    if fit.key.form == "stripped":
        yield "the secret has white space around it that the sender does not use: take it off"
    elif fit.key.form == "text" and fit.key.prefix:
        yield f"set the secret without its prefix {fit.key.prefix!r}"
    if not separators:
        yield "one signature does not show what separates several, while a key is rotated"
    if any(part.kind == "id" for part in fit.signed.parts):
        yield "the sandbox writes ids of its own form: 'msg_' and 24 hexadecimal digits"


def _scheme(fit: Fit, separator: str) -> SignatureScheme:
    parts = {part.kind: part for part in fit.signed.parts}
    in_value = fit.value.form.startswith(_TIME_IN_VALUE)
    prefix = fit.value.form.removeprefix(_TIME_IN_VALUE).removesuffix("{signature}")
    nothing = TextPart("", "", "")
    return SignatureScheme(
        header=fit.value.header,
        encoding="hex" if fit.value.encoding.name == "hex" else "base64",
        prefix=prefix,
        timestamped="time" in parts,
        signs="body" if fit.signed.form == RAW_BODY else "payload",
        list_separator=separator,
        key_form="text" if fit.key.form == "stripped" else fit.key.form,  # type: ignore[arg-type]  # no other form gets here
        key_prefix="" if fit.key.form == "text" else fit.key.prefix,
        id_header=parts.get("id", nothing).header,
        timestamp_header="" if in_value else parts.get("time", nothing).header,
        signed_version=parts.get("version", nothing).text,
        joint=fit.signed.joint if fit.signed.parts else ".",
    )


def _options(scheme: SignatureScheme) -> dict[str, Any]:
    """The name of the scheme if it has one, else each part that differs from Turris' scheme."""
    for name, known in SCHEMES.items():
        separators = {"", known.list_separator}
        if _comparable(scheme) == _comparable(known) and scheme.list_separator in separators:
            return {} if name == "turris" else {"signature_scheme": name}
    scheme = replace(scheme, header=_usual_case(scheme.header))
    changed = {
        option: getattr(scheme, field)
        for option, field in FIELDS.items()
        if getattr(scheme, field) != getattr(SCHEMES["turris"], field)
    }
    if scheme.timestamp_header:
        del changed["signature_timestamped"]  # the header implies it
    if "signature_joint" in changed:
        words = {text: word for word, text in JOINTS.items()}
        changed["signature_joint"] = words[changed["signature_joint"]]
    return changed


def _comparable(scheme: SignatureScheme) -> list[object]:
    values = [getattr(scheme, name) for name in _COMPARED]
    return [value.lower() if isinstance(value, str) else value for value in values]


def _usual_case(header: str) -> str:
    usual = SCHEMES["turris"].header
    return usual if header.lower() == usual.lower() else header


def _aspects(fit: Fit) -> dict[str, str]:
    value, signed = fit.value, fit.signed
    found = {
        "header": value.header,
        "signature": f"HMAC-{fit.algorithm.upper()} in {value.encoding.name}",
    }
    if value.form != "{signature}":
        found["form"] = f"written {value.form!r}"
    if value.separator:
        found["list"] = f"several separated by {value.separator!r}"
    found["body"] = f"signs {signed.form}"
    if signed.parts:
        found["text"] = f"the signed text is {_layout(fit)}"
    return found | {"key": f"key: {fit.key.words}"}


def _layout(fit: Fit) -> str:
    words = {part.kind: _part(part) for part in fit.signed.parts} | {"body": "the body"}
    names = [words[kind] for kind in fit.signed.layout]
    between = f"joined by {fit.signed.joint!r}" if fit.signed.joint else "with nothing between"
    return f"{', '.join(names[:-1])} and {names[-1]}, {between}"


def _part(part: TextPart) -> str:
    if part.kind == "version":
        return repr(part.text)
    return f"the {part.kind} in {part.header}" if part.header else f"the {part.kind}"
