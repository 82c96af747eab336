"""A token endpoint that speaks RFC 6749, in front of the sandbox: for libraries as they are."""

import base64
import json
from dataclasses import replace
from urllib.parse import parse_qs, unquote

from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.messages import Request, Response

_NAMES = {"accessToken": "access_token", "expiresIn": "expires_in", "tokenType": "token_type"}


def rfc6749(handle: Handle) -> Handle:
    """Form-encoded token requests are answered in the words of RFC 6749, 5.1 and 5.2."""

    def answer(request: Request) -> Response:
        form = parse_qs(request.body.decode("utf-8", "replace"))
        if not request.is_token_request or "grant_type" not in form:
            return handle(request)
        return _standard(handle(_as_turris_wants_it(request, form)))

    return answer


def _as_turris_wants_it(request: Request, form: dict[str, list[str]]) -> Request:
    client_id, secret = form.get("client_id", [""])[0], form.get("client_secret", [""])[0]
    scheme, _, basic = request.header("authorization").partition(" ")
    if scheme.lower() == "basic":
        pair = base64.b64decode(basic).decode("utf-8", "replace").partition(":")
        client_id, secret = unquote(pair[0]), unquote(pair[2])
    body = json.dumps({"clientId": client_id, "clientSecret": secret}).encode()
    changed = ("authorization", "content-type", "content-length")
    kept = [field for field in request.headers if field[0] not in changed]
    more = [("content-type", "application/json"), ("content-length", str(len(body)))]
    return replace(request, headers=(*kept, *more), body=body)


def _standard(response: Response) -> Response:
    try:
        document = json.loads(response.body)
        data = document["data"] if response.status < 400 else None
    except (ValueError, LookupError, AttributeError, TypeError):
        return response
    if data is None:
        # A fixed description: what else a library shows of the answer would be our doing.
        answer = {"error": "invalid_client", "error_description": "Invalid client credentials"}
        return replace(response, body=json.dumps(answer).encode())
    answer = {_NAMES.get(name, name): value for name, value in data.items()}
    return replace(response, status=200, body=json.dumps(answer).encode())
