"""Receivers of signatures with a signed time, good and broken: what WH-86 asks of such a scheme."""

import datetime as dt
import hashlib
import hmac

from .good_receiver import StatusInbox

TOLERANCE = 300.0


class Stamped(StatusInbox):
    """A good receiver of ``t=...,v1=...``."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        if len(signatures) != 1:
            return False
        stamp, _, given = signatures[0].removeprefix("t=").partition(",v1=")
        message = self.signed_text(stamp).encode() + b"." + body
        expected = hmac.new(self._keys[0], message, hashlib.sha256).hexdigest()
        fine = hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())
        return fine and self.is_near(float(stamp) - dt.datetime.now(dt.UTC).timestamp())  # noqa: TID251 - a receiver has its own clock

    def signed_text(self, stamp: str) -> str:
        """The text that is taken for what was signed."""
        return stamp

    def is_near(self, ahead: float) -> bool:
        """Whether a time so many seconds ahead is taken."""
        return abs(ahead) < TOLERANCE


class OnlyTooOld(Stamped):
    """Takes any time to come, as stripe 16.1.0 does."""

    def is_near(self, ahead: float) -> bool:
        return ahead > -TOLERANCE


class NoTolerance(Stamped):
    """Looks at no time, as stripe's ``verify_header`` without a tolerance does."""

    def is_near(self, ahead: float) -> bool:
        return True


class Floors(Stamped):
    """Verifies the number that it reads, as standardwebhooks 1.1.0 does."""

    def signed_text(self, stamp: str) -> str:
        return str(int(float(stamp)))
