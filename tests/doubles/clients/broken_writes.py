"""How a client writes: one bug in each."""

import json
import uuid
from typing import Any

from .client_steps import Answer, Send
from .good_client import GoodClient

KEY = "00000000-0000-4000-8000-00000000abcd"


class RetriesWithoutKey(GoodClient):
    """TC-39."""

    def key_headers(self, key: str) -> dict[str, str]:
        """None."""
        return {}

    def may_repeat(self, send: Send, error: Any) -> bool:
        """Everything."""
        return bool(error.transient)


class NoThrottle(GoodClient):
    """TC-40."""

    writes_per_minute = 10_000


class OtherBytes(GoodClient):
    """TC-46: the body is serialised again for the retry."""

    looks_first = False

    def again(self, send: Send) -> Send:
        """With more white space."""
        body = json.dumps(json.loads(send.body), indent=1).encode() if send.body else None
        return Send(send.method, send.url, send.headers, body)


class OneKeyForAll(GoodClient):
    """TC-47."""

    def new_key(self) -> object:
        """Always the same."""
        return KEY


class DerivedKey(GoodClient):
    """TC-48: derived from the data."""

    def new_key(self) -> object:
        """Version 5."""
        self.count = getattr(self, "count", 0) + 1
        return uuid.uuid5(uuid.NAMESPACE_URL, f"dana.lee@abc.example/{self.count}")


class WaitsForHours(GoodClient):
    """TC-49, AR-19, AR-27: waits as long as the answer asks."""

    looks_first = False

    def pause(self, attempt: int, outcome: Any) -> float:
        """No cap."""
        asked = [self.usual_pause(attempt)]
        if isinstance(outcome, Answer):
            asked += [self.until_reset(outcome), self.retry_after(outcome)]
        return max(asked)


class BothKeyHeaders(GoodClient):
    """TC-51."""

    def key_headers(self, key: str) -> dict[str, str]:
        """Twice."""
        return {"idempotency-key": key, "x-idempotency-key": key}


class MintsNewKeys(GoodClient):
    """TC-39, TC-52: another key for each try."""

    looks_first = False

    def may_repeat(self, send: Send, error: Any) -> bool:
        """Conflicts too."""
        return error.status in (409, 422) or super().may_repeat(send, error)

    def again(self, send: Send) -> Send:
        """With a new key."""
        if "idempotency-key" not in send.headers:
            return send
        headers = send.headers | {"idempotency-key": str(uuid.uuid4())}
        return Send(send.method, send.url, headers, send.body)


class TrustsTheKey(GoodClient):
    """TC-50: the key alone is to keep a write from happening twice."""

    looks_first = False


class KeyWhenSent(GoodClient):
    """TC-53: each click makes a key of its own."""

    def key_for(self, key: object) -> str:
        """Another one."""
        return str(uuid.uuid4())
