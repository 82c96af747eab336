"""WH-40 to WH-49 and WH-60 to WH-64: keys, their configuration and their rotation."""

import base64
import binascii
import contextlib
from collections.abc import Iterable, Iterator

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.families.starting import started_with
from pytest_turris.attacks.step import AttackStep, Transmission, accepted, refused
from pytest_turris.findings.errors import NotApplicableError

KEYS = Catalogue("keys")
_attack = KEYS.attack

_OLD = b"turris_sandbox_whsec_before_the_rotation_0123456789"
_SHORT = b"turris-short"
_LOST = "Genuine webhooks are lost while the key changes."
_BOTH = "Verify with the current key and, for a while, with the one before."


@_attack(
    "WH-40",
    "empty-key-at-start-up",
    does="Configures the receiver with an empty key, and signs with it.",
    wants="Refuse to start, or refuse every delivery (4xx).",
    why="A variable that is not set makes a key that everyone knows.",
    fix="Read the key at start-up and stop if it is blank.",
    source="standard-webhooks 286; librefang 3492; hermes-agent 102069",
)
def _empty_key(context: AttackContext) -> Iterator[AttackStep]:
    for key in ("", "   "):
        if (there := (yield from started_with(context, key))) is None:
            continue
        for signed_with in dict.fromkeys(("", key)):
            webhook = context.genuine().signed_with(signed_with)
            yield refused(webhook, f"key {key!r}", transmission=there)


@_attack(
    "WH-41",
    "empty-key-forgery",
    quick=True,
    does="Signs with an empty key, or with what an unset variable turns into.",
    wants="Refuse it (4xx).",
    why="Anyone can compute such a signature.",
    fix="Read the key at start-up and stop if it is blank or a placeholder.",
    source="hermes-agent 6264; RFC 4231",
)
def _empty_forgery(context: AttackContext) -> Iterator[AttackStep]:
    for key in ("", " ", "None", "null", "undefined", "***"):
        yield refused(context.genuine().signed_with(key), repr(key))


@_attack(
    "WH-42",
    "placeholder-key",
    does="Signs with a key that is an example in documentation.",
    wants="Refuse it (4xx).",
    why="A copied example is a key that everyone knows.",
    fix="Stop at start-up if the key is one of the placeholders.",
    source="authentication/get-oauth-token",
)
def _placeholder(context: AttackContext) -> Iterator[AttackStep]:
    for key in ("your-client-secret", "changeme", "test", "secret"):
        yield refused(context.genuine().signed_with(key), repr(key))


@_attack(
    "WH-43",
    "environment-cross-over",
    does="Signs with the key of the other environment.",
    wants="Refuse it (4xx).",
    why="Sandbox keys are handed around; production must not believe them.",
    fix="Configure the key of one environment only.",
    source="guides/security: separate credentials",
)
def _environment(context: AttackContext) -> Iterator[AttackStep]:
    for name in ("production", "sandbox"):
        yield refused(context.genuine().signed_with(f"turris_{name}_whsec_of_the_other"), name)


@_attack(
    "WH-44",
    "client-id-as-key",
    does="Signs with the client id.",
    wants="Refuse it (4xx).",
    why="The client id is public.",
    fix="Use the secret.",
    source="the guide signs with the client secret",
)
def _client_id(context: AttackContext) -> Iterator[AttackStep]:
    if not context.hooks.client_id:
        raise NotApplicableError("the client id is not known here")
    yield refused(context.genuine().signed_with(context.hooks.client_id))


@_attack(
    "WH-45",
    "other-tenants-key",
    does="Signs with the key of another customer, who is as genuine.",
    wants="Refuse it (4xx).",
    why="Anyone with an account of their own can speak for you.",
    fix="Verify with the key of the endpoint that was called.",
    source="Standard Webhooks, additional considerations",
)
def _tenant(context: AttackContext) -> Iterator[AttackStep]:
    yield refused(context.genuine().signed_with("turris_sandbox_whsec_of_another_customer"))


@_attack(
    "WH-46",
    "key-decoded-otherwise",
    level="should",
    does="Signs with the key read in another form than the scheme's: as it is written, decoded "
    "from base64 or hexadecimal, decoded twice, or encoded once more.",
    wants="Refuse it (4xx).",
    why="Each reading of the key is one more secret that opens the receiver, as weak as the "
    "weakest.",
    fix="Use the key as it is documented, in one form.",
    source="svix: obviously malformed secrets",
)
def _decoded(context: AttackContext) -> Iterator[AttackStep]:
    for key, label in _other_readings(context.key.encode(), context.scheme.key_bytes(context.key)):
        yield refused(context.genuine().signed_with(key), label)


def _other_readings(written: bytes, right: bytes) -> Iterable[tuple[bytes, str]]:
    """What else than the right bytes a key could be taken for."""
    readings = {
        right: "",
        base64.b64encode(right): "encoded in base64",
        binascii.hexlify(right): "encoded in hexadecimal",
        written: "as it is written",
    }
    readings |= {key: f"decoded from {form}" for form, key in _decodings(written)}
    readings |= {key: f"decoded again, from {form}" for form, key in _decodings(right)}
    del readings[right]
    return readings.items()


