"""Sends a client to servers that it must refuse: one for each bad certificate, and TLS 1.0."""

import datetime as dt
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.core.faults.hostile.handshakes import SELF_SIGNED
from pytest_turris.core.text.plurals import counted

_HOST = "localhost"
_GOOD = "a good certificate"
_OLD = "TLS 1.0"
_TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
# Of the system's time: no time travel reaches the TLS library.
_PAST = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
_FUTURE = dt.datetime(2900, 1, 1, tzinfo=dt.UTC)


def offer_bad_certificates(harness: ClientHarness, names: list[str]) -> ProbeSteps[None]:
    """Send a new client to each server; its trust store has the authorities of all servers but one.

    Otherwise the client would refuse every certificate because of its issuer, and the other faults
    would not be tested.
    """
    authority = trustme.CA()
    trusted = yield from _reached(harness, authority, _GOOD)
    for name in names:
        if name == _OLD and not ssl.HAS_TLSv1:
            continue  # this TLS library cannot speak it
        reached = yield from _reached(harness, authority, name)
        harness.require(not reached, f"AR-36/{name}: the server got {counted(reached, 'request')}")
    if not trusted:
        harness.not_applicable(
            f"the client refuses a {SELF_SIGNED} certificate; to see the rest, let new_client "
            f"trust the authority that {' and '.join(_TRUST)} name"
        )


def _reached(harness: ClientHarness, authority: trustme.CA, name: str) -> ProbeSteps[int]:
    mark = len(harness.requests)
    with (
        _trusted(harness, authority),
        harness.elsewhere.listening(_context(authority, name)) as port,
        harness.environment(base_url=f"https://{_HOST}:{port}"),
    ):
        yield from harness.new_client()
    return len(harness.sent_elsewhere(mark, f"https://{_HOST}:{port}"))


@contextmanager
def _trusted(harness: ClientHarness, authority: trustme.CA) -> Iterator[None]:
    with harness.directory() as directory:
        path = Path(directory) / "authority.pem"
        authority.cert_pem.write_to_path(path)
        with harness.environment(**dict.fromkeys(_TRUST, str(path))):
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
