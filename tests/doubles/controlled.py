"""The control API of one server, without a socket."""

import asyncio
import json
from inspect import isawaitable
from typing import Any

from mock_server.control.door import ControlDoor
from mock_server.control.tenants import Tenants
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request, Response


class Refused(Exception):  # noqa: N818 - the name says what happened
    """The control API refused a call."""

    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.document: dict[str, Any] = response.json()
        super().__init__(f"{self.status} {self.document['errorMessage']}")

    @property
    def fields(self) -> list[str]:
        """The fields that are wrong."""
        return [problem["field"] for problem in self.document["problems"]]


class Controlled:
    """A sandbox, and its control API as a caller with the token has it."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - any option
        self.sandbox = Sandbox(Options(**options))
        self.tenants = Tenants(self.sandbox)
        self.log: list[str] = []
        self.door = ControlDoor(self.tenants, "the control token", self.log.append)

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        query: str = "",
        content_type: str = "application/json",
    ) -> Response:
        """Send a request, and return the answer."""
        request = Request(
            method=method,
            path=f"/__sandbox__{path}",
            query=query,
            headers=(("content-type", content_type),),
            body=body,
        )
        return asyncio.run(self._answered(request))

    async def _answered(self, request: Request) -> Response:
        answer = self.door.control(request)
        return await answer if isawaitable(answer) else answer

    def call(self, method: str, path: str, **members: Any) -> Any:  # noqa: ANN401 - JSON
        """Call a control with members of a JSON body; return the JSON of the result."""
        response = self.send(method, path, json.dumps(members).encode())
        return _result(response)

    def get(self, path: str, query: str = "") -> Any:  # noqa: ANN401 - JSON
        """Read something, and return the JSON of the result."""
        return _result(self.send("GET", path, query=query))


def _result(response: Response) -> Any:  # noqa: ANN401 - JSON
    if response.status >= 400:
        raise Refused(response)
    return response.json() if response.body else None
