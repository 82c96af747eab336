"""The schemes that have a name: vendors' published examples, and the vendors' own libraries."""

import base64
import datetime as dt
from collections.abc import Callable

import gidgethub.sansio
import pytest
import standardwebhooks
import stripe
import svix.webhooks
from slack_sdk.signature import SignatureVerifier

from pytest_turris.core.options import Options, choices
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.unknowns.option_values import OptionError
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.schemes import SCHEMES, scheme_of
from pytest_turris.webhooks.signature import SchemeError, SignatureError, SignatureScheme
from pytest_turris.webhooks.signed import SignedWebhook

KEY = base64.b64encode(b"turris_sandbox_whsec_0123456789abcdef").decode()


def at(seconds: int) -> dt.datetime:
    """A moment in Unix seconds."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def factory(scheme: str, webhook_secret: str = "") -> WebhookFactory:
    """A factory of a named scheme, on the real clock."""
    given = {"signature_scheme": scheme, "webhook_secret": webhook_secret}
    made = Options.from_layers(given)
    return WebhookFactory.of(Sandbox(made, name="scheme"))


def test_option_and_schemes_have_the_same_names() -> None:
    """Each value of the option is a scheme."""
    assert tuple(SCHEMES) == choices("signature_scheme")


SLASH_COMMAND = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
    b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2F"
    b"commands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id="
    b"398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)


def test_published_example_of_github() -> None:
    """GitHub's documentation prints this signature."""
    value = SCHEMES["github"].sign(b"Hello, World!", "It's a Secret to Everybody", at=at(0))
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert value == f"sha256={digest}"


def test_published_example_of_slack() -> None:
    """Slack's documentation prints this signature."""
    key = "8f742231b10e8888abcd99yyyzzz85a5"
    value = SCHEMES["slack"].sign(SLASH_COMMAND, key, at=at(1531420618))
    digest = "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert value == f"v0={digest}"


def test_published_example_of_svix() -> None:
    """Svix' documentation prints this signature."""
    key, message_id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    body = b'{"test": 2432232314}'
    value = SCHEMES["svix"].sign(body, key, at=at(1614265330), message_id=message_id)
    assert value == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def verify_github(body: bytes, headers: dict[str, str], key: str) -> None:
    """As gidgethub does it."""
    gidgethub.sansio.validate_event(body, signature=headers["X-Hub-Signature-256"], secret=key)


def verify_slack(body: bytes, headers: dict[str, str], key: str) -> None:
    """As Slack's SDK does it."""
    assert SignatureVerifier(key).is_valid_request(body, headers)


def verify_stripe(body: bytes, headers: dict[str, str], key: str) -> None:
    """As Stripe's library does it."""
    stripe.WebhookSignature.verify_header(body.decode(), headers["Stripe-Signature"], key, 300)


LIBRARIES: dict[str, Callable[[bytes, dict[str, str], str], object]] = {
    "standard-webhooks": lambda body, headers, key: standardwebhooks.Webhook(key).verify(
        body, headers
    ),
    "svix": lambda body, headers, key: svix.webhooks.Webhook(key).verify(body, headers),
    "stripe": verify_stripe,
    "github": verify_github,
    "slack": verify_slack,
}


@pytest.mark.parametrize("name", LIBRARIES)
def test_vendors_libraries_verify_what_is_signed(name: str) -> None:
    """What the factory signs is genuine to the library, and nothing else is."""
    webhooks = factory(name)
    webhook = webhooks.producer_agreement_executed()
    LIBRARIES[name](webhook.body, webhook.headers, webhooks.key)
    forged = webhook.tampered()
    with pytest.raises(Exception, match=r"."):
        LIBRARIES[name](forged.body, forged.headers, webhooks.key)


@pytest.mark.parametrize("name", SCHEMES)
def test_reference_verifier_knows_each_scheme(name: str) -> None:
    """It takes what the factory signs, and refuses each header line that is not as it was."""
    webhooks = factory(name)
    webhook = webhooks.producer_agreement_executed()
    webhooks.verify(webhook.body, webhook.header_lines)
    for header in signed_headers(webhook):
        with pytest.raises(SignatureError, match=rf"{header} is missing"):
            webhooks.verify(webhook.body, without(webhook, header))
        other = [*without(webhook, header), (header, webhook.headers[header] + "1")]
        with pytest.raises(SignatureError):
            webhooks.verify(webhook.body, other)


