"""Masks what pytest shows about a test: values in its failure, its locals, its output."""

import re
from functools import cached_property
from typing import Any

import pytest
from _pytest._code.code import TerminalRepr

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.redaction import mask, redact_credentials

SANDBOX = pytest.StashKey[Sandbox]()
"""Where a test keeps its sandbox."""

# The one line of the summary has no room for the module of an error.
_MODULE_OF_AN_ERROR = re.compile(r"\bpytest_turris(?:\.[a-z_]+)+\.(?=[A-Z]\w*(?:Error|Warning)\b)")
# A secret or token that pytest shortened in the middle, which redaction would not recognise.
_CUT = re.compile(r"(?:turris_sand\w*|eyJ[\w.-]*?)\.\.\.[\w.-]+")
_BREAK = re.compile(r"(?:\s|\\[nrt]|\x1b\[[\d;]*m)+")
_REST = re.compile(r"(?<=\.\.\.)[\w.-]{11,}[\w-]")
"""What follows where pytest shortened a longer text; it may be all of a secret but its mark."""


class ReportRedaction:
    """Masks secrets in a report.

    Args:
        sandbox: The sandbox of the test, whose secrets are known in part, too.
    """

    def __init__(self, sandbox: Sandbox | None) -> None:
        self._sandbox = sandbox

    def redacted(self, found: Any) -> Any:  # noqa: ANN401 - pytest's tree of texts
        """Redact in place what pytest shows about a test, such as its locals."""
        if isinstance(found, str):
            return self._text(found)
        if isinstance(found, list | tuple):
            return type(found)(self.redacted(part) for part in found)
        if isinstance(found, TerminalRepr):
            for name, part in vars(found).items():
                setattr(found, name, self.redacted(part))
        return found

    def _text(self, text: str) -> str:
        text = self._without_broken(text)
        short = _CUT.sub(lambda cut: mask(cut[0]), _MODULE_OF_AN_ERROR.sub("", text))
        return redact_credentials(_REST.sub(lambda rest: self._rest(rest[0]), short))

    def _without_broken(self, text: str) -> str:
        """Mask secrets that something broke over lines, or colours, such as a console of rich."""
        compact = _BREAK.sub("", text)
        for secret in self._secrets:
            if secret in compact and secret not in text:
                broken = f"(?:{_BREAK.pattern})?".join(map(re.escape, secret))
                text = re.sub(broken, mask(secret), text)
        return text

    def _rest(self, text: str) -> str:
        return mask(text) if any(text in secret for secret in self._secrets) else text

    @cached_property
    def _secrets(self) -> list[str]:
        from pytest_turris.audit.spellings import secrets_of  # noqa: PLC0415 - few reports need it

        return [secret for secret, _ in secrets_of(self._sandbox)] if self._sandbox else []


def mask_report(report: pytest.TestReport, sandbox: Sandbox | None) -> None:
    """Mask secrets in a report: its failure, its output, its properties, the reason of an xfail.

    Args:
        report: The report, which is changed.
        sandbox: The sandbox of the test, whose secrets are known in part, too.
    """
    reason = getattr(report, "wasxfail", "")
    if not (report.longrepr or report.sections or report.user_properties or reason):
        return
    redaction = ReportRedaction(sandbox)
    report.longrepr = redaction.redacted(report.longrepr)
    report.sections = redaction.redacted(report.sections)
    report.user_properties = [
        (name, _property(redaction, value)) for name, value in report.user_properties
    ]
    if reason:
        vars(report)["wasxfail"] = redaction.redacted(reason)


def _property(redaction: ReportRedaction, value: object) -> object:
    """A value as JUnit writes it, if that has a secret; else as it is."""
    written = str(value)
    masked: str = redaction.redacted(written)
    return value if masked == written else masked
