"""How to reach a webhook receiver: URL, ASGI, WSGI, test client or function."""
