"""What the reference verifier accepts, refuses and never shows."""

import base64
import datetime as dt
import hmac
import itertools
from collections.abc import Callable

import httpx
import pytest
from doubles.signatures import (
    BASE64,
    BODY,
    HEADER,
    KEY,
    NOW,
    PLAIN,
    SCHEMES,
    STAMPED,
    Headers,
    refusal,
)
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers as StarletteHeaders
from werkzeug.datastructures import Headers as WerkzeugHeaders

from pytest_turris.webhooks.signature import SignatureError, SignatureScheme


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@given(body=st.binary(min_size=1), data=st.data())
def test_any_flipped_bit_of_the_body_is_refused(
    scheme: SignatureScheme, body: bytes, data: st.DataObject
) -> None:
    """No bit of the body can change."""
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    changed = bytearray(body)
    changed[bit // 8] ^= 1 << bit % 8
    headers = {scheme.header: scheme.sign(body, KEY, at=NOW)}
    with pytest.raises(SignatureError):
        scheme.verify(bytes(changed), headers, KEY, now=NOW)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@given(data=st.data())
def test_any_changed_character_of_the_value_is_refused(
    scheme: SignatureScheme, data: st.DataObject
) -> None:
    """No character of the header's value can change: not even base64's unused low bits."""
    value = scheme.sign(BODY, KEY, at=NOW)
    at = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.characters().filter(lambda char: char != value[at]))
    assert refusal(scheme, {HEADER: value[:at] + other + value[at + 1 :]})


@given(
    value=st.text() | st.from_regex(r"\At=[0-9]*,v1=.*\Z"),
    names=st.lists(st.text() | st.sampled_from([HEADER, HEADER.lower()])),
    body=st.binary(),
    scheme=st.sampled_from([*SCHEMES, SignatureScheme(signs="payload")]),
)
def test_hostile_headers_raise_signature_errors_only(
    value: str, names: list[str], body: bytes, scheme: SignatureScheme
) -> None:
    """Whatever a stranger sends, the verifier refuses it and does not crash."""
    with pytest.raises(SignatureError):
        scheme.verify(body, [(name, value) for name in names], KEY, now=NOW)


def mutations(signature: str) -> dict[str, str]:
    """Near misses of a hex signature by name."""
    return {
        "empty": "",
        "spaces": "   ",
        "upper case": signature.upper(),
        "cut": signature[:10],
        "odd length": signature[:63],
        "one more": signature + "0",
        "twice": signature * 2,
        "no hex": "z" + signature[1:],
        "leading space": f" {signature}",
        "trailing tab": f"{signature}\t",
        "trailing newline": f"{signature}\n",
        "inner space": f"{signature[:2]} {signature[2:]}",
        "prefix": f"sha256={signature}",
        "list": f"bad,{signature}",
        "latin-1": f"\xe9{signature[1:]}",
        "full width": "\uff11" + signature[1:],
        "base64": base64.b64encode(bytes.fromhex(signature)).decode(),
        "NUL": f"{signature[:32]}\0{signature[33:]}",
        "key": KEY,
    }


@pytest.mark.parametrize("name", mutations("0" * 64))
def test_near_misses_are_refused_without_being_shown(name: str) -> None:
    """No other spelling passes, and no reason repeats the signature or the key."""
    signature = PLAIN.sign(BODY, KEY, at=NOW)
    reason = refusal(PLAIN, {HEADER: mutations(signature)[name]})
    assert signature[:-4] not in reason
    assert KEY[:-4] not in reason


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.rstrip("="),
        lambda text: text.replace("+", "-").replace("/", "_"),
        lambda text: f"{text[:9]}!*{text[9:]}",
        lambda text: f"{text[:9]}\n{text[9:]}",
        lambda text: base64.b64decode(text).hex(),
    ],
    ids=["unpadded", "url-safe", "junk", "newline", "hex"],
)
def test_base64_must_be_canonical(spoil: Callable[[str], str]) -> None:
    """Text that a lenient decoder reads as the right digest is refused."""
    body = next(  # one whose signature holds both characters of the standard alphabet
        body
        for body in (str(number).encode() for number in itertools.count())
        if {"+", "/"} <= set(BASE64.sign(body, KEY, at=NOW))
    )
    with pytest.raises(SignatureError):
        BASE64.verify(body, {HEADER: spoil(BASE64.sign(body, KEY, at=NOW))}, KEY)


def test_missing_and_repeated_headers() -> None:
    """The header must be there on exactly one line, in whatever case its name is written."""
    value = PLAIN.sign(BODY, KEY, at=NOW)
    assert "missing" in refusal(PLAIN, {"X-Other": value})
    assert "missing" in refusal(PLAIN, {"X_Turris_Signature": value})
    assert "repeated" in refusal(PLAIN, [(HEADER, value), (HEADER.lower(), value)])
    PLAIN.verify(BODY, {"x-TURRIS-signature": value}, KEY)


@pytest.mark.parametrize(
    "headers",
    [
        lambda line: dict([line]),
        lambda line: [line],
        lambda line: httpx.Headers([line]),
        lambda line: StarletteHeaders(dict([line])),
        lambda line: WerkzeugHeaders([line]),
    ],
    ids=["dict", "pairs", "httpx", "starlette", "werkzeug"],
)
def test_header_types_of_frameworks(headers: Callable[[tuple[str, str]], Headers]) -> None:
    """Headers may be a dict, pairs, or what httpx, Starlette and Flask hand over."""
    PLAIN.verify(BODY, headers((HEADER, PLAIN.sign(BODY, KEY, at=NOW))), KEY)
    assert "wrong" in refusal(PLAIN, headers((HEADER, "0" * 64)))


