"""The socket of a test: that of ``--turris-url``, else one of the session's own servers."""

import contextlib
import os
from collections.abc import Iterator

import pytest

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.live_fixture import Server, ServerPool

_POOL = pytest.StashKey[ServerPool]()


@contextlib.contextmanager
def serving(node: pytest.Item, sandbox: Sandbox) -> Iterator[Server]:
    """Let the sandbox of a test answer on a socket, while the context is open."""
    __tracebackhide__ = True
    with _answering(node, sandbox) as server:
        # What was there before comes back with all else that the sandbox set.
        os.environ[sandbox.options.env_base_url] = server.base_url
        yield server


def _answering(node: pytest.Item, sandbox: Sandbox) -> contextlib.AbstractContextManager[Server]:
    __tracebackhide__ = True
    url = node.config.getoption("--turris-url")
    if url is None:
        return _pool_of(node.session).serve(sandbox)
    from pytest_turris.shared_server import shared_server  # noqa: PLC0415 - only where it is named

    return shared_server(node.config, url).serve(sandbox)


def _pool_of(session: pytest.Session) -> ServerPool:
    """Started when first needed, stopped when the session ends."""
    pool = session.stash.get(_POOL, None)
    if pool is None:
        pool = session.stash[_POOL] = ServerPool()
        session.addfinalizer(pool.stop)
    return pool
