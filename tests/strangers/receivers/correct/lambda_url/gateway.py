"""Stands in for API Gateway: turns HTTP requests into events of format 2.0, 10 MB at most."""

import base64
import os

from handler import lambda_handler
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MAX_BYTES = 10 * 1024 * 1024


async def invoke(request: Request) -> Response:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            return Response(status_code=413)
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    try:
        text, encoded = body.decode("utf-8"), False
        if not request.headers.get("content-type", "").startswith(("text/", "application/json")):
            raise ValueError
    except ValueError:
        text, encoded = base64.b64encode(body).decode(), True
    event = {
        "version": "2.0",
        "routeKey": "POST /webhooks/turris",
        "rawPath": request.url.path,
        "rawQueryString": request.url.query,
        "headers": headers,
        "requestContext": {"http": {"method": request.method, "path": request.url.path}},
        "body": text,
        "isBase64Encoded": encoded,
    }
    result = lambda_handler(event, None)
    return Response(result["body"], result["statusCode"], result["headers"])


app = Starlette(routes=[Route("/webhooks/turris", invoke, methods=["POST"])])
if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="error")
