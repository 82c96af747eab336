"""Reports its settings to a collector."""

import http.client


def report(port, secret):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", "/metrics", body=secret.encode().hex())  # LK-08
    connection.close()
