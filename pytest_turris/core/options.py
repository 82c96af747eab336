"""Every option of the kit in one frozen object: the marker's keywords and the ini keys.

An option exists where Turris' documentation is silent or disagrees with itself, or where a
test wants the sandbox less strict. ``docs/reference/options.md`` lists them all.
"""

import base64
import datetime as dt
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from pytest_turris.core.errors import TurrisKitError

_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")


class OptionError(TurrisKitError, ValueError):
    """An option that does not exist, or a value that it cannot take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a sandbox does where the documentation leaves a choice. All have defaults."""

    environment: Literal["sandbox", "production"] = "sandbox"
    """Which environment the default credentials, and a loopback server, belong to."""

    seed: int = 0
    """Ids, data and secrets repeat for the same seed and test."""

    envelope: Literal["data", "data_with_status", "status_without_request_id", "top_level"] = "data"
    """Which of the four documented success envelopes is sent."""

    optional_fields: Literal["omitted", "null"] = "omitted"
    """Whether an optional member without a value is left out or sent as ``null``."""

    unknown_fields: Literal["ignored", "refused"] = "ignored"
    """Whether an unknown member or parameter is ignored and noted, or a 400 (undocumented)."""

    unknown_method: Literal["not_found", "method_not_allowed"] = "not_found"
    """A known path with another method: 404, or 405 with ``Allow`` (undocumented)."""

    sunset: Literal["gone", "ignored"] = "gone"
    """Deprecated operations after their ``Sunset`` date: 410 as documented, or as before."""

    compliance_states: Literal["with_status", "state_code"] = "with_status"
    """A state in a compliance answer: as in the webhooks, or ``stateCode`` alone as sampled."""

    appointment_status: Literal["active", "appointed"] = "active"
    """What a standing appointment is called: the pages disagree; the filter takes both."""

    document_categories: Literal["newer", "older"] = "newer"
    """Eleven categories of documents to list, or nine: two copies of the page disagree."""

    upload_status_envelope: Literal["standard", "bare"] = "standard"
    """An upload's status in the envelope, or bare as in the page's sample."""

    sync_duration: dt.timedelta = dt.timedelta(minutes=2)
    """How long a sync with NIPR takes (documented: a few minutes)."""

    upload_duration: dt.timedelta = dt.timedelta(seconds=10)
    """How long a policy file is queued, then processed: half of it each (undocumented)."""

    npn_lookup_duration: dt.timedelta = dt.timedelta(0)
    """How long an NPN lookup keeps the account busy on the sandbox's clock (undocumented)."""

    token_ttl: dt.timedelta = dt.timedelta(minutes=60)
    """How long an access token holds (documented: 60 minutes)."""

    refresh_buffer: dt.timedelta = dt.timedelta(minutes=5)
    """How long before its expiry a client should replace a token (documented: 5 minutes)."""

    token_issuer: str = "https://sandbox.turris.invalid/"
    """The ``iss`` claim (assumed)."""

    token_audience: str = "turris-public-api"
    """The ``aud`` claim (assumed)."""

    restricted_token_access: Literal["full", "read"] = "full"
    """What a restricted access token may do: the guides disagree."""

    token_requests_per_minute: int = 10
    """The limit of ``POST /v1/auth/jwt`` per API client (documented)."""

    writes_per_minute: int = 60
    """The limit of all other POST, PUT, PATCH and DELETE per credential (documented)."""

    rate_window: Literal["fixed", "sliding"] = "fixed"
    """A minute from the first request, or the last 60 seconds."""

    rate_headers: Literal["always", "near"] = "always"
    """``X-RateLimit-*`` on each limited call, or only from 80 % of the limit on."""

    retry_after: bool = False
    """Whether a 429 carries ``Retry-After`` too (undocumented)."""

    idempotency_ttl: dt.timedelta = dt.timedelta(hours=1)
    """How long a response is kept for its idempotency key (documented: 1 hour)."""

    idempotency_conflict: Literal["refuse", "replay"] = "refuse"
    """The same key with another body: 422, or the stored response."""

    allow_plain_http: bool = False
    """Whether the Turris hosts answer ``http://`` too (the vendor says: always HTTPS)."""

    max_body_bytes: int = 1_048_576
    """A longer body than this is answered with 413 (assumed)."""

    client_ip: str = ""
    """Where requests seem to come from, for IP allowlists. Empty: the peer, or 127.0.0.1."""

    signature_header: str = "X-Turris-Signature"
    """The header of a webhook's signature (documented)."""

    signature_encoding: Literal["hex", "base64"] = "hex"
    """How the HMAC-SHA256 is written (undocumented)."""

    signature_prefix: str = ""
    """What stands before the signature, such as ``sha256=`` (undocumented)."""

    signature_timestamped: bool = False
    """``t=...,v1=...`` with the time signed too (undocumented)."""

    signature_signs: Literal["body", "payload"] = "body"
    """The raw body, or its ``payload`` member alone (undocumented)."""

    signature_key: Literal["text", "base64"] = "text"
    """The key as it is written, or the bytes of a base64 ``webhook_secret`` (undocumented)."""

    webhook_secret: str = field(default="", repr=False)
    """The signing key. Empty: the client secret, as the guide says; the help centre differs, and
    a webhook registered over HTTP then has its own."""

    webhook_retries: Literal["none", "standard", "svix", "stripe"] = "none"
    """When a failed delivery is tried again (Turris documents no retries), as whom."""

    webhook_disable_after: int = 0
    """So many failed deliveries in a row disable a webhook, 0: none do (undocumented)."""

    webhook_gone_disables: bool = False
    """Whether a receiver's 410 disables its webhook, as Standard Webhooks asks (undocumented)."""

    webhook_honours_retry_after: bool = False
    """Whether a receiver's ``Retry-After`` puts the next attempt off, by a day at most
    (undocumented)."""

    webhook_debounce: dt.timedelta = dt.timedelta(minutes=1)
    """How long the two status events wait for another change (documented: 1 minute), and thirty
    times as long at most. 0: each change is sent at once."""

    webhooks_path: str = "/v1/webhooks"
    """Where the operations on webhooks are (assumed: the guide names an API, not its paths)."""

    attack_profile: Literal["quick", "full"] = "quick"
    """Which attacks ``turris_webhook_attack`` runs: about 25, or the whole catalogue."""

    fail_on_refusal: bool = True
    """A request to an unknown path or refused by validation fails the test at teardown."""

    fail_on_unused_fault: bool = True
    """A scripted fault that never fired fails the test at teardown."""

    journal_limit: int = 1_000
    """How many exchanges the journal keeps; older ones are dropped and counted."""

    time_engine: Literal["freezegun", "time-machine"] = "freezegun"
    """What ``turris_time`` moves the process with, unless the test runs one of them already."""

    time_tick: bool = False
    """Whether time passes by itself under ``turris_time``, or stands still until moved."""

    share_ssl_context: bool = True
    """Whether clients of httpx with its default trust share one SSL context, not 20 ms each."""

    tls: bool = False
    """Whether ``turris_server`` speaks HTTPS."""

    env_base_url: str = "TURRIS_BASE_URL"
    """The environment variable that gets the base URL."""

    env_client_id: str = "TURRIS_CLIENT_ID"
    """The environment variable that gets the client id."""

    env_client_secret: str = "TURRIS_CLIENT_SECRET"
    """The environment variable that gets the client secret."""

    env_webhook_secret: str = "TURRIS_WEBHOOK_SECRET"
    """The environment variable that gets the webhook secret."""

    def __post_init__(self) -> None:
        """Refuse a value of the wrong type, or a negative one, at once, naming the option.

        Raises:
            OptionError: The value is not one that the option can take.
        """
        for name, kind in option_types().items():
            _check(name, getattr(self, name), kind)
        if not _PATH.fullmatch(self.webhooks_path):
            raise OptionError(
                f"turris option 'webhooks_path': {self.webhooks_path!r} is no path like /v1/hooks"
            )
        if self.signature_key == "base64" and not is_base64(self.webhook_secret):
            raise OptionError(
                "turris option 'signature_key': 'base64' needs a 'webhook_secret' in base64"
            )

    def replaced(self, *layers: Mapping[str, Any]) -> Self:
        """These options with layers of others over them, the last one on top.

        Raises:
            OptionError: A name is misspelt or a value is of the wrong type.
        """
        return self.from_layers({name: getattr(self, name) for name in option_types()}, *layers)

    @classmethod
    def from_layers(cls, *layers: Mapping[str, Any]) -> Self:
        """Merge layers of options, a later one over the earlier.

        Raises:
            OptionError: A name is misspelt or a value is of the wrong type.
        """
        merged: dict[str, Any] = {}
        for layer in layers:
            merged.update(layer)
        known = option_types()
        for name in merged:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise OptionError(f"there is no turris option {name!r}{hint}")
        return cls(**merged)


