"""Calls over a socket that ended by the client's own timeout, though nothing held up their answer.

On a machine that is too slow for it, that says nothing about the client. A call that sent no
request at all is another matter: such a client waits for itself.
"""

from collections.abc import Sequence
from typing import NoReturn

from pytest_turris.conformance.call_result import CallResult
from pytest_turris.conformance.observation.recorded_request import RecordedRequest
from pytest_turris.findings.errors import NotApplicableError


def require_in_time(results: Sequence[CallResult], arrived: Sequence[RecordedRequest]) -> None:
    """Give no verdict if a call ended so.

    Args:
        results: Of the calls.
        arrived: Their requests.

    Raises:
        NotApplicableError: A call did.
    """
    late = [result for result in results if result.timed_out]
    if late and arrived and not arrived[-1].in_process:
        blame_machine(late[0], f"{len(late)} of {len(results)} calls")


def blame_machine(late: CallResult, calls: str) -> NoReturn:
    """Say that the machine may be too slow for the client's timeout.

    Raises:
        NotApplicableError: Always.
    """
    raise NotApplicableError(
        f"{calls} ended by the client's own timeout ({late}): the machine may be too slow for it. "
        "Give the client a longer timeout in this test"
    )
