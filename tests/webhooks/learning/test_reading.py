"""How a delivery is read: files, header lines, values, keys, forms of the body."""

import base64

import pytest

from pytest_turris.webhooks.learning import bodies, keys, search, values
from pytest_turris.webhooks.learning.delivery import (
    CapturedDelivery,
    DeliveryFormatError,
    header_line,
)
from pytest_turris.webhooks.learning.learned import learn_signature
from pytest_turris.webhooks.learning.times import form_of, time_in
from pytest_turris.webhooks.signature import SignatureScheme

HEX = "0a" * 32
BASE64 = base64.b64encode(b"\xfb" * 32).decode()
KEY = "turris_sandbox_whsec_0123456789abcdef"


def test_a_saved_request_is_read() -> None:
    """With or without the request line; the body keeps each byte."""
    head = b"Content-Type: text/plain\r\nX-Signature:  abc \r\n\r\n"
    headers = (("Content-Type", "text/plain"), ("X-Signature", "abc"))
    for first, method in ((b"", "POST"), (b"PUT /hook?a=b HTTP/1.1\r\n", "PUT")):
        read = CapturedDelivery.read(first + head + b"\r\n\xff\n", url="https://a.b/c")
        assert read == CapturedDelivery(
            headers=headers, body=b"\r\n\xff\n", url="https://a.b/c", method=method
        )
    assert CapturedDelivery.read(b"\nbody").body == b"body"


@pytest.mark.parametrize(
    ("text", "message"),
    [(b"A: b", "no empty line"), (b"A: b\r\nno header\r\n\r\n", "NAME: VALUE")],
)
def test_another_file_is_refused(text: bytes, message: str) -> None:
    """A body alone is no delivery."""
    with pytest.raises(DeliveryFormatError, match=message):
        CapturedDelivery.read(text)


def test_a_mistake_in_a_header_does_not_show_its_value() -> None:
    """It may be a secret."""
    with pytest.raises(DeliveryFormatError, match="A B:") as caught:
        header_line("A B: canary")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "form", "separator", "encoding"),
    [
        (HEX, "{signature}", "", "hex"),
        (HEX.upper(), "{signature}", "", "upper-case hex"),
        (BASE64, "{signature}", "", "base64"),
        (BASE64.rstrip("="), "{signature}", "", "base64 without padding"),
        (BASE64.replace("+", "-").replace("/", "_"), "{signature}", "", "base64url"),
        (f"sha256={HEX}", "sha256={signature}", "", "hex"),
        (f"v1,{BASE64} v1,{BASE64}", "v1,{signature}", " ", "base64"),
        (f"v1={HEX}, v0={HEX}", "v1={signature}", ", ", "hex"),
        (f"t=1700000000,v1={HEX}", "t={time},v1={signature}", "", "hex"),
        (f"t=1700000000,v1={HEX},v1={HEX}", "t={time},v1={signature}", ",", "hex"),
        (f"v1={HEX};ts=1700000000", "v1={signature};ts={time}", "", "hex"),
        (f"1700000000:{HEX}", "{time}:{signature}", "", "hex"),
        (f"1700000000:{HEX},v1={HEX}", "v1={signature}", ",", "hex"),
    ],
)
def test_forms_of_a_value(value: str, form: str, separator: str, encoding: str) -> None:
    """The likeliest reading is what a person would say."""
    found = [one for one in values.value_readings("X", value) if one.size == 32]
    assert (form, separator, encoding) in [
        (one.form, one.separator, one.encoding.name) for one in found
    ]


@pytest.mark.parametrize("value", ["", "abc", "application/json", "0a" * 31, "t=1,v1=2", "é" * 64])
def test_no_form_of_a_value(value: str) -> None:
    """What is too short or has other characters is no signature."""
    assert [one for one in values.value_readings("X", value) if one.size == 32] == []


def test_forms_of_a_key() -> None:
    """Each form that the secret can have, without repeating a key."""
    found = {(one.form, one.prefix): one.key for one in keys.key_readings("whsec_" + "ab" * 20)}
    assert found["hex", "whsec_"] == b"\xab" * 20
    assert found["text", "whsec_"] == b"ab" * 20
    assert len(set(found.values())) == len(found)
    assert [one.form for one in keys.key_readings("abcde!")] == ["text", "sha256", "sha256hex"]
    assert ("stripped", "") in {(one.form, one.prefix) for one in keys.key_readings(" a!\n")}
    assert "abab" not in repr(keys.key_readings("ab" * 20))


def test_forms_of_a_body() -> None:
    """A payload as it stands is found, not another member; other bodies have few forms."""
    body = b'{"note":"\\"payload\\": x","other":{"payload":2},"payload": {"a" : 1}}'
    found = bodies.forms_of(body)
    assert found["the payload member as it stands in the body"] == b'{"a" : 1}'
    assert found[bodies.COMPACT_PAYLOAD] == b'{"a":1}'
    escaped = bodies.forms_of(b'{"pay\\u006coad":[1, 2]}')
    assert escaped[bodies.COMPACT_PAYLOAD] == b"[1,2]"
    assert "the payload member as it stands in the body" not in escaped
    assert bodies.RAW_BODY in bodies.forms_of(b"\xff")
    assert bodies.COMPACT_PAYLOAD not in bodies.forms_of(b"[1]")
    assert bodies.COMPACT_PAYLOAD not in bodies.forms_of(b"[" * 100_000)


