"""Options: their values as text, layers, and what a mistake looks like."""

import datetime as dt
from typing import Any, Literal, get_args, get_origin

import pytest

from pytest_turris.core.options import Options, option_types, parse
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.redaction import Secret
from pytest_turris.core.unknowns.option_values import OptionError

NAMES = tuple(option_types())
BESIDE: dict[str, dict[str, Any]] = {"signature_key": {"webhook_secret": "abcd"}}
OF_A_FEW = tuple(name for name, kind in option_types().items() if get_origin(kind) is Literal)


FORMED = {
    name: (text, text)
    for name, text in {
        "client_ip": "203.0.113.7",
        "signature_header": "X-Other",
        "signature_timestamp_header": "X-Time",
        "signature_id_header": "X-Id",
        "upstream_entity_id": "507f1f77bcf86cd799439011",
        "time_real_modules": "acme.queue other",
        "env_base_url": "A_NAME",
        "env_client_id": "A_NAME",
        "env_client_secret": "A_NAME",
        "env_webhook_secret": "A_NAME",
    }.items()
}
"""Texts that have a form of their own."""


def sample(name: str) -> tuple[str, Any]:
    """A text other than the default, and its value."""
    kind = option_types()[name]
    if get_origin(kind) is Literal:
        return get_args(kind)[-1], get_args(kind)[-1]
    samples: dict[type, tuple[str, Any]] = {
        dt.timedelta: ("90.5", dt.timedelta(seconds=90, milliseconds=500)),
        int: ("7", 7),
        str: ("/a-text", "/a-text"),
        bool: ("false", False) if getattr(Options(), name) else ("true", True),
    }
    return FORMED.get(name, samples[kind])


@pytest.mark.parametrize("name", NAMES)
def test_is_read_from_text(name: str) -> None:
    """Each option reads its value from the text of an ini file."""
    text, value = sample(name)
    assert parse(name, text) == value
    beside = BESIDE.get(name, {})
    assert getattr(Options.from_layers(beside, {name: parse(name, text)}), name) == value


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [None, 1.5, ["always"], object])
def test_refuses_a_value_of_another_type(name: str, wrong: object) -> None:
    """Each option refuses a wrong value, and the message names the option."""
    with pytest.raises(OptionError, match=rf"^turris option '{name}': .* is not "):
        Options.from_layers({name: wrong})


@pytest.mark.parametrize("name", OF_A_FEW)
def test_lists_the_choices(name: str) -> None:
    """An option with a few values lists them when it gets another."""
    wanted = ", ".join(map(repr, get_args(option_types()[name])))
    with pytest.raises(OptionError) as caught:
        Options.from_layers({name: "perhaps"})
    assert str(caught.value) == f"turris option {name!r}: 'perhaps' is not one of {wanted}"


@pytest.mark.parametrize("name", NAMES)
def test_names_the_nearest_of_a_misspelt_one(name: str) -> None:
    """A misspelt name is refused with the nearest option."""
    with pytest.raises(OptionError) as caught:
        Options.from_layers({name + "x": 1})
    assert str(caught.value) == f"there is no turris option '{name}x'; did you mean {name!r}?"


def test_names_nothing_where_nothing_is_near() -> None:
    """A name that resembles no option is refused without a suggestion."""
    with pytest.raises(OptionError, match=r"^there is no turris option 'qqq'$"):
        Options.from_layers({"qqq": 1})


