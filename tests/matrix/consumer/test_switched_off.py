"""With ``-p no:turris``: the plugin is not loaded."""

import socket

import pytest


def test_not_loaded(request: pytest.FixtureRequest) -> None:
    """There is no plugin, no fixture and no guard."""
    assert not request.config.pluginmanager.has_plugin("turris")
    with pytest.raises(LookupError, match="turris"):
        request.getfixturevalue("turris")
    assert socket.getaddrinfo.__module__ == "socket"
