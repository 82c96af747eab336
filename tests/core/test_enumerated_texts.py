"""Each text of a fixed set is checked when it is given; a wrong one is named in the error."""

import datetime as dt
import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from pytest_turris import LambdaReceiver, Sandbox, SignatureScheme
from pytest_turris.core.errors import TurrisKitError

WRONG = "no-such"

PARTS = (
    "agents", "associations", "products", "licenses", "appointments", "regulatory_actions", "npns",
    "contacts", "documents", "templates", "coverages", "policies", "uploads", "credentials",
    "tokens", "faults", "limits", "idempotency", "events",
)  # fmt: skip
INNER = {"npns.why_not", "tokens.verify", "limits.spend", "events.append"}
"""What the sandbox calls with words that it has checked."""


def is_enumerated(kind: object) -> bool:
    """Whether a type is a ``Literal``, or has one inside."""
    return get_origin(kind) is Literal or any(map(is_enumerated, get_args(kind)))


def enumerated() -> Iterator[tuple[str, str, str]]:
    """The parts, methods and parameters of a sandbox that take words of a fixed set."""
    sandbox = Sandbox()
    for part in PARTS:
        for name, method in inspect.getmembers(getattr(sandbox, part), inspect.ismethod):
            if name.startswith(("_", "authenticate")) or f"{part}.{name}" in INNER:
                continue
            for parameter, kind in get_type_hints(method).items():
                if parameter != "return" and is_enumerated(kind):
                    yield part, name, parameter


OTHERS: dict[str, Any] = {
    "operation": "list_agents",
    "npn": "12345678",
    "moment": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
}
"""What else the methods need."""


@pytest.mark.parametrize(("part", "name", "parameter"), [*enumerated()])
def test_a_wrong_word_is_refused(part: str, name: str, parameter: str) -> None:
    """By an error of ours, whatever else is given."""
    sandbox = Sandbox()
    association = sandbox.associations.add()
    method: Callable[..., Any] = getattr(getattr(sandbox, part), name)
    given = OTHERS | {"association_id": association.id, "credential": sandbox.client}
    given |= {"downstream_entity_association_id": association.id, "client": sandbox.client}
    is_set = get_origin(get_type_hints(method)[parameter]) is not Literal
    wrong = [WRONG] if parameter in ("permissions", "business_roles") and is_set else WRONG
    needed = {
        one.name: given[one.name]
        for one in inspect.signature(method).parameters.values()
        if one.default is one.empty and one.name != parameter and one.name in given
    }
    with pytest.raises(TurrisKitError, match=WRONG):
        method(**needed, **{parameter: wrong})


def test_what_takes_words_is_found() -> None:
    """The search can find."""
    found = {f"{part}.{name}({parameter})" for part, name, parameter in enumerated()}
    assert {"associations.add(category)", "faults.add(error)", "limits.exhaust(bucket)"} <= found
    assert len(found) > 12


@pytest.mark.parametrize(
    "call",
    [
        lambda sandbox: sandbox.seed(WRONG),
        lambda sandbox: sandbox.associations.update(sandbox.associations.add(), category=WRONG),
        lambda sandbox: sandbox.credentials.issue(permissions=WRONG),
        lambda sandbox: sandbox.credentials.issue_restricted(allowed=WRONG),
        lambda sandbox: sandbox.expect_refusal(operation=WRONG),
        lambda sandbox: sandbox.clock.advance(WRONG),
        lambda sandbox: sandbox.clock.move_to(WRONG),
        lambda _: SignatureScheme(header=f"{WRONG}:"),
        lambda _: LambdaReceiver(WRONG),  # type: ignore[arg-type]  # a wrong one
        lambda _: LambdaReceiver(partial(max, 0), source=WRONG),  # type: ignore[arg-type]  # as above
    ],
)
def test_other_wrong_words_are_refused(call: Callable[[Sandbox], object]) -> None:
    """The message repeats the word."""
    with pytest.raises(TurrisKitError, match=WRONG):
        call(Sandbox())


def test_a_status_that_is_no_refusal_is_refused() -> None:
    """No exchange would ever match it."""
    with pytest.raises(TurrisKitError, match="status=200 is not that of a refusal; use 400 to 499"):
        Sandbox().expect_refusal(status=200)


@pytest.mark.parametrize(
    ("arguments", "parts", "words"),
    [
        ((), {}, "got nothing"),
        ((5,), {}, "got 5"),
        ((dt.timedelta(1),), {"minutes": 5}, "got both"),
        ((), {"minute": 5}, "there is no unit 'minute'; use one of weeks, days, hours, minutes,"),
    ],
)
def test_a_step_that_is_none_is_refused(
    arguments: tuple[Any, ...], parts: dict[str, float], words: str
) -> None:
    """In place of a time that stands still, or an error of the standard library."""
    with pytest.raises(TurrisKitError) as caught:
        Sandbox().clock.advance(*arguments, **parts)
    assert words in str(caught.value)
