"""Webhooks as raw bytes for a socket, so that attacks can change what a client would write."""

from pytest_turris.receivers.raw_socket import RawPost
from pytest_turris.webhooks.signed import SignedWebhook


def raw_post(
    webhook: SignedWebhook, host: str, path: str, *extra: bytes, length: int | None = None
) -> RawPost:
    """A webhook as a request with its length.

    Args:
        webhook: What is sent.
        host: The value of ``Host``.
        path: The request target.
        extra: Header lines to write after the webhook's own, without line breaks.
        length: The ``Content-Length``, in bytes; that of the body unless given.
    """
    size = len(webhook.body) if length is None else length
    lines = [f"{name}: {value}".encode("latin-1") for name, value in webhook.header_lines]
    return RawPost(
        lines=(
            f"POST {path} HTTP/1.1".encode(),
            f"Host: {host}".encode(),
            *lines,
            *extra,
            f"Content-Length: {size}".encode(),
            b"Connection: close",
        ),
        pieces=(webhook.body,),
    )


def raw_chunks(webhook: SignedWebhook, host: str, path: str, *pieces: bytes) -> RawPost:
    """A webhook as a request without its length: each piece of the body is a chunk."""
    made = raw_post(webhook, host, path)
    lines = [line for line in made.lines if not line.startswith(b"Content-Length")]
    chunks = tuple(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return RawPost(lines=(*lines, b"Transfer-Encoding: chunked"), pieces=chunks)
