"""A receiver with aiohttp."""

from aiohttp import web
from turris_inbox import MAX_BODY, Inbox


def create_app(inbox: Inbox) -> web.Application:
    async def receive(request: web.Request) -> web.Response:
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > MAX_BODY:
                return web.Response(status=413)
        return web.Response(status=inbox.receive(request.headers.items(), bytes(body)))

    app = web.Application()
    app.router.add_post("/webhooks", receive)
    return app
