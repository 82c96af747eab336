"""The environment variables by which a client finds a sandbox: for tests, children and shells."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from pytest_turris.core.sandbox import Sandbox

TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Read by OpenSSL (Python, Ruby, Go, httpx, aiohttp), requests, curl and Node, in this order."""

NO_SERVER = "https://child-processes-need-the-fixture-turris-server.invalid"
"""The base URL that child processes find if there is no server: no name below ``.invalid`` is ever
resolved (RFC 6761, 6.4), and the error of a client shows what is missing."""


def client_environment(
    sandbox: Sandbox, base_url: str, ca_file: str | None = None
) -> dict[str, str]:
    """The variables with the base URL, the credentials, and for TLS the ``ca_file`` to trust."""
    options, client = sandbox.options, sandbox.client
    variables = {
        options.env_base_url: base_url,
        options.env_client_id: client.client_id,
        options.env_client_secret: str(client.client_secret),
        options.env_webhook_secret: str(sandbox.webhook_secret),
    }
    return variables | dict.fromkeys(TRUST, ca_file) if ca_file else variables


def no_proxy_for(environment: Mapping[str, str], base_url: str) -> dict[str, str]:
    """The variables that keep a client from using a proxy for ``base_url``.

    Args:
        environment: What is set already; its own exceptions are kept.
        base_url: The address of a sandbox.
    """
    names = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    known, host = [name.strip() for name in names.split(",")], urlsplit(base_url).hostname
    # An asterisk means all hosts only if it is the whole value.
    if known != ["*"] and host not in known:
        names = ",".join(filter(None, [names, host]))
    return {"no_proxy": names, "NO_PROXY": names}
