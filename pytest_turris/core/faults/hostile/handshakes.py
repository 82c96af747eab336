"""Servers that no request should reach: their certificates, or their TLS, are not fit.

No door can give these: ``clients/handshakes.py`` makes a listener for each.
"""

from pytest_turris.core.faults.hostile.answer import HostileAnswer, Variant

SELF_SIGNED = "self-signed"
"""The one that is refused whomever the client trusts."""

NAMES = (SELF_SIGNED, "expired", "not yet valid", "another name", "TLS 1.0")

ANSWERS = (
    HostileAnswer(
        id="AR-36", title="a certificate that does not hold, or TLS 1.0",
        expects="no request is sent", source="RFC 9110, 4.3.4; RFC 8996",
        variants=tuple(
            Variant(name=name, where="handshake", make=lambda o: o.honest()) for name in NAMES
        ),
    ),
)  # fmt: skip
