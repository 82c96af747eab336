"""Finds the steps after which a new sandbox answers a request as this one did."""

import contextlib
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args

from mock_server.control.tenant import Tenant
from mock_server.control.wire.errors import ControlError
from mock_server.page.reproduction.steps import (
    RecipeStep,
    broken,
    exhausted,
    expired,
    failing,
    forging,
    issued,
    loaded,
    restricted,
    revoked,
)
from mock_server.page.resending import AUTHORIZATION, own_headers, token_body, whole_body
from pytest_turris.core.access.authentication import RESTRICTED_HEADER
from pytest_turris.core.access.flaws import Flaw
from pytest_turris.core.journal.exchange import Exchange
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.core.wire.messages import Request, encode
from pytest_turris.core.worlds import World

_UNAUTHORIZED, _TOO_MANY, _SERVER_ERROR = 401, 429, 500
_OF_THE_SERVER = ("tls", "journal_limit", "webhook_secret")
"""Options of ``serve`` that a test does not need, or must not show."""

_LARGEST = 100_000
"""The maximum length of a state that is written into a test."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A request with what must be done before it.

    Args:
        exchange: The exchange that it reproduces.
        options: The options of the sandbox that a test sets.
        steps: What is done first.
        carrier: The header field that carries the token of the steps; empty if none does.
        right_secret: For a token request, whether its secret is the right one.
    """

    exchange: Exchange
    options: Options
    steps: tuple[RecipeStep, ...]
    carrier: str
    right_secret: bool = True

    def answer(self) -> Exchange:
        """Return the exchange that it gives in a new sandbox."""
        sandbox = Sandbox(self.options.replaced())
        tokens = [found for step in self.steps if (found := step.do(sandbox))]
        headers = own_headers(self.exchange)
        if self.carrier:
            scheme = "Bearer " if self.carrier == AUTHORIZATION else ""
            headers[self.carrier] = f"{scheme}{tokens[-1]}"
        path, _, query = self.exchange.target.partition("?")
        request = Request(
            method=self.exchange.method,
            path=path,
            query=query,
            headers=tuple(headers.items()),
            body=self._body(sandbox),
            host=HOSTS[self.options.environment],
        )
        with contextlib.suppress(ConnectionFailure):  # the journal has it, with status 0
            sandbox.handle(request)
        return sandbox.journal[-1]

    def _body(self, sandbox: Sandbox) -> bytes:
        if token_body(self.exchange) is None:
            return self.exchange.request_body.encode()
        secret = str(sandbox.client.client_secret) if self.right_secret else "wrong"
        return encode({"clientId": sandbox.client.client_id, "clientSecret": secret})


def recipe_for(tenant: Tenant, exchange: Exchange) -> Recipe:
    """Return the shortest recipe that gives the same status, and the same reason if possible.

    Raises:
        ControlError: There is none, or the journal does not have all of the request.
    """
    whole_body(exchange)
    if exchange.request_headers.keys() >= {AUTHORIZATION, RESTRICTED_HEADER}:
        raise ControlError(409, "A request with two kinds of token is not written as a test.")
    alike = None
    for recipe in _recipes(tenant, exchange):
        answer = recipe.answer()
        if answer.status != exchange.status:
            continue
        if _shape(answer.reason) == _shape(exchange.reason):
            return recipe
        alike = alike or recipe
    if alike is None:
        raise ControlError(
            409,
            "A fresh sandbox answers this request in another way: what it depended on is gone. "
            "With --store, the state from before it is taken.",
        )
    return alike


def _recipes(tenant: Tenant, exchange: Exchange) -> Iterator[Recipe]:
    default = Options()
    options = tenant.sandbox.options.replaced(
        {name: getattr(default, name) for name in _OF_THE_SERVER}
    )
    headers = exchange.request_headers
    carrier = next((name for name in (AUTHORIZATION, RESTRICTED_HEADER) if name in headers), "")
    plain = Recipe(exchange=exchange, options=options, steps=(), carrier=carrier)
    tokens = _tokens(exchange, carrier)
    secrets = (True, False) if token_body(exchange) else (True,)
    for step in tokens:
        for right in secrets:
            yield replace(plain, steps=(*_causes(exchange), *step), right_secret=right)
    world = loaded(_world_before(tenant, exchange.number))
    if len(world.constants) <= _LARGEST and exchange.status != _UNAUTHORIZED:
        for step in tokens:
            yield replace(plain, steps=(world, *_causes(exchange), *step))


def _tokens(exchange: Exchange, carrier: str) -> tuple[tuple[RecipeStep, ...], ...]:
    """The tokens that it may have carried, the most likely ones first."""
    if not carrier:
        return ((),)
    if carrier == RESTRICTED_HEADER:
        return tuple((step,) for step in restricted())
    return tuple(_bearers(exchange))


def _bearers(exchange: Exchange) -> Iterator[tuple[RecipeStep, ...]]:
    """The tokens that it may have carried."""
    if exchange.status != _UNAUTHORIZED:
        yield (issued(),)
        return
    yield (expired(dt.timedelta(seconds=60)),)
    yield (revoked(),)
    flaws: tuple[Flaw, ...] = get_args(Flaw)
    for flaw in flaws:
        yield (forging(flaw),)
    yield (issued(),)


def _causes(exchange: Exchange) -> tuple[RecipeStep, ...]:
    """Return what else made the sandbox answer like this."""
    if exchange.status == _TOO_MANY:
        return (exhausted("token" if exchange.is_token_request else "write"),)
    if exchange.status == 0 and exchange.operation:
        return (broken(exchange.operation, "reset"),)
    if exchange.status >= _SERVER_ERROR and exchange.operation:
        return (failing(exchange.operation, exchange.status),)
    return ()


def _world_before(tenant: Tenant, number: int) -> World:
    """The state before an exchange if a store has it; else the one now."""
    kept, options = tenant.kept, tenant.sandbox.options
    if kept is None or (step := step_before(tenant, number)) is None:
        return World.of(tenant.sandbox)
    found, state = kept.state_at(step)
    return World.at_moment(found.at, state | {"journal": _NO_JOURNAL}, options)


_NO_JOURNAL: dict[str, Any] = {"seen": 0, "exchanges": []}


def step_before(tenant: Tenant, number: int) -> int | None:
    """The last step of the history before an exchange; None if it is not kept."""
    before: int | None = None
    while tenant.kept and (steps := tenant.kept.history.steps(500, before=before)):
        for step in reversed(steps):
            if step.exchange < number:
                return step.number
        before = steps[0].number
    return None


def _shape(reason: str) -> str:
    """Return a reason without the parts that differ each time."""
    return re.sub(r"\S*\d\S*|\*\*\*\S*", "#", reason)
