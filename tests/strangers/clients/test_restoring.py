"""Nothing that a client leaves in the process reaches another test."""

import locale
import logging
import os
import random
import socket
import ssl
import sys
import types
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from strangers.clients.restoring import process_restored

LOG = logging.getLogger("strangers.restoring")


def _log() -> object:
    root = logging.getLogger()
    return root.level, root.handlers[:], LOG.level, LOG.handlers[:], root.manager.disable


def _configure_logs() -> None:
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(1)
    LOG.addHandler(logging.NullHandler())
    LOG.setLevel(logging.DEBUG)
    logging.disable(logging.INFO)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


LEFT: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "environment": (
        lambda: dict(os.environ),
        lambda: (os.environ.update(TURRIS_ACCESS_TOKEN="x", HOME="/"), os.environ.pop("PATH")),
    ),
    "logs": (_log, _configure_logs),
    "working directory": (Path.cwd, lambda: os.chdir("/")),
    "a file": (
        lambda: Path("token.json").exists(),
        lambda: Path("token.json").write_text("{}", encoding="utf-8"),
    ),
    "a module": (
        lambda: sys.modules["requests"],
        lambda: sys.modules.update(requests=types.ModuleType("requests")),
    ),
    "timeout of sockets": (socket.getdefaulttimeout, lambda: socket.setdefaulttimeout(3)),
    "opener": (
        lambda: urllib.request._opener,  # type: ignore[attr-defined]
        lambda: urllib.request.install_opener(urllib.request.build_opener()),
    ),
    "certificates": (
        lambda: ssl._create_default_https_context,
        lambda: setattr(ssl, "_create_default_https_context", ssl._create_unverified_context),
    ),
    "umask": (_umask, lambda: os.umask(0)),
    "random numbers": (random.getstate, lambda: random.seed(4)),
    "locale": (
        lambda: locale.setlocale(locale.LC_ALL),
        lambda: locale.setlocale(locale.LC_ALL, "C.UTF-8"),
    ),
}


@pytest.mark.parametrize("left", LEFT)
def test_what_a_client_leaves_is_put_back(left: str) -> None:
    """It is there while the client runs, and not afterwards."""
    look, leave = LEFT[left]
    before = look()
    with process_restored():
        inside = look()
        leave()
        assert look() != inside
    assert look() == before
