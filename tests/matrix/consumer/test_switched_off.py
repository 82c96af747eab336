"""With ``-p no:turris``: nothing of it is there."""

import socket

import pytest


def test_gone(request: pytest.FixtureRequest) -> None:
    """No plugin, no fixtures, no guard."""
    assert not request.config.pluginmanager.has_plugin("turris")
    with pytest.raises(LookupError, match="turris"):
        request.getfixturevalue("turris")
    assert socket.getaddrinfo.__module__ == "socket"
