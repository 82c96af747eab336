"""Reads the values of command-line options, and reports a mistake in one line."""

import os
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_server.shell.mistakes import fail
from mock_server.shell.printing import say
from pytest_turris.core.options import Options, choices, option_name, option_types, parse
from pytest_turris.core.text.redaction import mask, note_secret
from pytest_turris.core.unknowns.option_values import OptionError
from pytest_turris.process.reading.input_file import read_input
from pytest_turris.process.reading.user_documents import DocumentError, json_or_text_of_user

if TYPE_CHECKING:
    from pytest_turris.attacks.attack import Attack
    from pytest_turris.attacks.own_payload import OwnPayload
    from pytest_turris.findings.ignore import IgnoredChecks
    from pytest_turris.receivers.target import UrlTarget
    from pytest_turris.webhooks.factory import WebhookFactory

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token (RFC 9110, 5.6.2)."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OBJECT_ID = re.compile(r"[0-9a-f]{24}")
_HOST = re.compile(r"localhost|[^/]*[.:]")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
"""The usual name of an environment variable; secrets have small letters, too."""

OF_TESTS = ("time_", "fail_on_", "attack_profile", "share_ssl_context")
"""The prefixes of the options that only tests in pytest read."""

OF_WEBHOOKS = ("signature_", "webhook_secret", "webhook_user_agent", "upstream_entity_id")
"""The prefixes of the options that sending a webhook reads."""


def read_signing_key(variable: str) -> str:
    """Return the signing key from the environment variable that ``--secret-env`` names."""
    key = os.environ.get(variable)
    if not key:
        shown = shown_variable(variable)
        fail(f"no signing key: set {shown}, or name another variable with --secret-env")
    note_secret(key)
    return key


def shown_variable(name: str) -> str:
    """The name of an environment variable for a message; a secret given in its place is masked."""
    return name if _VARIABLE.fullmatch(name) else mask(name)


def read_options(
    texts: Iterable[str],
    *,
    scheme: str = "",
    base: Options | None = None,
    reads: tuple[str, ...] = (),
    **fixed: Any,  # noqa: ANN401 - options' values
) -> Options:
    """Return the options of ``--option name=value``; ``fixed`` ones take precedence.

    An option that the command does not read is accepted, with a line on standard error.

    Args:
        texts: The values of ``--option``.
        scheme: The value of ``--scheme``; the default leaves it to ``--option``.
        base: The options of what is not given; the defaults if None.
        reads: The prefixes of the options that the command reads; all if empty.
        **fixed: Options that other parts of the command line give.
    """
    given: dict[str, Any] = {}
    if scheme and scheme != Options().signature_scheme:
        fixed["signature_scheme"] = read_choice("--scheme", scheme, choices("signature_scheme"))
    try:
        for name, value in _option_pairs(texts):
            given[name] = parse(name, value) if name in option_types() else value
        options = (base or Options()).replaced(given, fixed)
        _check_paths(options)
    except OptionError as error:
        fail(f"{'--scheme' if 'signature_scheme' in str(error) else '--option'}: {error}")
    for name in given:
        if reason := _why_unread(name, fixed, reads):
            say_useless(f"--option {name}", reason)
    return options


def say_useless(option: str, reason: str) -> None:
    """Say that an option does nothing; the command goes on."""
    say(f"turris-sandbox: {option} does nothing here: {reason}", err=True)


