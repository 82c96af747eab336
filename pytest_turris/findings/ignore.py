"""Leaves checks out, with a reason: by a marker, by a call, or on the command line."""

from collections.abc import Collection, Mapping

from pytest_turris.core.text.names import did_you_mean
from pytest_turris.findings.errors import IgnoreError

_REASON = "why this is fine"


def marker(check_id: str) -> str:
    """The line above a test that ignores a check."""
    return f'@pytest.mark.turris(ignore={{"{check_id}": "{_REASON}"}})'


def option(check_id: str) -> str:
    """The option of the command line that ignores a check."""
    return f"--ignore '{check_id}={_REASON}'"


class IgnoredChecks:
    """The checks of one kind that are left out, each with its reason.

    Args:
        known: The ids of all checks of this kind.
        others: The prefixes of other kinds of ids, such as ``"TC-"``. One marker may name checks
            of several kinds; those of other kinds are skipped.
    """

    def __init__(self, known: Collection[str], others: tuple[str, ...] = ()) -> None:
        self._known = known
        self._others = others
        self._reasons: dict[str, str] = {}

    def add(self, check_id: str, reason: object) -> None:
        """Ignore one check.

        Args:
            check_id: Such as ``"WH-13"``.
            reason: A text that a reviewer can judge.

        Raises:
            IgnoreError: There is no such check, or no reason.
        """
        if check_id not in self._known:
            hint = did_you_mean(check_id, self._known)
            raise IgnoreError(f"ignore: there is no check {check_id!r}{hint}")
        if not (isinstance(reason, str) and reason.strip()):
            raise IgnoreError(f"ignore: {check_id} needs a reason that a reviewer can judge")
        self._reasons[check_id] = reason

    def add_marked(self, reasons: object) -> None:
        """Ignore the checks that a marker names.

        Args:
            reasons: The value of ``ignore=``: a dict of ids with their reasons.

        Raises:
            IgnoreError: It is not a dict, there is no such check, or a reason is missing.
        """
        if not isinstance(reasons, Mapping):
            given = type(reasons).__name__
            raise IgnoreError(
                f"ignore is a {given}, and each check needs a reason: write a dict, "
                f"{marker('WH-13')}"
            )
        for check_id, reason in reasons.items():
            if not str(check_id).startswith(self._others):
                self.add(check_id, reason)

    def add_option(self, text: str) -> None:
        """Ignore the check that an option of the command line names.

        Args:
            text: The option's value, ``WH-13=the reason``; the id in letters of any case.

        Raises:
            IgnoreError: There is no such check, or no reason.
        """
        given, _, reason = text.partition("=")
        check_id = given.strip().upper()
        try:
            self.add(check_id, reason)
        except IgnoreError as error:
            # An id that is not known would only be repeated.
            hint = f"; write {option(check_id)}" if check_id in self._known else ""
            raise IgnoreError(f"{error}{hint}") from None

    def reason(self, check_id: str) -> str:
        """Why a check is ignored; empty if it is not."""
        return self._reasons.get(check_id, "")
