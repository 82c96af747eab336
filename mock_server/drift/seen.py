"""The exchanges with a tenant, and what they are about."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pytest_turris.core.api.operation import Operation
from pytest_turris.core.api.router import Routes
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.wire.errors import UnknownOperation

_ROUTES = Routes(lambda: OPERATIONS)
_OK = range(200, 300)


@dataclass(frozen=True, kw_only=True)
class SeenExchange:
    """One request and its answer. A ``repr`` shows neither headers nor the body.

    Args:
        method: The method.
        url: The URL, or the path with the query.
        status: The answer's status.
        headers: Its headers, with names in lower case.
        body: Its body.
    """

    method: str
    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        """The query."""
        return dict(parse_qsl(urlsplit(self.url).query))

    @cached_property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The body; None if it is not JSON."""
        try:
            return json.loads(self.body.decode())
        except (ValueError, RecursionError):
            return None

    @cached_property
    def operation(self) -> Operation | None:
        """The operation; None if none of ours has this method and path."""
        try:
            return _ROUTES.find(self.method, self.path)[0]
        except UnknownOperation:
            return None

    @property
    def succeeded(self) -> bool:
        """Whether the status is one of success."""
        return self.status in _OK

    @property
    def data(self) -> Any:  # noqa: ANN401 - JSON
        """The answer's payload, whichever envelope it has."""
        document, operation = self.json, self.operation
        if not isinstance(document, dict) or (operation and not operation.enveloped):
            return document
        return document.get("data", document)


class SeenExchanges:
    """The exchanges with one tenant.

    Args:
        exchanges: The exchanges, in their order.
    """

    def __init__(self, exchanges: Sequence[SeenExchange]) -> None:
        self.exchanges = tuple(exchanges)

    def of(self, name: str, *, succeeded: bool = True) -> list[SeenExchange]:
        """The exchanges of an operation, successful ones or all."""
        return [
            one
            for one in self.exchanges
            if one.operation and one.operation.name == name and (one.succeeded or not succeeded)
        ]

    @cached_property
    def answers(self) -> list[tuple[Operation, SeenExchange]]:
        """The successes whose operation is known and answers with JSON."""
        return [
            (one.operation, one)
            for one in self.exchanges
            if one.operation and one.succeeded and one.json is not None
        ]

    @cached_property
    def token_answer(self) -> SeenExchange | None:
        """The first successful token request."""
        found = self.of("get_oauth_token")
        return found[0] if found and found[0].json is not None else None

    @cached_property
    def token_parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The header and the claims of the first access token; empty if there is none."""
        answer = self.token_answer
        data = answer.data if answer else None
        text = data.get("accessToken") if isinstance(data, dict) else None
        if not isinstance(text, str) or text.count(".") != 2:  # noqa: PLR2004 - a JWS has three parts
            return {}, {}
        header, claims, _ = text.split(".")
        return _decoded(header), _decoded(claims)

    def refusals(self, status: int) -> Iterator[dict[str, Any]]:
        """The JSON objects of the answers with a status."""
        for one in self.exchanges:
            if one.status == status and isinstance(one.json, dict):
                yield one.json


def _decoded(part: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return found if isinstance(found, dict) else {}
