"""A server that sends one answer, whatever it is asked."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def answering(answer: bytes, *, is_reset: bool = False) -> Iterator[str]:
    """Send these bytes to the first client, and hang up or reset; yield the URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(65_536)
                client.sendall(answer)
                if is_reset:
                    linger = struct.pack("ii", 1, 0)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)
