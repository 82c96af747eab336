"""Random calls of the control API."""

import asyncio
import json
from contextlib import AbstractContextManager
from random import Random  # noqa: TID251 - from a seed
from types import TracebackType
from typing import Self

import time_machine
from doubles.api_recipes import Sent
from doubles.controlled import Controlled

from fuzz.requests import VALUES, change_body
from mock_server.control.description import describe
from mock_server.control.table import CONTROLS
from pytest_turris.core.wire.messages import Request, Response

_ROWS = [row for row in CONTROLS.values() if not row.sends and not row.streams]
_NAMES = {
    row.name: [one["name"] for one in describe(row)["parameters"] if one["where"] != "path"]
    for row in _ROWS
}
_IDS = ("0", "507f1f77bcf86cd799439011", "x", "%00", "%2e%2e", "..%2f", "default", "agents")
_NOW = "2025-03-17T10:15:45+00:00"
_WHOLE_LOOKS = 20
_RENEWED_AFTER = 500
_SCALARS = (0, 1, 60, 1.5, "1h", "agents", "US", "2025-01-01", "small_agency", "x", [1], {"a": 1})


class ControlFuzz(AbstractContextManager["ControlFuzz"]):
    """One server without a socket, renewed once in a while, as calls change it.

    Args:
        seed: The same seed sends the same calls.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._loop = asyncio.new_event_loop()
        self._sent = 0
        self.unsent = 0

    def __enter__(self) -> Self:
        # What is due by time is no effect of a call.
        self._still = time_machine.travel(_NOW, tick=False)
        self._still.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._still.stop()
        self._loop.close()

    def changed(self) -> Sent:
        """The next call."""
        random = self.random
        row = random.choice(_ROWS)
        path, names = row.path, _NAMES[row.name]
        for name in row.in_path:
            path = path.replace(f"{{{name}}}", random.choice(_IDS))
        chosen = random.sample(names, min(len(names), random.randrange(4)))
        given = {name: random.choice((*VALUES, *_SCALARS)) for name in chosen}
        headers = {"content-type": "application/json"}
        if not row.has_body:
            query = "&".join(f"{name}={random.choice(_IDS)}" for name in chosen)
            return Sent(row.method, f"{path}?{query}", headers)
        sent = Sent(row.method, path, headers, json.dumps(given).encode())
        return change_body(sent, random) if random.random() < 0.2 else sent

    def problem(self, sent: Sent) -> str:
        """What is wrong with the answer to a call; empty if nothing is."""
        if self._sent % _RENEWED_AFTER == 0:
            self._server = Controlled()
            self._server.sandbox.seed("small_agency")
        self._sent += 1
        looks = self._sent % _WHOLE_LOOKS == 0
        if looks:
            self._carry_out_what_is_due()
        before = self._server.sandbox.snapshot() if looks else None
        try:
            response = self._answer(sent)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not be raised
            return f"raised {type(error).__name__}: {error}"[:300]
        if response.status >= 500:
            return f"answered {response.status}: {self._server.log[-1:]}"
        found = _flaw(response) if response.status >= 400 else ""
        if not found and before and response.status >= 400:
            changed = self._server.sandbox.snapshot() != before
            found = "the refusal changed the state" if changed else ""
        return found

    def _carry_out_what_is_due(self) -> None:
        """What a call before has left is done when the state is used next, even by a refusal."""
        sandbox = self._server.sandbox
        assert not sandbox.outbox.in_flight  # it reads the events
        for name in sandbox.credentials.names:
            for bucket in ("token", "write"):
                sandbox.limits.allowance(bucket, name)  # which drops calls of past windows

    def _answer(self, sent: Sent) -> Response:
        path, _, query = sent.target.partition("?")
        request = Request(
            method=sent.method,
            path=f"/__sandbox__{path}",
            query=query,
            headers=tuple(sent.headers.items()),
            body=sent.body,
        )
        return self._loop.run_until_complete(self._server._answered(request))


def _flaw(refusal: Response) -> str:
    if refusal.json().get("statusCode") != refusal.status:
        return "the refusal has another shape"
    if b"<" in refusal.body or b"\x00" in refusal.body:
        return "the refusal shows what was sent"
    return ""
