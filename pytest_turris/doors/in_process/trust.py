"""Shares one SSL context between clients: loading the trust store takes longer than a whole test.

A client of httpx loads some 140 certificates when it is made, and never reads them if its
requests are answered in process. While a door is open, clients with default settings share one
context: the library's own default, which verifies as usual. A client with a certificate, a trust
store or ``verify=False`` of its own gets a context of its own, and so does one whose environment
names another trust store.
"""

import os
import ssl
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from types import ModuleType
from typing import Any

from pytest_turris.process.patch import Patch

ContextFactory = Callable[..., ssl.SSLContext]


def shared_trust(library: str) -> AbstractContextManager[None]:
    """Let the clients of httpx or httpx2 share an SSL context while this context is open."""
    # Patched where transports look it up. The public ``create_ssl_context`` stays: its callers
    # may change the result.
    return _patch_of(sys.modules[f"{library}._transports.default"])


@cache
def _patch_of(transports: ModuleType) -> Patch:
    return Patch((transports, "create_ssl_context", SharedContext().wrap))


class SharedContext:
    """The context of one library's default clients, made once for the process."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None
        self._made: object = None

    def wrap(self, make: ContextFactory) -> ContextFactory:
        """A function that makes contexts, except where the shared one will do."""

        def create_ssl_context(*args: Any, **kwargs: Any) -> ssl.SSLContext:  # noqa: ANN401 - as the original
            own = kwargs.get("verify", True) is not True or kwargs.get("cert") is not None
            if args or own:
                return make(*args, **kwargs)
            context, wanted = self._context, (kwargs, _environment())
            if context is None or (wanted, _state(context)) != self._made:
                context = make(**kwargs)
                self._context, self._made = context, (wanted, _state(context))
            return context

        return create_ssl_context


def _environment() -> object:
    """The trust store that the environment names; a file that was rewritten is another one."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not file:
        return file, folder
    try:
        found = os.stat(file)  # noqa: PTH116 - each client asks, and ``Path`` takes as long again
    except OSError:
        return file, folder
    return file, folder, found.st_mtime_ns, found.st_size, found.st_ino


def _state(context: ssl.SSLContext) -> object:
    """What decides whom a context trusts: a changed context is no longer shared."""
    plain: Any = super(ssl.SSLContext, context)  # its numbers, not made into enums
    return (
        plain.verify_mode,
        context.check_hostname,
        plain.verify_flags,
        plain.options,
        plain.minimum_version,
        context.cert_store_stats(),
    )