def _option_pairs(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The names in Python with their texts; one given again in the same spelling overrides."""
    spelt: dict[str, str] = {}
    for given, value in _pairs("--option", "name=value", texts):
        name = option_name(given)
        if (other := spelt.setdefault(name, given)) != given:
            fail(f"--option: {other} and {given} are one option: give it once")
        yield name, value


def _why_unread(name: str, fixed: Collection[str], reads: tuple[str, ...]) -> str:
    """Why a command does not read an option; empty if it does."""
    if name in fixed:
        return "this command has an option of its own for it, see --help"
    if name.startswith(OF_TESTS):
        return "only tests in pytest read it"
    if reads and not name.startswith(reads):
        return "only a sandbox that answers requests reads it"
    return ""


def read_choice(flag: str, value: str, choices: Collection[str]) -> str:
    """Return the value of an option that takes one of a few values."""
    if value not in choices:
        fail(f"{flag} {value!r} is not one of {', '.join(map(repr, choices))}")
    return value


def read_events(names: Iterable[str]) -> tuple[str, ...]:
    """The types of events that are named."""
    from pytest_turris.core.entity.event_models import EVENTS

    return tuple(read_choice("--event", name, EVENTS) for name in names)


def read_members(texts: Iterable[str]) -> dict[str, Any]:
    """Return the members of ``--set member=value``: JSON if the value is JSON, else a string."""
    members: dict[str, Any] = {}
    for name, value in _pairs("--set", "member=value", texts):
        try:
            parsed = json_or_text_of_user(value)
        except DocumentError as error:
            fail(f"--set {name}: {error}")
        # No event has a number, and an NPN consists of digits.
        members[name] = value if type(parsed) in (int, float) else parsed
    return members


def read_entity(text: str) -> str:
    """Return the ``upstreamEntityId`` of ``--entity``."""
    if not _OBJECT_ID.fullmatch(text):
        fail(f"--entity {text!r} is not an ObjectId: 24 hexadecimal digits in lower case")
    return text


def read_header_lines(texts: Iterable[str], options: Options) -> tuple[tuple[str, str], ...]:
    """Return the lines of ``--header NAME:VALUE``.

    Args:
        texts: The values of ``--header``.
        options: The options, whose scheme has headers of its own.
    """
    from pytest_turris.webhooks.schemes import scheme_of

    scheme, lines = scheme_of(options), []
    signed = {scheme.header, scheme.id_header, scheme.timestamp_header}
    for text in texts:
        name, colon, value = text.partition(":")
        shown = f"--header {name + colon!r}"  # the value may be a secret
        if not (colon and _HEADER_NAME.fullmatch(name)):
            fail(f"{shown}: write it as NAME:VALUE")
        if _CONTROL.search(value) or not _is_latin(value):
            fail(f"{shown}: the value has a character that a header cannot have")
        if name.lower() in {one.lower() for one in signed}:
            fail(f"{shown}: that header is the signature's")
        if name.lower() == "host":
            fail(f"{shown}: use --host NAME")
        lines.append((name, value.strip()))
    return tuple(lines)


def read_target(url: str, *, host: str, allow: Collection[str]) -> "UrlTarget":
    """Return the receiver at a URL, after all checks that need no request."""
    from pytest_turris.receivers.address import TargetError
    from pytest_turris.receivers.egress import EgressRefused, check_egress, for_command
    from pytest_turris.receivers.target import Target, UrlTarget

    if "://" not in url:
        if not _HOST.match(url):
            fail(f"{url!r} is not a URL, such as http://127.0.0.1:3000/webhooks")
        fail(f"{url!r} has no scheme: write http://{url}")
    try:
        check_egress(url, allow=allow)
        target = Target.of(url, allow=allow, host=host)
    except EgressRefused as error:
        fail(for_command(error))
    except TargetError as error:
        fail(f"--host: {error}")
    assert isinstance(target, UrlTarget)  # noqa: S101 - it has a scheme
    return target


def _check_paths(options: Options) -> None:
    """Refuse a path that another operation has, which is not seen without the operations."""
    if options.webhooks_path != Options().webhooks_path:
        from pytest_turris.core.api.router import routes_at

        routes_at(options.webhooks_path)


def new_factory(
    options: Options, *, entity: str, lines: tuple[tuple[str, str], ...] = ()
) -> "WebhookFactory":
    """Return a factory of webhooks with these options.

    Args:
        options: The options, with scheme and key.
        entity: The ``upstreamEntityId``.
        lines: Further header lines.
    """
    from pytest_turris.core.sandbox import Sandbox
    from pytest_turris.webhooks.factory import WebhookFactory

    sandbox = Sandbox(options, name=os.urandom(8).hex())
    parts = WebhookFactory.arguments_for(sandbox, entity=read_entity(entity))
    return WebhookFactory(**parts, lines=lines)


def read_payload(file: Path, factory: "WebhookFactory") -> "OwnPayload":
    """Return the payload in the file of ``--payload``."""
    from pytest_turris.attacks.own_payload import OwnPayload, PayloadError

    try:
        return OwnPayload(read_input(file), factory.new_id)
    except PayloadError as error:
        fail(f"--payload {file}: {error}")
    except OSError as error:
        fail(f"--payload {file}: {error.strerror or error}")


def read_place(option: str, file: Path | None) -> Path | None:
    """A file that can be written; the command ends if not, before the work whose result goes there.

    Args:
        option: The option that names the file.
        file: The file, which may exist; None if none is to be written.
    """
    if file is None:
        return None
    if not file.parent.is_dir():
        fail(f"{option} {file}: there is no folder {file.parent}: make it first")
    if file.is_dir():
        fail(f"{option} {file}: this is a folder: name a file in it")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        fail(f"{option} {file}: it cannot be written: change its permissions, or name another")
    return file


def read_attacks(ids: Iterable[str]) -> tuple["Attack", ...]:
    """Return the attacks that ``--only`` names, in the order of the catalogue, each once."""
    from pytest_turris.attacks.catalogue import ATTACKS, find_attack
    from pytest_turris.core.errors import UnknownNameError

    try:
        chosen = [find_attack(id_.strip().upper()) for id_ in ids]
    except UnknownNameError as error:
        fail(f"--only: {error}")
    return tuple(attack for attack in ATTACKS if attack in chosen)


def read_ignored(texts: Iterable[str]) -> "IgnoredChecks":
    """Return the attacks that ``--ignore ID=reason`` leaves out, with the reasons."""
    from pytest_turris.attacks.catalogue import ATTACKS
    from pytest_turris.findings.errors import IgnoreError
    from pytest_turris.findings.ignore import IgnoredChecks

    ignored = IgnoredChecks([attack.id for attack in ATTACKS])
    try:
        for text in texts:
            ignored.add_option(text)
    except IgnoreError as error:
        fail(f"--{error}")
    return ignored


def _is_latin(text: str) -> bool:
    return all(ord(character) < 256 for character in text)  # noqa: PLR2004 - what HTTP can write


def _pairs(flag: str, form: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            fail(f"{flag} {text!r}: write it as {form}")
        yield name, value
