"""The way to a sandbox by the names of environment variables: for tests, children and shells."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from pytest_turris.core.sandbox import Sandbox

TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Who reads them: OpenSSL (Python, Ruby, Go, httpx, aiohttp), requests, curl, Node."""


def client_environment(
    sandbox: Sandbox, base_url: str, ca_file: str | None = None
) -> dict[str, str]:
    """Where the sandbox is, its credentials, and whom to trust if it speaks TLS."""
    options, client = sandbox.options, sandbox.client
    variables = {
        options.env_base_url: base_url,
        options.env_client_id: client.client_id,
        options.env_client_secret: str(client.client_secret),
        options.env_webhook_secret: str(sandbox.webhook_secret),
    }
    return variables | dict.fromkeys(TRUST, ca_file) if ca_file else variables


def no_proxy_for(environment: Mapping[str, str], base_url: str) -> dict[str, str]:
    """What keeps a client from asking the developer's proxy for a sandbox' address."""
    names = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    # An asterisk means all hosts only where it stands alone.
    if names.strip() != "*":
        names = ",".join(filter(None, [names, urlsplit(base_url).hostname]))
    return {"no_proxy": names, "NO_PROXY": names}
