"""Masks secrets in the results of Allure, which takes messages from exceptions themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import allure_commons

from pytest_turris.core.text.redaction import redact_credentials

_MODEL = "allure_commons.model2"


@contextmanager
def masked_results() -> Iterator[None]:
    """A block in which every result and every container of fixtures is masked before it is kept."""
    masking = _Masking()
    allure_commons.plugin_manager.register(masking)
    try:
        yield
    finally:
        allure_commons.plugin_manager.unregister(masking)


class _Masking:
    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: Any) -> None:  # noqa: ANN401 - Allure's own classes
        """Mask a test's result."""
        _masked(result)

    @allure_commons.hookimpl(tryfirst=True)
    def report_container(self, container: Any) -> None:  # noqa: ANN401 - as above
        """Mask what became of fixtures."""
        _masked(container)


def _masked(found: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(found, str):
        return redact_credentials(found)
    if isinstance(found, list):
        found[:] = map(_masked, found)
    elif type(found).__module__ == _MODEL and hasattr(found, "__dict__"):
        for name, part in vars(found).items():
            setattr(found, name, _masked(part))
    return found