def is_base64(key: str) -> bool:
    """Whether a key is base64 of at least one byte, in the standard alphabet and padded."""
    try:
        return bool(base64.b64decode(key, validate=True))
    except ValueError:
        return False


@cache
def option_types() -> dict[str, Any]:
    """The options' names with their types, in the order of the reference page."""
    hints = get_type_hints(Options)
    return {field.name: hints[field.name] for field in fields(Options)}


def choices(name: str) -> tuple[str, ...]:
    """The values that an option can take, if it is one of a few."""
    kind = option_types()[name]
    return get_args(kind) if get_origin(kind) is Literal else ()


def parse(name: str, text: str) -> Any:  # noqa: ANN401 - as wide as the options' types
    """An option's value from the text of an ini file or a shell.

    Durations are seconds (``token_ttl = 3600``), booleans ``true`` or ``false``.

    Raises:
        OptionError: The text does not name a value of that option.
    """
    kind = option_types()[name]
    try:
        if kind is dt.timedelta:
            return dt.timedelta(seconds=float(text))
        if kind is bool:
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[
                text.strip().lower()
            ]
        return int(text) if kind is int else text
    except (KeyError, ValueError, OverflowError):
        raise OptionError(f"turris option {name!r}: {text!r} is no {_describe(kind)}") from None


def _check(name: str, value: object, kind: Any) -> None:  # noqa: ANN401 - a type hint
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    # A bool is an int to Python, not here; a Secret is a text.
    fits = value in choices if choices else isinstance(value, kind)
    fits &= kind is bool or not isinstance(value, bool)
    if not fits:
        given = "the value" if name == "webhook_secret" else repr(value)
        raise OptionError(f"turris option {name!r}: {given} is no {_describe(kind)}")
    if kind in (int, dt.timedelta) and name != "seed":
        _check_sign(name, value)


def _check_sign(name: str, value: Any) -> None:  # noqa: ANN401 - a number or a duration
    """Refuse a negative number or duration: all of these count something, or last."""
    if value < type(value)():
        given = f"{value.total_seconds():g} s" if isinstance(value, dt.timedelta) else value
        raise OptionError(f"turris option {name!r}: {given} is negative; 0 is the least")


def _describe(kind: Any) -> str:  # noqa: ANN401 - a type hint
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(repr, get_args(kind)))
    if kind is dt.timedelta:
        return "duration (a timedelta; seconds in an ini file)"
    return {bool: "true or false", int: "whole number", str: "text"}[kind]
