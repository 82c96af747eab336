"""A receiver with Flask."""

from flask import Flask, Response, request
from turris_inbox import MAX_BODY, Inbox


def create_app(inbox: Inbox) -> Flask:
    app = Flask(__name__)
    app.url_map.merge_slashes = False

    @app.post("/webhooks")
    def receive() -> Response:
        # WSGI joins repeated headers with a comma; the comparison refuses the result.
        body = request.stream.read(MAX_BODY + 1)
        return Response(status=inbox.receive(request.headers.items(), body))

    return app
