"""Every option in one frozen object: marker keywords and ini keys.

An option exists where Turris's documentation is silent or contradicts itself, or where a test
may want the sandbox less strict. ``docs/reference/options.md`` lists them all.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal, Self, get_type_hints

from pytest_turris.core.text.names import as_snake_case, did_you_mean
from pytest_turris.core.text.redaction import note_secret
from pytest_turris.core.unknowns.option_values import (
    OptionError,
    check_distinct,
    check_form,
    check_value,
    choices_of,
    parse_value,
)
from pytest_turris.core.unknowns.record_options import RecordOptions
from pytest_turris.core.unknowns.signing_keys import check_key, key_of

_CHECKS = ("turris_webhook_attack", "turris_token_case", "turris_hostile_answer")
READ_BY: Mapping[str, tuple[str, ...]] = {
    "attack_profile": ("turris_webhook_attack",),
    "fail_on_not_observed": _CHECKS,
    "fail_on_should": _CHECKS,
    "time_engine": ("turris_time",),
    "time_tick": ("turris_time",),
    "time_real_modules": ("turris_time",),
    "share_ssl_context": ("turris", "turris_time", "turris_webhooks", "turris_webhook_attack"),
    "tls": ("turris_server",),
}
"""The fixtures that read an option which not every sandbox reads; fixtures on top of them too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(RecordOptions):
    """How a sandbox behaves where the documentation leaves a choice. Every option has a default."""

    environment: Literal["sandbox", "production"] = "sandbox"
    """Which environment the default credentials, and a loopback server, belong to."""

    seed: int = 0
    """The same seed and test give the same ids, data and secrets."""

    upstream_entity_id: str = ""
    """The sandbox's own ``upstreamEntityId``, 24 hexadecimal digits. Empty: a new one."""

    envelope: Literal["data", "data_with_status", "status_without_request_id", "top_level"] = "data"
    """Which of the four documented success envelopes to send."""

    optional_fields: Literal["omitted", "null"] = "omitted"
    """An optional member without a value: left out, or ``null`` unless no sample has it."""

    unknown_fields: Literal["ignored", "refused"] = "ignored"
    """Unknown members and parameters: ignored and noted in the journal, or a 400 (undocumented)."""

    unknown_method: Literal["not_found", "method_not_allowed"] = "not_found"
    """A known path with another method: 404, or 405 with ``Allow`` (undocumented)."""

    head_and_options: Literal["nestjs", "express", "unknown"] = "nestjs"
    """HEAD and OPTIONS, which no page names: HEAD is GET without content, and OPTIONS a 404 or,
    as ``express``, a 200 with ``Allow``; or both are unknown methods (undocumented)."""

    date_header: bool = True
    """Whether answers have ``Date``, by the sandbox's clock (undocumented; RFC 9110: yes)."""

    sunset: Literal["ignored", "gone"] = "ignored"
    """Deprecated operations after their ``Sunset`` date: unchanged, or 410 as documented."""

    compliance_states: Literal["with_status", "state_code"] = "with_status"
    """A state in a compliance response: as in the webhooks, or ``stateCode`` alone (sampled)."""

    appointment_status: Literal["active", "appointed"] = "active"
    """The status of a current appointment: the pages disagree; the filter accepts both words."""

    document_categories: Literal["newer", "older"] = "newer"
    """Which document categories exist, eleven or nine: two copies of the page disagree."""

    upload_status_envelope: Literal["standard", "bare"] = "standard"
    """An upload's status in the envelope, or without one as in the page's sample."""

    sync_duration: dt.timedelta = dt.timedelta(minutes=2)
    """How long a sync with NIPR takes (documented: a few minutes)."""

    upload_duration: dt.timedelta = dt.timedelta(seconds=10)
    """How long a policy file takes: half of it queued, half of it processed (undocumented)."""

    npn_lookup_duration: dt.timedelta = dt.timedelta(0)
    """How long an NPN lookup keeps the account busy on the sandbox's clock (undocumented)."""

    token_ttl: dt.timedelta = dt.timedelta(minutes=60)
    """How long an access token is valid (documented: 60 minutes)."""

    refresh_buffer: dt.timedelta = dt.timedelta(minutes=5)
    """How long before its expiry a client should replace a token (documented: 5 minutes)."""

    token_issuer: str = "https://sandbox.turris.invalid/"
    """The ``iss`` claim of access tokens (assumed)."""

    token_audience: str = "turris-public-api"
    """The ``aud`` claim of access tokens (assumed)."""

    restricted_token_access: Literal["full", "read"] = "full"
    """What a restricted access token may do: the guides disagree."""

    token_requests_per_minute: int = 10
    """The limit of ``POST /v1/auth/jwt`` per API client (documented)."""

    writes_per_minute: int = 60
    """The limit of all other POST, PUT, PATCH and DELETE per credential (documented)."""

    rate_window: Literal["fixed", "sliding"] = "fixed"
    """The rate limit's window: a minute from the first request, or the last 60 seconds."""

    rate_headers: Literal["near", "always"] = "near"
    """Send ``X-RateLimit-*`` near the limit (documented; 80 % is assumed), or on all such calls."""

    retry_after: bool = False
    """Whether a 429 also has ``Retry-After`` (undocumented)."""

    idempotency_ttl: dt.timedelta = dt.timedelta(hours=1)
    """How long a response is kept for its idempotency key (documented: 1 hour)."""

    idempotency_conflict: Literal["refuse", "replay"] = "refuse"
    """An idempotency key sent again with another body: 422, or the stored response."""

    allow_plain_http: bool = False
    """Whether the Turris hosts also answer ``http://`` (the vendor says: always HTTPS)."""

    max_body_bytes: int = 1_048_576
    """The longest request body in bytes; a longer one gets a 413 (assumed)."""

    client_ip: str = ""
    """The client address that IP allowlists see. Empty: the peer's address, or 127.0.0.1."""

    webhook_secret: str = field(default="", repr=False)
    """The signing key.

    Empty: the client secret, as the guide says; the help centre differs, and a webhook registered
    over HTTP then gets a secret of its own.
    """

    webhook_retries: Literal["none", "standard", "svix", "stripe"] = "none"
    """Which retry schedule to use (undocumented): none, or that of Standard Webhooks, Svix or
    Stripe."""

    webhook_disable_after: int = 0
    """Disable a webhook after this many consecutive failures; 0 never disables it
    (undocumented)."""

    webhook_gone_disables: bool = False
    """Whether a receiver's 410 disables its webhook, as Standard Webhooks asks (undocumented)."""

    webhook_honours_retry_after: bool = False
    """Whether a receiver's ``Retry-After`` delays the next attempt, by a day at most
    (undocumented)."""

    webhook_debounce: dt.timedelta = dt.timedelta(minutes=1)
    """How long the two status events wait for another change (documented: 1 minute); at most
    thirty times as long in all. 0: each change is sent at once."""

    webhook_user_agent: str = "Turris-Webhooks/1.0"
    """The ``User-Agent`` of deliveries (undocumented). Empty: there is none."""

    webhooks_path: str = "/v1/webhooks"
    """The path of the operations on webhooks (assumed: the guide names an API, not its paths)."""

    attack_profile: Literal["quick", "full"] = "quick"
    """Which attacks ``turris_webhook_attack`` runs: the quick ones, or the whole catalogue."""

    fail_on_not_observed: bool = False
    """Whether a check that could not observe enough fails its test; otherwise it is skipped with
    the reason. It never passes."""

    fail_on_should: bool = False
    """Whether a finding of level ``should`` fails its test; otherwise it is a warning."""

    fail_on_refusal: bool = True
    """Whether a request to an unknown path, or one that validation refused, fails the test at
    teardown."""

    fail_on_unused_fault: bool = True
    """Whether a scripted fault that never fired fails the test at teardown."""

    journal_limit: int = 1_000
    """How many exchanges the journal keeps. Older ones are dropped, but still counted."""

    time_engine: Literal["auto", "freezegun", "time-machine"] = "auto"
    """The library that moves the process's time, unless the test uses one of them itself.

    ``auto``: time-machine if it is installed, else freezegun.
    """

    time_tick: bool = False
    """Whether time passes under ``turris_time``, or stands still until the test moves it."""

    time_real_modules: str = ""
    """Modules or packages whose sleeps and timed waits stay real under ``turris_time``, separated
    by spaces."""

    share_ssl_context: bool = True
    """Share one SSL context between default httpx clients (saves 20 ms each)."""

    tls: bool = False
    """Whether ``turris_server`` speaks HTTPS."""

    env_base_url: str = "TURRIS_BASE_URL"
    """The environment variable that holds the base URL."""

    env_client_id: str = "TURRIS_CLIENT_ID"
    """The environment variable that holds the client id."""

    env_client_secret: str = "TURRIS_CLIENT_SECRET"
    """The environment variable that holds the client secret."""

    env_webhook_secret: str = "TURRIS_WEBHOOK_SECRET"
    """The environment variable that holds the webhook secret."""

    def __post_init__(self) -> None:
        """Refuse a value of the wrong type, or a negative one; the error names the option.

        Raises:
            OptionError: The value is not one that the option can take.
        """
        for name, kind in option_types().items():
            check_value(name, kind, getattr(self, name))
            check_form(name, getattr(self, name))
        check_key(*self._key_form, self.webhook_secret)
        note_secret(self.webhook_secret)
        check_distinct({name: getattr(self, name) for name in option_types() if name[:4] == "env_"})

    def signing_key(self, secret: str) -> str:
        """Return a secret, which may be any text, in the form that the scheme needs for a key."""
        return key_of(*self._key_form, secret)

    @property
    def _key_form(self) -> tuple[str, str, str]:
        return self.signature_scheme, self.signature_key, self.signature_key_prefix

    def replaced(self, *layers: Mapping[str, Any]) -> Self:
        """These options, overridden by other layers; the last layer wins.

        Raises:
            OptionError: A name is misspelt or a value is of the wrong type.
        """
        return self.from_layers({name: getattr(self, name) for name in option_types()}, *layers)

    @classmethod
    def from_layers(cls, *layers: Mapping[str, Any]) -> Self:
        """Merge layers of options; a later layer overrides an earlier one.

        Raises:
            OptionError: A name is misspelt or a value is of the wrong type.
        """
        merged: dict[str, Any] = {}
        for layer in layers:
            merged.update(layer)
        known = option_types()
        for name in merged:
            if name not in known:
                hint = did_you_mean(name, known)
                raise OptionError(f"there is no turris option {name!r}{hint}")
        return cls(**merged)


@cache
def option_types() -> dict[str, Any]:
    """The options' names with their types, in the order of the reference page."""
    hints = get_type_hints(Options)
    return {field.name: hints[field.name] for field in fields(Options)}


def option_name(text: str) -> str:
    """An option's name in Python for either spelling, ``token_ttl`` or ``tokenTtl``.

    A text that names no option is returned as it is, for the error that shows it.
    """
    name = as_snake_case(text)
    return name if name in option_types() else text


def choices(name: str) -> tuple[str, ...]:
    """The values that an option can take, if they are a fixed set; else empty."""
    return choices_of(option_types()[name])


def parse(name: str, text: str) -> Any:  # noqa: ANN401 - as wide as the options' types
    """Read an option's value from the text of an ini file or a shell.

    Durations are seconds (``token_ttl = 3600``), booleans ``true`` or ``false``.

    Raises:
        OptionError: The text is not a value of that option.
    """
    return parse_value(name, option_types()[name], text)