def test_a_later_layer_wins() -> None:
    """Layers merge name by name, the later over the earlier."""
    merged = Options.from_layers(
        {"seed": 1, "tls": True}, {"seed": 2}, {"token_ttl": dt.timedelta(1)}
    )
    assert merged == Options(seed=2, tls=True, token_ttl=dt.timedelta(1))


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("1", True), ("Yes", True), (" FALSE ", False), ("0", False), ("no", False)],
)
def test_reads_booleans(text: str, value: bool) -> None:
    """Booleans are true, false, 1, 0, yes or no in any case."""
    assert parse("tls", text) is value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("tls", "perhaps", "turris option 'tls': 'perhaps' is not true or false"),
        ("seed", "1.5", "turris option 'seed': '1.5' is not a whole number"),
        (
            "token_ttl",
            "1 h",
            "turris option 'token_ttl': '1 h' is not a number of seconds",
        ),
        (
            "token_ttl",
            "inf",
            "turris option 'token_ttl': 'inf' is not a number of seconds",
        ),
        (
            "token_ttl",
            "nan",
            "turris option 'token_ttl': 'nan' is not a number of seconds",
        ),
    ],
)
def test_explains_a_text_that_it_cannot_read(name: str, text: str, message: str) -> None:
    """A text that is not a value is refused; the message says what is expected."""
    with pytest.raises(OptionError) as caught:
        parse(name, text)
    assert str(caught.value) == message


def test_options_can_be_replaced() -> None:
    """Layers over options that were made; those themselves stay as they are."""
    options = Options(seed=1, tls=True)
    assert options.replaced({"seed": 2}, {"seed": 3}) == Options(seed=3, tls=True)
    assert options.seed == 1


@pytest.mark.parametrize("name", ["journal_limit", "max_body_bytes", "token_requests_per_minute"])
def test_a_huge_number_is_refused(name: str) -> None:
    """Beyond what a list or a window can hold; the seed may be any number."""
    with pytest.raises(OptionError, match=f"{name}.*the maximum is 2147483647"):
        Options.from_layers({name: 10**20})
    assert Options(seed=10**20).seed == 10**20


@pytest.mark.parametrize("name", ["seed", "journal_limit"])
def test_a_boolean_is_no_number(name: str) -> None:
    """True is not taken for 1."""
    with pytest.raises(OptionError, match="True is not a whole number"):
        Options.from_layers({name: True})


AMOUNTS = tuple(
    name for name, kind in option_types().items() if kind in (int, dt.timedelta) and name != "seed"
)


@pytest.mark.parametrize("name", AMOUNTS)
def test_refuses_what_is_negative(name: str) -> None:
    """The minimum of a count or a duration is 0; the message names the option."""
    with pytest.raises(OptionError) as caught:
        Options.from_layers({name: parse(name, "-3")})
    given = "-3 s" if option_types()[name] is dt.timedelta else "-3"
    assert str(caught.value) == f"turris option {name!r}: {given} is negative; the minimum is 0"
    Options.from_layers({name: parse(name, "0")})


def test_a_seed_may_be_negative() -> None:
    """The seed names a run; it may be negative."""
    assert Options(seed=-3).seed == -3


def test_a_number_is_no_boolean() -> None:
    """1 is not taken for True."""
    with pytest.raises(OptionError, match="1 is not true or false"):
        Options.from_layers({"tls": 1})


def test_seconds_are_for_ini_files_only() -> None:
    """In Python a duration is a timedelta: 60 may be minutes or seconds."""
    with pytest.raises(OptionError, match="60 is not a duration"):
        Options.from_layers({"token_ttl": 60})


def test_a_secret_may_be_the_webhook_secret() -> None:
    """The webhook secret may be a ``Secret``."""
    secret = Secret("turris_sandbox_webhook_0123")
    assert Sandbox(Options(webhook_secret=secret)).webhook_secret == secret


def test_the_webhook_secret_is_the_client_secret_unless_set() -> None:
    """Without the option, webhooks are signed with the client secret."""
    sandbox = Sandbox()
    assert sandbox.webhook_secret == sandbox.client.client_secret


def test_never_shows_the_webhook_secret() -> None:
    """Neither the repr nor an error message holds the webhook secret."""
    assert "canary" not in repr(Options(webhook_secret="whsec-canary"))
    with pytest.raises(OptionError) as caught:
        Options.from_layers({"webhook_secret": b"whsec-canary"})
    assert str(caught.value) == "turris option 'webhook_secret': the value is not text"


