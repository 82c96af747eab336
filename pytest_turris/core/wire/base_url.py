"""The base URL of a server, as a user gives it."""

from urllib.parse import SplitResult, urlsplit


def split_base_url(url: str) -> SplitResult | None:
    """The parts of a URL that a client can connect to; None for any other text.

    Args:
        url: What the user gave.
    """
    # Parsers leave these characters out, or a client fails later because of them.
    if not url.isprintable() or " " in url:
        return None
    try:
        address = urlsplit(url)
        host, _ = address.hostname or "", address.port
        host.encode("idna")  # as each socket does: it refuses a name with an empty part
    except ValueError:
        return None
    return address if address.scheme in ("http", "https") and host else None