@pytest.mark.parametrize(
    ("time", "form"),
    [
        ("1700000000", "seconds"),
        ("1700000000000", "milliseconds"),
        ("1700000000000000", "microseconds"),
        ("1700000000000000000", "nanoseconds"),
        ("2026-11-28T10:00:00.5Z", "ISO 8601"),
        ("Sat, 28 Nov 2026 10:00:00 GMT", "an HTTP date"),
    ],
)
def test_forms_of_a_time(time: str, form: str) -> None:
    """As senders write it."""
    assert time_in(f"t={time},v1=") == time
    assert form_of(time) == form


@pytest.mark.parametrize(
    ("scheme", "secret", "note"),
    [
        (SignatureScheme(), KEY + "\n", "white space around it"),
        (SignatureScheme(), f"whsec_{KEY}", "without its prefix 'whsec_'"),
    ],
)
def test_a_secret_that_is_written_otherwise(
    scheme: SignatureScheme, secret: str, note: str
) -> None:
    """The report says how to write it."""
    learned = learn_signature({scheme.header: sign(scheme)}, b"{} ", secret=secret)
    assert note in str(learned)
    assert learned.options == {}


def test_a_second_delivery_decides() -> None:
    """Of compact JSON nobody can tell whether it was written again; of other JSON everybody can."""
    one, two = b'{"a":1}', b'{"a": 1} '
    headers = [{"X-Turris-Signature": sign(SignatureScheme(), body)} for body in (one, two)]
    unsure = learn_signature(headers[0], one, secret=KEY)
    sure = learn_signature(headers[0], one, secret=KEY, others=[(headers[1], two)])
    assert (unsure.sure, sure.sure) == (False, True)
    assert "2. the same, but" in str(unsure)
    assert "The defaults" in str(sure) or "defaults" in str(sure)


def test_many_schemes_can_fit() -> None:
    """Ids that are equal leave open which of them is signed; the report is cut."""
    names = [f"X-Id-{number}" for number in range(10)]
    scheme = SignatureScheme(id_header="X-Id-0")
    headers = dict.fromkeys(names, "same") | {"X-Turris-Signature": sign(scheme, message_id="same")}
    learned = learn_signature(headers, b"{} ", secret=KEY)
    assert len(learned.readings) == 10
    assert "... and 2 more" in str(learned)
    assert "Not sure" in str(learned)


def test_a_value_that_an_ini_file_drops() -> None:
    """A list separated by spaces is set by the marker."""
    right = sign(SignatureScheme(), b"{} ")
    headers = {"X-Turris-Signature": f"{'0' * 64} {right}"}
    learned = learn_signature(headers, b"{} ", secret=KEY)
    assert learned.options == {"signature_list_separator": " "}
    assert "use the marker" in str(learned)
    assert "-o 'signature_list_separator= '" in str(learned)


@pytest.mark.parametrize(
    ("value", "obstacle"),
    [
        ("ts=1700000000;h1={}", "a header value of the form 'ts={time};h1={signature}'"),
        ("t=1700000000,v1={}", "a time in the signature's header that is not the signed one"),
    ],
)
def test_what_no_option_expresses(value: str, obstacle: str) -> None:
    """The report says which part it is; the scheme is known all the same."""
    headers = {"X-Turris-Signature": value.format(sign(SignatureScheme()))}
    learned = learn_signature(headers, b"{} ", secret=KEY)
    assert f"no option sets\n- {obstacle}" in str(learned)
    assert learned.sure
    assert learned.options == {}


def test_a_time_in_a_header_of_its_own() -> None:
    """Its option is enough; the other header keeps its usual case."""
    scheme = SignatureScheme(timestamped=True, timestamp_header="X-Sent-At", joint=":")
    text = scheme.signed_text(b"{} ", "1700000000", "")
    headers = {"x-turris-signature": scheme.signature_of(text, KEY), "X-Sent-At": "1700000000"}
    learned = learn_signature(headers, b"{} ", secret=KEY)
    options = {"signature_timestamp_header": "X-Sent-At", "signature_joint": "colon"}
    assert learned.options == options
    assert "signature_joint='colon'" in str(learned)


def test_what_fits_a_large_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """The report says that unlikely schemes were not tried."""
    monkeypatch.setattr(search, "MOST_BYTES", 1)
    headers = {"X-Turris-Signature": sign(SignatureScheme())}
    learned = learn_signature(headers, b"{} ", secret=KEY)
    assert learned.sure
    assert "unlikely combinations were left out" in str(learned)


def test_without_a_signature() -> None:
    """The report asks for the header."""
    learned = learn_signature({"Content-Type": "text/plain"}, b"", secret=KEY)
    assert "no header has a value that can be a signature" in str(learned)
    assert learned.options == {}


def sign(scheme: SignatureScheme, body: bytes = b"{} ", *, message_id: str = "") -> str:
    """The signature's header under a scheme without a time."""
    return scheme.signature_of(scheme.signed_text(body, "", message_id), KEY)
