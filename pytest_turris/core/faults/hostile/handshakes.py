"""Servers to which a client must not send a request: a bad certificate, or an old TLS version.

No door can offer these; ``conformance/hostile/bad_certificates.py`` opens a listener for each.
"""

from pytest_turris.core.faults.hostile.answer import HostileAnswer, Variant

SELF_SIGNED = "self-signed"
"""The certificate that no client should accept, whatever it trusts."""

NAMES = (SELF_SIGNED, "expired", "not yet valid", "another name", "TLS 1.0")

ANSWERS = (
    HostileAnswer(
        id="AR-36", title="an invalid certificate, or TLS 1.0",
        expects="no request is sent", source="RFC 9110, 4.3.4; RFC 8996",
        variants=tuple(
            Variant(name=name, endpoint="handshake", make=lambda context: context.honest())
            for name in NAMES
        ),
    ),
)  # fmt: skip
