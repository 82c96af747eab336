"""What would prove a line where a sandbox serves: commands for a suite in any language."""

from collections.abc import Mapping
from types import MappingProxyType

_DRILL = "turris-sandbox audit drill {}  # then calls of your client, then: audit end-drill"
_LOG = 'turris-sandbox audit log "$(cat audit.log)"'
_HOSTS = (
    "turris-sandbox serve --tls --allow-host public.api.sandbox.turrisfi.com -- npm test  # with "
    "https:// and this host in the client's base URL, which resolves to 127.0.0.1"
)

SERVED_STEPS: Mapping[str, str] = MappingProxyType(
    {
        "SEC-01": "turris-sandbox scan frontend/dist",
        "SEC-03": _DRILL.format("rotation"),
        "SEC-04": _HOSTS,
        "SEC-06": "turris-sandbox clock advance 56m  # between two calls of your client",
        "SEC-07": "turris-sandbox serve -- npm test  # with any call of your client",
        "SEC-08": "turris-sandbox serve -- npm test  # with two calls of one client",
        "SEC-09": "turris-sandbox clock advance 56m  # between two calls of your client",
        "SEC-10": _HOSTS,
        "SEC-12": "turris-sandbox tokens revoke-all  # between two calls of your client",
        "SEC-13": "turris-sandbox attack URL --json verdicts.json, and then: "
        "turris-sandbox audit --verdicts verdicts.json",
        "SEC-15": "turris-sandbox serve -- npm test  # with any call of your client",
        "SEC-16": _LOG,
        "SEC-17": _DRILL.format("revocation"),
        "SEC-18": "turris-sandbox serve -- npm test  # with a call that sends data",
        "SEC-23": _DRILL.format("rate"),
        "SEC-24": _LOG,
    }
)
"""By the id of the line; where there is none, the step is that of a test run."""
