"""Asks a sandbox whether it is ready."""

import http.client
import ssl
import time
from urllib.parse import SplitResult

from pytest_turris.core.wire.base_url import split_base_url
from pytest_turris.process.tls_mistakes import tls_mistake

_TIMEOUT = 2.0
_PAUSE = 0.1
_READY = "/__sandbox__/ready"
_OK = 200


def why_not_ready(url: str, patience: float) -> str:
    """Return why no sandbox is ready at a URL, in one line; empty if one is.

    Args:
        url: Its base URL.
        patience: For how many seconds to ask again if none is ready.
    """
    address = split_base_url(url)
    if address is None:
        return f"{url!r} is not a URL such as http://127.0.0.1:8791"
    end = time.monotonic() + patience
    while (why := _asked(address)) and time.monotonic() < end:
        time.sleep(_PAUSE)
    return f"{url} is not ready: {why}" if why else ""


def _asked(address: SplitResult) -> str:
    connection = _connection(address)
    try:
        connection.request("GET", _READY, headers={"Connection": "close"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return tls_mistake(error, address.geturl()) or str(error) or type(error).__name__
    finally:
        connection.close()
    return "" if status == _OK else f"it answers with {status}"


def _connection(address: SplitResult) -> http.client.HTTPConnection:
    host, port = address.hostname or "", address.port
    if address.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    # Certificates are not verified: nothing secret is sent, and a health check has no certificate
    # authority.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT, context=context)