@pytest.mark.parametrize("kind", [httpx.Headers, WerkzeugHeaders])
@pytest.mark.parametrize("good_first", [True, False])
def test_repeated_lines_in_framework_headers(
    kind: Callable[[list[tuple[str, str]]], Headers], good_first: bool
) -> None:
    """A good line beside a bad one is refused whether the type joins them or keeps both."""
    lines = [(HEADER, PLAIN.sign(BODY, KEY, at=NOW)), (HEADER, "bad")]
    assert refusal(PLAIN, kind(lines if good_first else lines[::-1]))


@pytest.mark.parametrize(
    "scheme",
    [
        SignatureScheme(list_separator=","),
        SignatureScheme(list_separator=" ", encoding="base64"),
        SignatureScheme(list_separator=",", timestamped=True),
    ],
    ids=["commas", "spaces", "timestamped"],
)
def test_lists_of_signatures(scheme: SignatureScheme) -> None:
    """One valid signature of a list is enough, wherever it is in the list."""
    own, old = (scheme.sign(BODY, key, at=NOW) for key in (KEY, "an older key"))
    stamp = "t=1742206545,v1=" if scheme.timestamped else ""
    good, bad = own.removeprefix(stamp), old.removeprefix(stamp)
    for listed in ((good, bad), (bad, good)):
        value = stamp + scheme.list_mark.join(listed)
        scheme.verify(BODY, {HEADER: value}, KEY, now=NOW)
    assert "wrong" in refusal(scheme, {HEADER: stamp + scheme.list_mark.join((bad, bad))})


@pytest.mark.parametrize("key", ["", " ", "\n"])
def test_blank_keys_verify_nothing(key: str) -> None:
    """A receiver without a key refuses everything, the correct forgery above all."""
    forged = PLAIN.sign(BODY, key, at=NOW)
    assert "blank" in refusal(PLAIN, {HEADER: forged}, key=key)


def test_other_keys_are_refused() -> None:
    """The reason for a wrong signature shows at most its last four characters."""
    forged = PLAIN.sign(BODY, "another key", at=NOW)
    reason = refusal(PLAIN, {HEADER: forged})
    assert f"***-{forged[-4:]}" in reason
    assert forged[:-4] not in reason


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(-301, "stale"), (-300, None), (0, None), (300, None), (301, "too new")],
)
def test_timestamps_hold_for_five_minutes(seconds: int, reason: str | None) -> None:
    """A timestamp passes up to the tolerance before and after now, and not beyond."""
    value = STAMPED.sign(BODY, KEY, at=NOW + dt.timedelta(seconds=seconds))
    if reason is None:
        STAMPED.verify(BODY, {HEADER: value}, KEY, now=NOW)
    else:
        assert reason in refusal(STAMPED, {HEADER: value})


@pytest.mark.parametrize(
    "stamp",
    ["", "-1", "+1", " 1742206545", "01742206545", "1e9", "9" * 400, "1742206544", "\u0661"],
)
def test_timestamps_are_part_of_the_signature(stamp: str) -> None:
    """Another time, or another spelling of it, does not pass."""
    value = STAMPED.sign(BODY, KEY, at=NOW).replace("1742206545", stamp)
    assert refusal(STAMPED, {HEADER: value})


def test_clocks_must_be_given_and_aware() -> None:
    """A timestamped scheme needs the moment to verify at, with a time zone."""
    headers = {HEADER: STAMPED.sign(BODY, KEY, at=NOW)}
    with pytest.raises(TypeError, match="now="):
        STAMPED.verify(BODY, headers, KEY)
    with pytest.raises(TypeError, match="time zone"):
        STAMPED.verify(BODY, headers, KEY, now=NOW.replace(tzinfo=None))


def test_comparison_takes_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every well-formed signature is compared by hmac.compare_digest, as bytes."""
    seen = []
    real = hmac.compare_digest

    def spy(left: bytes, right: bytes) -> bool:
        seen.append((type(left), type(right)))
        return real(left, right)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    assert "wrong" in refusal(PLAIN, {HEADER: "0" * 64})
    PLAIN.verify(BODY, {HEADER: PLAIN.sign(BODY, KEY, at=NOW)}, KEY)
    assert seen == [(bytes, bytes)] * 2


def test_failures_do_not_show_the_key(pytester: pytest.Pytester) -> None:
    """A failing test shows neither key nor signature, not even with local variables."""
    pytester.makepyfile(
        f"""
        from pytest_turris.webhooks.signature import SignatureScheme

        class Receiver:
            key = {KEY!r}

        def test_refused():
            headers = {{"X-Turris-Signature": "0" * 64}}
            SignatureScheme().verify(b"{{}}", headers, Receiver.key)
        """
    )
    output = str(pytester.runpytest_inprocess("--showlocals", "-p", "no:asyncio").stdout)
    assert "is wrong" in output
    assert KEY not in output
    assert PLAIN.sign(b"{}", KEY, at=NOW) not in output
