"""Calls an application in the same process; nothing leaves it."""

import httpx


def _answer(environ, start_response):
    start_response("204 No Content", [])
    return [b""]


def ask(secret):
    with httpx.Client(transport=httpx.WSGITransport(app=_answer)) as client:
        client.post("http://testserver/", json={"secret": secret})
