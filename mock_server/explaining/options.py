"""Every option, explained: its docstring, its values, and what is known about its behaviour."""

import datetime as dt
import json
import shlex
from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any

from mock_server.explaining.explanation import Explanation
from pytest_turris.core import options
from pytest_turris.core.fidelity import FIDELITY
from pytest_turris.core.text.docs_links import page
from pytest_turris.core.text.field_docs import field_docs
from pytest_turris.core.unknowns.option_values import OptionError

_TEXTS = {
    "upstream_entity_id": "507f1f77bcf86cd799439011",
    "token_issuer": "https://issuer.example/",
    "token_audience": "another-audience",
    "client_ip": "203.0.113.7",
    "webhook_secret": "whsec_of_this_test",
    "webhook_user_agent": "Turris/2",
    "webhooks_path": "/v1/webhook-endpoints",
    "npn_lookup_member": "npnList",
    "time_real_modules": "acme.queue",
    "signature_header": "X-Signature",
    "signature_prefix": "sha256=",
    "signature_list_separator": ",",
    "signature_timestamp_header": "X-Timestamp",
    "signature_id_header": "X-Message-Id",
    "signature_version": "v0",
    "signature_key_prefix": "whsec_",
    "env_base_url": "ACME_TURRIS_URL",
    "env_client_id": "ACME_TURRIS_ID",
    "env_client_secret": "ACME_TURRIS_SECRET",
    "env_webhook_secret": "ACME_TURRIS_WEBHOOK_SECRET",
}
"""A value for each option that takes text."""

_BESIDE = {"signature_key": {"webhook_secret": "d2hzZWNfb2ZfdGhpc190ZXN0"}}
"""What an option needs next to it."""

_WRONG_TEXTS = {
    "upstream_entity_id": "acme",
    "client_ip": "999.1.1.1",
    "webhooks_path": "webhooks",
    "webhook_user_agent": "Turris/2\n",
    "signature_header": "X-Signature:",
    "signature_timestamp_header": "X-Timestamp:",
    "signature_id_header": "X-Message-Id:",
    **dict.fromkeys(
        ("env_base_url", "env_client_id", "env_client_secret", "env_webhook_secret"), "MY TURRIS"
    ),
}
"""A text that an option refuses; the others take any text."""


def option_explanations() -> dict[str, Explanation]:
    """Each option by its name."""
    return {name: _explained(name) for name in options.option_types()}


@cache
def descriptions() -> dict[str, str]:
    """Each option with the docstring below its field, in Markdown."""
    return field_docs(options.Options)


def shown_default(name: str) -> str:
    """The default as an ini file writes it: durations in seconds; empty for no text."""
    return _as_text(_default(name))


def example_value(name: str) -> Any:  # noqa: ANN401 - as wide as the options' types
    """A value of the option that differs from its default."""
    default = _default(name)
    if values := options.choices(name):
        return next(value for value in values if value != default)
    if isinstance(default, bool):
        return not default
    if isinstance(default, dt.timedelta):
        return default / 2 or dt.timedelta(seconds=30)
    if isinstance(default, int):
        return default // 2 or 3
    return _TEXTS[name]


def _explained(name: str) -> Explanation:
    values = options.choices(name)
    unit = "seconds" if isinstance(_default(name), dt.timedelta) else ""
    known = [row for row in FIDELITY if name in row.options]
    return Explanation(
        name=name,
        title="an option of the sandbox",
        parts={
            "What it does": descriptions()[name],
            "Why it matters": _why({row.provenance for row in known}),
            "Values": ", ".join(map(repr, values)),
            "Unit": unit,
            "Default": shown_default(name) or "empty",
            "In an ini file": f"turris_{name} = {_as_text(example_value(name))}",
            "On the command line": _served(name),
            "Stands for": "; ".join(f"{row.topic} ({row.provenance})" for row in known),
            "Source": "; ".join(dict.fromkeys(row.source for row in known if row.source != "-")),
        },
        url=page("reference/options", name.replace("_", "-")),
        broken=_refused(name),
        right=_test(name),
    )


def _why(provenances: Collection[str]) -> str:
    """Why one may want another value; empty for what is about tests, not about Turris."""
    if not {"assumed", "disputed"}.isdisjoint(provenances):
        return (
            "Turris' documentation does not settle it: run your tests under each value, and see "
            "whether your code depends on what no page says."
        )
    if provenances:
        return "Turris may change it: another value shows what your code does then."
    return ""


def _test(name: str) -> str:
    """A test with the option, which passes."""
    fixture = options.READ_BY.get(name, ("turris",))[0]
    takes_time = isinstance(_default(name), dt.timedelta)
    imports = ("from datetime import timedelta\n\n" if takes_time else "") + "import pytest\n\n\n"
    given = {name: example_value(name), **_BESIDE.get(name, {})}
    return f"{imports}{_marker(given)}\ndef test_it({fixture}): ...\n"


def _refused(name: str) -> str:
    """A marker with a value of another type or form, and what is said about it."""
    value = _of_another_type(name)
    try:
        options.Options.from_layers({name: value})
    except OptionError as error:
        return f"{_marker({name: value})}  # refused\n# {error}\n"
    # A test asks for every option.
    raise AssertionError(f"{name} takes {value!r}")  # pragma: no cover - such an option has no page


def _of_another_type(name: str) -> object:
    """What one easily writes in place of a value."""
    default = _default(name)
    if isinstance(default, dt.timedelta):
        return "5m"
    if isinstance(default, bool):
        return "yes"
    if isinstance(default, int):
        return "many"
    return "no-such" if options.choices(name) else _WRONG_TEXTS.get(name)


def _marker(given: Mapping[str, object]) -> str:
    pairs = (f"{name}={_as_code(value)}" for name, value in given.items())
    return f"@pytest.mark.turris({', '.join(pairs)})"


def _as_code(value: object) -> str:
    if isinstance(value, dt.timedelta):
        return f"timedelta(seconds={value.total_seconds():g})"
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _as_text(value: object) -> str:
    """A value as an ini file or a shell has it."""
    if isinstance(value, dt.timedelta):
        return f"{value.total_seconds():g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _served(name: str) -> str:
    """How a server is given the option; empty if only tests in pytest read it."""
    if name == "tls":
        return "turris-sandbox serve --tls"
    of_tests = name in options.READ_BY or name.startswith("fail_on_")
    given = {name: example_value(name), **_BESIDE.get(name, {})}
    texts = " ".join(f"-o {shlex.quote(f'{one}={_as_text(two)}')}" for one, two in given.items())
    return "" if of_tests else f"turris-sandbox serve {texts}"


def _default(name: str) -> Any:  # noqa: ANN401 - as wide as the options' types
    field = next(one for one in fields(options.Options) if one.name == name)
    assert field.default is not MISSING  # noqa: S101 - each option has a default
    return field.default
