"""Doors to HTTP client libraries in this process: httpx, httpx2 and requests."""
