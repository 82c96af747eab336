"""Servers that no request should reach: one listener for each certificate that does not hold."""

import datetime as dt
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from pytest_turris.conformance.driver import Flow
from pytest_turris.conformance.harness import Lab
from pytest_turris.core.faults.hostile.handshakes import SELF_SIGNED

_HOST = "localhost"
_GOOD = "a good certificate"
_OLD = "TLS 1.0"
_TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
# Of the machine's time: no time travel reaches the TLS library.
_PAST = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
_FUTURE = dt.datetime(2900, 1, 1, tzinfo=dt.UTC)


def handshakes(lab: Lab, names: list[str]) -> Flow[None]:
    """Lead a new client to each server; its trust store holds the authority of all but one.

    Without that, every certificate is refused for its issuer, and nothing is seen of the rest.
    """
    authority = trustme.CA()
    trusted = yield from _reaches(lab, authority, _GOOD)
    for name in names:
        if name == _OLD and not ssl.HAS_TLSv1:
            continue  # a TLS library without it cannot speak it with anybody
        reached = yield from _reaches(lab, authority, name)
        lab.require(not reached, f"AR-36/{name}: {reached} requests were sent to the server")
    if not trusted:
        lab.unobserved(
            f"the client refuses what is {SELF_SIGNED}; to see the rest, let new_client trust "
            f"the authority that {' and '.join(_TRUST)} name"
        )


def _reaches(lab: Lab, authority: trustme.CA, name: str) -> Flow[int]:
    mark = len(lab.sightings)
    with (
        _trusted(lab, authority),
        lab.foreign.listening(_context(authority, name)) as port,
        lab.environment(base_url=f"https://{_HOST}:{port}"),
    ):
        yield from lab.fresh()
    return len(lab.arrived(mark, f"https://{_HOST}:{port}"))


@contextmanager
def _trusted(lab: Lab, authority: trustme.CA) -> Iterator[None]:
    with lab.directory() as directory:
        path = Path(directory) / "authority.pem"
        authority.cert_pem.write_to_path(path)
        with lab.environment(**dict.fromkeys(_TRUST, str(path))):
            yield


def _context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if name == SELF_SIGNED:
        authority = trustme.CA()
    host = "another.invalid" if name == "another name" else _HOST
    leaf = authority.issue_cert(
        host,
        not_before=_FUTURE if name == "not yet valid" else None,
        not_after=_PAST if name == "expired" else None,
    )
    leaf.configure_cert(context)
    if name == _OLD:
        _make_old(context)
    return context


def _make_old(context: ssl.SSLContext) -> None:
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
