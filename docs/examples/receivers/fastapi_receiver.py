"""A receiver with FastAPI."""

from fastapi import FastAPI, Request, Response
from turris_inbox import MAX_BODY, Inbox


def create_app(inbox: Inbox) -> FastAPI:
    app = FastAPI(openapi_url=None, redirect_slashes=False)

    @app.post("/webhooks")
    async def receive(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return Response(status_code=413)
        lines = [(name.decode(), value.decode("latin-1")) for name, value in request.headers.raw]
        return Response(status_code=inbox.receive(lines, bytes(body)))

    return app
