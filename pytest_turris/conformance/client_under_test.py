"""The client under test: the calls that the test gave."""

from collections.abc import Callable
from dataclasses import dataclass

from pytest_turris.conformance.driver import ClientCall
from pytest_turris.core.faults.hostile.raw import MAX_SECONDS
from pytest_turris.findings.errors import NotApplicableError


@dataclass(frozen=True, kw_only=True)
class ClientUnderTest:
    """The calls that the test gave.

    Args:
        call: Makes one GET.
        new_client: Makes another client from the environment, and returns its call.
        write: Makes one POST, a new operation each time.
        record: Makes one GET of one record by its id.
        operation: Begins one operation, and returns the call that makes its POST.
        concurrency: How many threads or tasks call at once.
        max_seconds: How many real seconds an endless answer lasts over a socket.
    """

    call: ClientCall
    new_client: Callable[[], object] | None = None
    write: ClientCall | None = None
    record: ClientCall | None = None
    operation: Callable[[], object] | None = None
    concurrency: int = 50
    max_seconds: float = MAX_SECONDS

    @property
    def given_write(self) -> ClientCall:
        """The write.

        Raises:
            NotApplicableError: The test gave none.
        """
        if self.write is None:
            raise NotApplicableError("give a POST of the client: run(call, write=...)")
        return self.write
