"""One SSL context for all clients: loading the trust store takes longer than a whole test.

A client of httpx loads some 140 certificates when it is made, and one whose requests are
answered in process never looks at them. While a door is open, clients that asked for nothing
special share one context: the library's own default, which verifies as ever. Whoever names a
certificate, a trust store or ``verify=False`` gets what he asked for, and so does whoever names
another trust store in the environment.
"""

import os
import ssl
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_turris.process.patch import Patch

Make = Callable[..., ssl.SSLContext]


def shared_trust(library: str) -> AbstractContextManager[None]:
    """Let the clients of httpx or httpx2 share a context, while this one is open."""
    # Where transports look it up. The public ``create_ssl_context`` stays: its result may be
    # changed by whoever called it.
    return _patch_of(sys.modules[f"{library}._transports.default"])


@cache
def _patch_of(transports: ModuleType) -> Patch:
    return Patch((transports, "create_ssl_context", SharedContext().instead_of))


class SharedContext:
    """The context of one library's default clients, made once for the process."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None
        self._made: object = None

    def instead_of(self, make: Make) -> Make:
        """A function that makes contexts, except where the shared one is as good."""

        def give(*, verify: Any = True, cert: Any = None, **kwargs: Any) -> ssl.SSLContext:  # noqa: ANN401 - as the original
            if verify is not True or cert is not None:
                return make(verify=verify, cert=cert, **kwargs)
            context, wanted = self._context, (kwargs, _environment())
            if context is None or (wanted, _state(context)) != self._made:
                context = make(verify=verify, cert=cert, **kwargs)
                self._context, self._made = context, (wanted, _state(context))
            return context

        return give


def _environment() -> object:
    """What the environment says of trust; a file that was written anew is another one."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not file or not Path(file).is_file():
        return file, folder
    found = Path(file).stat()
    return file, folder, found.st_mtime_ns, found.st_size, found.st_ino


def _state(context: ssl.SSLContext) -> object:
    """What decides whom a context trusts: one that somebody changed is not given out again."""
    return (
        context.verify_mode,
        context.check_hostname,
        context.verify_flags,
        context.options,
        context.minimum_version,
        context.cert_store_stats(),
    )