def _decodings(key: bytes) -> Iterator[tuple[str, bytes]]:
    with contextlib.suppress(binascii.Error):
        yield "base64", base64.b64decode(key, validate=True)
    with contextlib.suppress(binascii.Error):
        yield "hexadecimal", binascii.unhexlify(key)


@_attack(
    "WH-47",
    "key-with-trailing-newline",
    level="should",
    does="Configures the receiver with the key and a newline, as secret files end.",
    wants="Strip it, or refuse to start.",
    why="Every webhook is refused, and nothing says why; the newline ends up in error texts.",
    fix="Strip the key when it is read.",
    source="measured: clients print the value in the exception",
)
def _newline(context: AttackContext) -> Iterator[AttackStep]:
    if (there := (yield from started_with(context, context.key + "\n"))) is None:
        return
    yield accepted(context.genuine(), "signed with the key", transmission=there)
    if context.scheme.key_bytes(context.key + "\n") == context.scheme.key_bytes(context.key):
        return  # base64 may be read so
    forged = context.genuine().signed_with(context.key + "\n")
    yield refused(forged, "signed with key and newline", transmission=there)


@_attack(
    "WH-48",
    "short-key",
    level="should",
    does="Configures the receiver with a key of 12 characters.",
    wants="Refuse to start.",
    why="A short key can be found by trying, from a single webhook.",
    fix="Ask for at least 24 bytes.",
    source="Standard Webhooks: 24 to 64 bytes; RFC 2104, 3",
)
def _short(context: AttackContext) -> Iterator[AttackStep]:
    if (there := (yield from started_with(context, context.configured_key(_SHORT)))) is None:
        return
    # It takes the key to send it: a failure is as serious as to accept it.
    forged = context.genuine().signed_with(_SHORT)
    yield refused(forged, transmission=there, crash_level="should")


@_attack(
    "WH-49",
    "key-reuse",
    level="info",
    does="Signs with the client secret, if that is the webhook key.",
    wants="Know that the key of the webhooks opens the API too.",
    why="Anyone who reads the receiver's key in a log or a dump can call the API with it.",
    fix="Use a webhook secret of its own, where Turris offers one.",
    source="guides/webhooks and help centre disagree",
)
def _reuse(context: AttackContext) -> Iterator[AttackStep]:
    if not context.hooks.key_is_client_secret:
        raise NotApplicableError("the webhook key is not the client secret")
    yield refused(context.genuine(), "signed with the client secret")


@_attack(
    "WH-60",
    "rotation-overlap",
    does="Signs with the new key and with the old one while both hold.",
    wants="Accept both (2xx).",
    why=_LOST,
    fix=_BOTH,
    source="octokit: additional secrets; Standard Webhooks",
)
def _overlap(context: AttackContext) -> Iterator[AttackStep]:
    there = Transmission(target=context.receiver_with(context.key, context.configured_key(_OLD)))
    yield accepted(context.genuine(), "new key", transmission=there)
    yield accepted(context.genuine().signed_with(_OLD), "old key", transmission=there)


@_attack(
    "WH-61",
    "rotation-over",
    does="Signs with the old key after it was taken out.",
    wants="Refuse it (4xx).",
    why="A key is rotated because someone else may have it.",
    fix="Read the keys again; keep none that was removed.",
    source="octokit: additional secrets",
)
def _over(context: AttackContext) -> Iterator[AttackStep]:
    context.receiver_with(context.key, context.configured_key(_OLD))
    receiver = context.receiver_with(context.key)
    yield refused(context.genuine().signed_with(_OLD), transmission=Transmission(target=receiver))


@_attack(
    "WH-62",
    "rotation-lag",
    does="Signs with the old key for an hour after the rotation.",
    wants="Accept it (2xx).",
    why=_LOST,
    fix=_BOTH,
    source="Shopify documents such a lag",
)
def _lag(context: AttackContext) -> Iterator[AttackStep]:
    receiver = context.receiver_with(context.key, context.configured_key(_OLD))
    context.advance_clock(minutes=59)
    yield accepted(context.genuine().signed_with(_OLD), transmission=Transmission(target=receiver))


@_attack(
    "WH-63",
    "key-order",
    does="Lists the old key first, then last.",
    wants="Accept both keys (2xx) in either order.",
    why=_LOST,
    fix="Verify with each key, and decide at the end.",
    source="octokit: additional secrets",
)
def _order(context: AttackContext) -> Iterator[AttackStep]:
    old = context.configured_key(_OLD)
    for keys in ((context.key, old), (old, context.key)):
        there = Transmission(target=context.receiver_with(*keys))
        yield accepted(context.genuine(), "new key", transmission=there)
        yield accepted(context.genuine().signed_with(_OLD), "old key", transmission=there)


@_attack(
    "WH-64",
    "rotation-in-flight",
    does="Signs with the old key, and rotates before the same webhook is sent again.",
    wants="Accept the first (2xx), refuse the second (4xx): each is verified at its receipt.",
    why="A verdict that is remembered outlives its key.",
    fix="Verify at receipt, once for each delivery; never cache the verdict.",
    source="security review",
)
def _in_flight(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine().signed_with(_OLD)
    before = Transmission(target=context.receiver_with(context.configured_key(_OLD)))
    yield accepted(webhook, "before", transmission=before)
    after = Transmission(target=context.receiver_with(context.key))
    yield refused(webhook, "after", transmission=after)
