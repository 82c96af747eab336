"""From ini keys and markers to one options object, and from that to what fixtures give."""

from typing import Any

import pytest

from pytest_turris.core.options import OptionError, Options, parse
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.scheme import SignatureScheme


def options_for(node: pytest.Item, ini_names: tuple[str, ...]) -> Options:
    """The options of one test: ini keys, then markers, the nearest last.

    A mistake fails the test with the message alone: the traceback would be this plugin's.
    """
    __tracebackhide__ = True
    layers: list[dict[str, Any]] = [_ini_layer(node.config, ini_names)]
    for marker in reversed(list(node.iter_markers("turris"))):
        if marker.args:
            pytest.fail("turris marker: options are keywords: turris(token_ttl=...)", pytrace=False)
        layers.append(dict(marker.kwargs))
    try:
        return Options.from_layers(*layers)
    except OptionError as error:
        mistake = str(error)
    pytest.fail(f"turris marker: {mistake}", pytrace=False)


def webhook_factory(sandbox: Sandbox) -> WebhookFactory:
    """The factory for a sandbox: its signature scheme, key, ids and clock."""
    options = sandbox.options
    scheme = SignatureScheme(
        header=options.signature_header,
        encoding=options.signature_encoding,
        prefix=options.signature_prefix,
        timestamped=options.signature_timestamped,
        signs=options.signature_signs,
    )
    return WebhookFactory(
        scheme=scheme,
        key=sandbox.webhook_secret,
        upstream_entity_id=sandbox.upstream_entity_id,
        new_id=sandbox.new_object_id,
        now=sandbox.clock.now,
    )


def _ini_layer(config: pytest.Config, names: tuple[str, ...]) -> dict[str, Any]:
    texts = {name: config.getini(f"turris_{name}") for name in names}
    try:
        return {name: parse(name, text) for name, text in texts.items() if text != ""}
    except OptionError as error:
        mistake = str(error)
    pytest.fail(f"in the ini file: {mistake}", pytrace=False)
