"""The exit status of a control that judges something."""

from collections.abc import Mapping
from typing import Any

from mock_server.exit_status import FAILED
from mock_server.shell.mistakes import fail

_FAILED = "failed"


def end_unless_it_holds(judges: Mapping[str, str], answer: Any) -> None:  # noqa: ANN401 - any JSON value
    """End the command with a line that says what does not hold; return if all holds.

    Args:
        judges: How the answer says it, as in the row of the control.
        answer: The answer.
    """
    if not isinstance(answer, dict) or judges["member"] not in answer:
        fail("the answer judges nothing: the server is not a turris-sandbox of this version")
    value = answer[judges["member"]]
    if value is False or value == _FAILED or (isinstance(value, list) and value):
        said = judges["broken"].format(**answer)
        fail(said.partition("\n")[0].rstrip(":"), FAILED)  # the rest is in the answer