def signed_headers(webhook: SignedWebhook) -> list[str]:
    """The headers that the signature is in, or covers."""
    scheme = webhook.scheme
    return [name for name in (scheme.id_header, scheme.timestamp_header, scheme.header) if name]


def without(webhook: SignedWebhook, header: str) -> list[tuple[str, str]]:
    """The header lines but one."""
    return [line for line in webhook.header_lines if line[0] != header]


@pytest.mark.parametrize("text", ["now", "1.5", "-1", "", "01", "1e9"])
def test_a_time_is_unix_seconds(text: str) -> None:
    """A time in a header of its own is compared as it is written."""
    webhooks = factory("slack")
    webhook = webhooks.producer_agreement_executed()
    header = webhook.scheme.timestamp_header
    with pytest.raises(SignatureError, match=header):
        webhooks.verify(webhook.body, [*without(webhook, header), (header, text)])


def test_each_webhook_has_an_id_of_its_own() -> None:
    """Where the scheme has one, it is new in each webhook, and kept in a replay."""
    for name, length in (("svix", 28), ("github", 36), ("shopify", 36)):
        webhooks = factory(name)
        first, second = (webhooks.producer_agreement_executed() for _ in range(2))
        assert first.message_id != second.message_id
        assert len(first.message_id) == length
        assert first.message_id in first.headers.values()
        assert first.replayed() == first
    assert factory("turris").producer_agreement_executed().message_id == ""


def test_signing_anew_keeps_id_and_time() -> None:
    """Another key signs the same id, time and body."""
    webhooks = factory("svix")
    webhook = webhooks.producer_agreement_executed()
    other = webhook.signed_with(b"another key")
    assert without(other, "svix-signature") == without(webhook, "svix-signature")
    assert other.signed_with(webhooks.key) == webhook


def test_other_options_change_parts_of_a_scheme() -> None:
    """An option that is not at its default wins over the named scheme."""
    options = Options(
        signature_scheme="github",
        signature_header="X-Gitea-Signature",
        signature_list_separator=",",
    )
    scheme = scheme_of(options)
    assert (scheme.header, scheme.list_separator) == ("X-Gitea-Signature", ",")
    assert scheme.prefix == "sha256="


def test_keys_of_standard_webhooks_are_base64() -> None:
    """Without a secret of its own the sandbox makes such a key; another form is refused."""
    webhooks = factory("standard-webhooks")
    assert webhooks.key.startswith("whsec_")
    assert webhooks.scheme.key_bytes(webhooks.key).startswith(b"turris_sandbox_")
    for key in (KEY, f"whsec_{KEY}"):
        assert factory("svix", webhook_secret=key).key == key
    with pytest.raises(OptionError, match="'svix' needs a 'webhook_secret' in base64"):
        factory("svix", webhook_secret="not base64!")


def test_a_registered_webhook_has_such_a_key_too() -> None:
    """Its deliveries are signed in the scheme, each with an id and a time."""
    sandbox = Sandbox(Options(signature_scheme="svix"), name="registered")
    endpoint = sandbox.outbox.register(
        "http://127.0.0.1:9/", "PRODUCER_AGREEMENT_EXECUTED", sandbox.clock.now()
    )
    assert endpoint.secret.startswith("whsec_")


def test_a_header_for_the_time_needs_a_signed_time() -> None:
    """A time that nobody signs would prove nothing."""
    with pytest.raises(SchemeError, match="needs timestamped=True"):
        SignatureScheme(timestamp_header="X-Time")


def test_other_versions_in_a_list_are_passed_over() -> None:
    """Stripe lists ``v0`` besides ``v1``; a list without ``v1`` proves nothing."""
    webhooks = factory("stripe")
    webhook = webhooks.producer_agreement_executed()
    time_, _, right = webhook.headers["Stripe-Signature"].partition(",")
    value = f"{time_},v0=0123,{right}"
    webhooks.verify(webhook.body, {"Stripe-Signature": value})
    with pytest.raises(SignatureError, match="malformed"):
        webhooks.verify(webhook.body, {"Stripe-Signature": f"{time_},{right.replace('v1', 'v0')}"})


def test_options_can_describe_a_scheme_without_a_name() -> None:
    """Id, time, version and what stands between them are signed as the options say."""
    scheme = scheme_of(
        Options(
            signature_id_header="X-Id",
            signature_timestamp_header="X-Time",
            signature_version="v3",
            signature_joint="none",
        )
    )
    assert scheme.timestamped
    assert scheme.message(b"body", at=at(1_700_000_000), message_id="7") == b"v371700000000body"
