"""A client with three bugs: it replaces its token too late, and gives up too early."""

from datetime import timedelta

from .client_steps import Token
from .good_client import GoodClient


class LastsUntilItsExpiry(GoodClient):
    """No buffer, a token used at its very expiry, and no retry after a 401: three bugs."""

    buffer = timedelta(0)

    def is_valid(self, token: Token) -> bool:
        """<= in place of <."""
        return timedelta(0) <= self.now() - token.at <= token.lifetime

    def tries(self) -> tuple[bool, ...]:
        """One."""
        return (True,)
