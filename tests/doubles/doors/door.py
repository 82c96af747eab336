"""An open door, as a test of the contract suite uses it."""

from dataclasses import dataclass

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request

from .clients import Answer, Client, Fields


@dataclass
class Door:
    """A client, the sandbox behind it, and a twin of that sandbox which is asked directly."""

    client: Client
    sandbox: Sandbox
    twin: Sandbox

    @property
    def bearer(self) -> tuple[str, str]:
        """The header of a fresh token, which no rate limit counts."""
        token, known = (box.tokens.issue(box.client).text for box in (self.sandbox, self.twin))
        assert token == known
        return "authorization", f"Bearer {token}"

    def ask_twin(self, method: str, target: str, headers: Fields = (), body: bytes = b"") -> Answer:
        """The same request past any door."""
        path, _, query = target.partition("?")
        answer = self.twin.handle(
            Request(method=method, path=path, query=query, headers=tuple(headers), body=body)
        )
        return Answer(answer.status, list(answer.headers), answer.body)
