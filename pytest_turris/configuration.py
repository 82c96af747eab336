"""From ini keys and markers to the options of one test."""

from collections.abc import Mapping
from typing import Any

import pytest

from pytest_turris.core.options import OptionError, Options, parse
from pytest_turris.core.sandbox import Sandbox

SANDBOX = pytest.StashKey[Sandbox]()
"""Where a test keeps its sandbox."""

_INI_OPTIONS = pytest.StashKey[Options]()
_IGNORE = "ignore"


def options_for(node: pytest.Item, ini_names: tuple[str, ...]) -> Options:
    """The options of one test: ini keys, then markers, the nearest last.

    A mistake fails the test with the message alone: the traceback would be this plugin's.
    """
    __tracebackhide__ = True
    config = node.config
    if _INI_OPTIONS not in config.stash:
        config.stash[_INI_OPTIONS] = _from_ini(config, ini_names)
    options = config.stash[_INI_OPTIONS]
    markers = list(node.iter_markers("turris"))
    if not markers:
        return options
    if any(marker.args for marker in markers):
        pytest.fail("turris marker: options are keywords: turris(token_ttl=...)", pytrace=False)
    try:
        return options.replaced(*(_without_ignore(marker.kwargs) for marker in reversed(markers)))
    except OptionError as error:
        mistake = str(error)
    pytest.fail(f"turris marker: {mistake}", pytrace=False)


def ignored_for(node: pytest.Item) -> dict[str, str]:
    """The rules that a test does not want to be held against, with the reasons.

    From ``@pytest.mark.turris(ignore={"WH-13": "the reason"})``, the nearest marker last. A
    missing reason fails the test.
    """
    __tracebackhide__ = True
    ignored: dict[str, Any] = {}
    for marker in reversed(list(node.iter_markers("turris"))):
        given = marker.kwargs.get(_IGNORE, {})
        if not isinstance(given, dict):
            pytest.fail("turris marker: ignore={'WH-13': 'the reason'}", pytrace=False)
        ignored.update(given)
    for id_, reason in ignored.items():
        if not (isinstance(reason, str) and reason.strip()):
            pytest.fail(f"turris marker: ignore: {id_} needs a reason", pytrace=False)
    return ignored


def _without_ignore(keywords: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in keywords.items() if name != _IGNORE}


def _from_ini(config: pytest.Config, names: tuple[str, ...]) -> Options:
    __tracebackhide__ = True
    texts = {name: config.getini(f"turris_{name}") for name in names}
    given: dict[str, Any] = {}
    try:
        for name, text in texts.items():
            if text != "":
                given[name] = parse(name, text)
        return Options.from_layers(given)
    except OptionError as error:
        mistake = str(error)
    pytest.fail(f"in the ini file: {mistake}", pytrace=False)
