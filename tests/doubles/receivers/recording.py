"""A WSGI receiver that answers with given statuses and keeps what it gets."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class RecordingReceiver:
    """Answers with the given statuses, and keeps the bodies and signatures."""

    answers: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        """Answer as WSGI asks."""
        self.bodies.append(environ["wsgi.input"].read())
        self.signatures.append(environ["HTTP_X_TURRIS_SIGNATURE"])
        status = self.answers.pop(0) if self.answers else 204
        start_response(f"{status} x", [])
        return []
