"""The code that ``turris-sandbox explain`` shows: from the receivers and clients of the tests.

Each check has a double that is broken in just its way, and each double overrides what it breaks of
a good one. So the broken example is the double, and the right one what it overrides. What is wrong
with how a receiver is set up has two doubles, and the checks of the audit have their own module.
"""

import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import turris_inbox
from doubles.clients import good_client, good_tokens, registry
from doubles.receivers import bare_server, broken_signature, good_receiver, set_up
from doubles.receivers.all_broken import BROKEN as RECEIVERS

from .audit_examples import audit_examples

FILE = Path(__file__).parents[2] / "mock_server" / "explaining" / "examples.json"

_GOOD = (
    turris_inbox.Inbox,
    good_receiver.StatusInbox,
    good_receiver.ReceiverApp,
    broken_signature.Base64,
    good_client.GoodClient,
    good_tokens.GoodTokens,
)
_SET_UP: dict[str, tuple[Any, Any]] = {
    "WH-49": (set_up.key_of_the_api, set_up.key_of_its_own),
    "WH-89": (turris_inbox.Inbox.entries, set_up.OneTypeInbox),
    "WH-99": (set_up.serve_in_the_clear, set_up.serve_with_tls),
}
"""Broken and right, where the one overrides nothing of the other."""

_DECORATOR = re.compile(r"^@breaks\(.*\)\n", re.MULTILINE)
_FOR_CHECKERS = re.compile(r"  # (?:type: ignore|noqa).*")


def as_json() -> str:
    """The examples of all checks."""
    found = {id_: _of_class(_inbox_or_app(app)) for id_, app in RECEIVERS.items()}
    found |= {id_: _of_server(id_) for id_ in bare_server.LENIENT if id_ not in found}
    clients = registry.BROKEN | registry.FRAGILE
    found |= {id_: _of_class(client) for id_, client in clients.items()}
    found |= {
        id_: {"broken": _source(broken), "right": _source(right)}
        for id_, (broken, right) in _SET_UP.items()
    }
    # One bit of a webhook is flipped, as in the attack.
    found |= audit_examples() | {"VW-1": found["WH-50"]}
    return json.dumps({id_: found[id_] for id_ in sorted(found) if found[id_]}, indent=1) + "\n"


def _inbox_or_app(app: type[Any]) -> type[Any]:
    """The class that is broken: an application of the registry only wraps its inbox."""
    wraps = app.__module__.endswith("receivers.registry")
    return app.inbox_class if wraps else app


def _of_class(broken: type[Any]) -> dict[str, str]:
    own = [one for one in reversed(broken.__mro__[:-1]) if one not in _GOOD and not _is_good(one)]
    if not own:
        return {}
    sources = "\n\n".join([*_helpers(own), *map(_class_source, own)])
    names = dict.fromkeys(name for one in own for name in vars(one) if f" {name}" in sources)
    return {"broken": sources, "right": "\n\n".join(_overridden(broken, names))}


def _is_good(one: type[Any]) -> bool:
    return any(issubclass(good, one) for good in _GOOD)


def _class_source(one: type[Any]) -> str:
    return _DECORATOR.sub("", _source(one)).rstrip() + "\n"


def _source(what: type[Any] | FunctionType) -> str:
    return _FOR_CHECKERS.sub("", textwrap.dedent(inspect.getsource(what)))


def _overridden(broken: type[Any], names: dict[str, None]) -> Iterator[str]:
    """What the good class has where the broken one has its own; for a value, what reads it too."""
    seen: set[str] = set(names)
    for name in names:
        home = next((one for one in broken.__mro__ if one in _GOOD and name in vars(one)), None)
        if home is None:
            continue
        member = vars(home)[name]
        if isinstance(member, FunctionType):
            yield _source(member)
        elif not callable(member):
            yield f"{name} = {member!r}\n"
            for reader in vars(home).values():
                reads = isinstance(reader, FunctionType) and name in reader.__code__.co_names
                if reads and reader.__name__ not in seen:
                    seen.add(reader.__name__)
                    yield _source(reader)


def _helpers(classes: list[type[Any]]) -> Iterator[str]:
    """The functions of the doubles that the classes call, and what their closures hold."""
    seen: set[str] = set()
    for one in classes:
        for member in vars(one).values():
            if not isinstance(member, FunctionType):
                continue
            variables = inspect.getclosurevars(member)
            for name, value in variables.nonlocals.items():
                if name not in seen and not isinstance(value, type):
                    seen.add(name)
                    yield f"{name} = {value!r}\n"
            for name in _names(member.__code__):
                value = member.__globals__.get(name)
                ours = isinstance(value, FunctionType) and "doubles" in value.__module__
                if ours and name not in seen:
                    seen.add(name)
                    yield _source(value)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _of_server(id_: str) -> dict[str, str]:
    """The parts of the bare server that are lenient for this attack, and the same when strict."""
    methods = [
        _source(method)
        for method in vars(bare_server.BareServer).values()
        if isinstance(method, FunctionType) and f'"{id_}"' in inspect.getsource(method)
    ]
    code, refusal = "\n\n".join(methods), f'self._only("{id_}")'
    return {
        "broken": f"# self._lenient is {id_!r}.\n{code.replace(refusal, 'pass')}",
        "right": f"# self._lenient is ''.\n{code.replace(refusal, 'raise BadRequestError')}",
    }
