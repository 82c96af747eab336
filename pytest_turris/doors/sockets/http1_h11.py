"""HTTP/1.1 on one connection, parsed with h11: see ``http1``."""

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from pytest_turris.doors.sockets.http1 import ServerMixin


class _UpgradableProtocol(ServerMixin, H11Protocol):
    """Parses with h11, which keeps the body of a request that offers an upgrade."""

    def has_waiting(self) -> bool:
        """Whether requests wait behind the one that is being answered, perhaps only in part."""
        return self.conn.their_state is h11.DONE and bool(self.conn.trailing_data[0])

    def is_reading(self) -> bool:
        """Whether the end of a head or body has not come yet."""
        return super().is_reading() or bool(self.conn.trailing_data[0])
