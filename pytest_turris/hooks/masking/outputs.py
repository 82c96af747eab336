"""Masks secrets in all that a run writes: reports, logs, and the line with which it ends."""

import logging
import os
import sys
from collections.abc import Generator
from contextlib import ExitStack
from typing import Any

import pytest
from _pytest._code.code import TerminalRepr

from pytest_turris.core.text.redaction import note_secret, redact_credentials
from pytest_turris.hooks.masking.report_redaction import SANDBOX, ReportRedaction, mask_report
from pytest_turris.process.control_token import CONTROL_TOKEN


class OutputMasking:
    """The plugin of runs that use the sandbox.

    Args:
        config: Its logs are masked at once.
    """

    def __init__(self, config: pytest.Config) -> None:
        note_secret(os.environ.get(CONTROL_TOKEN, "").strip())
        self._terminal = config.pluginmanager.get_plugin("terminalreporter")
        self._undo = ExitStack()
        plugin = config.pluginmanager.get_plugin("logging-plugin")
        for name in ("log_cli_handler", "log_file_handler"):
            if isinstance(handler := getattr(plugin, name, None), logging.Handler):
                self._undo.callback(handler.setFormatter, handler.formatter)
                handler.setFormatter(_MaskedLog(handler.formatter))
        if "allure_commons" in sys.modules:
            from pytest_turris.hooks.masking.allure_results import masked_results  # noqa: PLC0415 - as rarely used

            self._undo.enter_context(masked_results())

    def pytest_unconfigure(self) -> None:
        """Give the handlers of logs their own formats back."""
        self._undo.close()

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Mask a report first of all: plugins that write reports of their own take it next."""
        report = yield
        mask_report(report, item.stash.get(SANDBOX, None))
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Mask what the report of a subtest has beyond that of a test."""
        context: Any = getattr(report, "context", None)
        if not isinstance(getattr(context, "kwargs", None), dict):
            return
        redaction = ReportRedaction(None)
        for name, text in context.kwargs.items():
            context.kwargs[name] = redaction.redacted(text)
        object.__setattr__(context, "msg", redaction.redacted(context.msg))
        report.sections = redaction.redacted(report.sections)

    @pytest.hookimpl(trylast=True)
    def pytest_keyboard_interrupt(self) -> None:
        """Mask the reason of ``pytest.exit``, and of Ctrl-C, which pytest shows at the end."""
        memo = getattr(self._terminal, "_keyboardinterrupt_memo", None)
        if isinstance(memo, TerminalRepr):
            ReportRedaction(None).redacted(memo)


class _MaskedLog(logging.Formatter):
    """The format of another, with secrets masked; records stay as they are, for ``caplog``."""

    def __init__(self, own: logging.Formatter | None) -> None:
        super().__init__()
        self._own = own or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        return redact_credentials(self._own.format(record))
