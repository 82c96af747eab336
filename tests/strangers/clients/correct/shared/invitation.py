"""The body of an invitation, serialised once."""

import json
import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Invitation:
    """One operation of a user: its bytes and its idempotency key stay the same in every attempt."""

    name: str = "Acme Insurance Services"
    key: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def body(self) -> bytes:
        return json.dumps(
            {
                "useInviteUrl": True,
                "isNpnRequired": False,
                "downstreamEntityName": self.name,
                "firstName": "Ada",
                "lastName": "Lane",
                "email": "ada.lane@example.com",
                "category": "agency",
            }
        ).encode()

    @property
    def headers(self) -> dict[str, str]:
        return {"content-type": "application/json", "idempotency-key": self.key}