def test_does_not_change() -> None:
    """Options are frozen, so a sandbox keeps those that it was made with."""
    with pytest.raises(AttributeError):
        Options().seed = 5  # type: ignore[misc] # what is refused


@pytest.mark.parametrize("secret", ["", "no base64", "a2V", "====", "\xe9\xe9\xe9\xe9"])
def test_key_in_base64_needs_a_secret_in_base64(secret: str) -> None:
    """A key in base64 must be valid base64; the error does not show it."""
    with pytest.raises(OptionError) as caught:
        Options(signature_key="base64", webhook_secret=secret)
    assert str(caught.value) == (
        "turris option 'signature_key': 'base64' needs a 'webhook_secret' in base64"
    )


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"signature_key": "hex", "webhook_secret": "ab"}, "6b6579"),
        ({"signature_key": "base64", "webhook_secret": "abcd"}, "a2V5"),
        (
            {
                "signature_key": "base64",
                "signature_key_prefix": "sec_",
                "webhook_secret": "sec_abcd",
            },
            "sec_a2V5",
        ),
        ({"signature_scheme": "svix"}, "whsec_a2V5"),
        ({"signature_scheme": "svix", "signature_key_prefix": "sec_"}, "sec_a2V5"),
        ({}, "key"),
    ],
)
def test_a_secret_of_the_sandbox_has_the_form_of_the_key(given: dict[str, Any], key: str) -> None:
    """A webhook that is registered gets a secret that the scheme can decode."""
    assert Options(**given).signing_key("key") == key


def test_a_key_without_its_form_is_refused() -> None:
    """The message names the form and the prefix, and not the secret."""
    with pytest.raises(OptionError) as caught:
        Options(signature_key="hex", signature_key_prefix="sec_", webhook_secret="sec_xyz")
    assert str(caught.value) == (
        "turris option 'signature_key': 'hex' needs a 'webhook_secret' in hex, "
        "with or without 'sec_' before it"
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("client_ip", "999.1.1.1", "not an IP address"),
        ("signature_header", "bad header: x", "not the name of a header"),
        ("env_base_url", "", "not the name of an environment variable"),
        ("env_client_id", "A=B", "not the name of an environment variable"),
        ("webhooks_path", "webhooks", "not a path"),
        ("upstream_entity_id", "acme", "not an ObjectId"),
        ("webhook_user_agent", "a\nb", "not printable ASCII"),
        ("signature_prefix", "\u20ac", "not printable ASCII"),
        ("signature_list_separator", "\n", "not printable ASCII"),
        ("signature_version", "\n", "not printable ASCII"),
        ("signature_timestamp_header", "a time", "not the name of a header"),
        ("signature_id_header", "X-Id:", "not the name of a header"),
        ("npn_lookup_member", "", "not the name of a member"),
        ("time_real_modules", "acme-queue", "not names of modules"),
    ],
)
def test_a_text_of_the_wrong_form_is_refused(name: str, value: str, expected: str) -> None:
    """When it is given, in place of an error of the system later."""
    with pytest.raises(OptionError, match=f"'{name}'.*{expected}"):
        Options.from_layers({name: value})


def test_two_values_need_two_variables() -> None:
    """One would take the place of the other."""
    with pytest.raises(OptionError, match="'env_client_id': 'env_base_url' names 'TURRIS_URL' too"):
        Options(env_base_url="TURRIS_URL", env_client_id="TURRIS_URL")


@pytest.mark.parametrize("value", ["203.0.113.7", "2001:db8::1", ""])
def test_a_client_ip_is_an_address(value: str) -> None:
    """Of either family, or empty."""
    assert Options(client_ip=value).client_ip == value


@pytest.mark.parametrize(("word", "value"), [("on", True), ("off", False), ("TRUE", True)])
def test_booleans_as_ini_files_write_them(word: str, value: bool) -> None:
    """In any case of letters."""
    assert parse("tls", word) is value
