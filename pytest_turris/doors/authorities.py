"""The certificate authorities that other processes trust: what they trust so far, and one more."""

import contextlib
import hashlib
import os
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

from pytest_turris.doors.environment import TRUST

_REPLACING = tuple(name for name in TRUST if name != "NODE_EXTRA_CA_CERTS")
"""The variables whose file replaces what a program trusts otherwise; Node's adds to it."""


def trusted(authority: bytes) -> bytes:
    """Certificates in PEM: what programs trust so far, and one more authority.

    A program that is given a file of them trusts those in it alone. So what the variables of
    ``TRUST`` name is in it too, and if one is not set, what the system trusts, or else what httpx
    and requests bring.
    """
    known = list(_read(map(os.environ.get, TRUST)))
    if not all(map(os.environ.get, _REPLACING)):
        known += list(_read(_of_system())) or _read(_of_libraries())
    return b"".join(known) + authority


def trusted_file(directory: Path, authority: bytes) -> Path:
    """Write ``trusted(authority)`` to a file of a directory, and return its path."""
    text = trusted(authority)
    path = directory / f"trusted-{hashlib.sha256(text).hexdigest()[:16]}.pem"
    if not path.exists():
        # Complete or not at all: other threads may ask for it.
        with NamedTemporaryFile(dir=directory, delete=False) as file:
            file.write(text)
        Path(file.name).replace(path)
    return path


def _of_system() -> Iterator[str | None]:
    yield ssl.get_default_verify_paths().cafile


def _of_libraries() -> Iterator[str]:
    with contextlib.suppress(ImportError):
        import certifi  # noqa: PLC0415 - of httpx; only TLS needs it

        yield certifi.where()


def _read(paths: Iterable[str | None]) -> Iterator[bytes]:
    for path in dict.fromkeys(filter(None, paths)):
        with contextlib.suppress(OSError):
            yield Path(path).read_bytes().rstrip(b"\n") + b"\n"
