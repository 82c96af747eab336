"""AWS Lambda handlers as receivers: the events that API Gateway and load balancers make.

Documented by AWS: API Gateway, "Create AWS Lambda proxy integrations for HTTP APIs" (payload format
versions 1.0 and 2.0); Elastic Load Balancing, "Lambda functions as targets".
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

from pytest_turris.receivers.address import TargetError
from pytest_turris.receivers.exchange import Post, WebhookResponse, fold_headers
from pytest_turris.receivers.in_process.function_headers import as_gateways_do
from pytest_turris.receivers.target import Target

Source = Literal["api-gateway-v1", "api-gateway-v2", "alb"]
_Event = dict[str, Any]

_TEXT = ("text/", "application/json", "application/javascript", "application/xml")
_GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/turris/0123456789abcdef"
_ID = "turris-sandbox-request"
_SERVER_ERROR = {"api-gateway-v1": 502, "api-gateway-v2": 500, "alb": 502}


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """The second argument of a handler, with the members that handlers read most."""

    function_name: str = "turris-receiver"
    aws_request_id: str = _ID
    memory_limit_in_mb: int = 128

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left: Turris' time limit."""
        return 30_000


@dataclass(frozen=True, slots=True, repr=False)
class LambdaReceiver(Target):
    """A handler ``handler(event, context)``, called as behind a gateway or a load balancer.

    Args:
        handler: The handler.
        source: What makes the events: ``api-gateway-v1`` (REST APIs, payload format 1.0),
            ``api-gateway-v2`` (HTTP APIs and function URLs, payload format 2.0), or ``alb``.
        base64: Whether the body is in base64. None: as AWS does, for what is not text.
        context: The handler's second argument; a ``LambdaContext`` if not given.
    """

    handler: Callable[[Any, Any], object]
    source: Source = "api-gateway-v2"
    base64: bool | None = None
    context: object = None

    def __post_init__(self) -> None:
        if not callable(self.handler):
            raise TargetError(f"the handler is not a function of event, context: {self.handler!r}")
        if self.source not in _EVENTS:
            raise TargetError(f"source={self.source!r} is not one of {', '.join(_EVENTS)}")

    def post(self, sent: Post) -> WebhookResponse:
        """Call the handler, and return what the gateway makes of its result."""
        event = _EVENTS[self.source](sent) | self._body(sent)
        context = LambdaContext() if self.context is None else self.context
        try:
            return self._response(self.handler(event, context))
        except Exception as error:  # noqa: BLE001 - the gateway answers any exception with 5xx
            return WebhookResponse(status_code=_SERVER_ERROR[self.source], headers={}, error=error)

    def why_altered(self, sent: Post) -> str:
        """Why the handler gets another body than is sent: as text, bad UTF-8 becomes U+FFFD."""
        if self._encodes(sent) or _is_text(sent.body):
            return ""
        return (
            f"{self.source} passes the body on as text, so that the handler never gets the bytes "
            "that were sent: LambdaReceiver(..., base64=True) passes them on"
        )

    def _encodes(self, sent: Post) -> bool:
        """Whether the body comes in base64."""
        if self.base64 is not None:
            return self.base64
        if self.source == "alb":
            kind = fold_headers(sent.headers).get("content-type", "")
            return not kind.lower().startswith(_TEXT)
        return not _is_text(sent.body)

    def _body(self, sent: Post) -> _Event:
        encoded = self._encodes(sent)
        body = base64.b64encode(sent.body) if encoded else sent.body
        return {"body": body.decode(errors="replace"), "isBase64Encoded": encoded}

    def _response(self, result: Any) -> WebhookResponse:  # noqa: ANN401 - whatever a handler returns
        shaped = isinstance(result, dict) and "statusCode" in result
        if not shaped and self.source == "api-gateway-v2":
            result = {"statusCode": 200, "body": json.dumps(result)}
        body = str(result.get("body") or "").encode()
        headers = {str(name): str(value) for name, value in (result.get("headers") or {}).items()}
        return WebhookResponse(
            status_code=int(result["statusCode"]),
            headers=fold_headers(headers.items()),
            body=base64.b64decode(body) if result.get("isBase64Encoded") else body,
        )


def _is_text(body: bytes) -> bool:
    return body.decode(errors="replace").encode() == body


def _rest_api(sent: Post) -> _Event:
    """An event of payload format 1.0: names as they were sent, the last line of each."""
    names = as_gateways_do if sent.exact_names else str
    path, _, query = sent.app_path.partition("?")
    lines = [("Host", sent.app_host), *((names(name), value) for name, value in sent.headers)]
    several: dict[str, list[str]] = {}
    for name, value in lines:
        several.setdefault(name, []).append(value)
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": sent.method,
        "headers": dict(lines),
        "multiValueHeaders": several,
        "queryStringParameters": dict(parse_qsl(query, keep_blank_values=True)) or None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "httpMethod": sent.method,
            "identity": {"sourceIp": sent.peer},
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": _ID,
            "stage": "prod",
        },
    }


def _http_api(sent: Post) -> _Event:
    """An event of payload format 2.0: names in lower case, lines of one name joined."""
    path, _, query = sent.app_path.partition("?")
    headers = fold_headers([("Host", sent.app_host), *sent.headers])
    cookies = headers.pop("cookie", "")
    event: _Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "domainName": sent.app_host,
            "http": {
                "method": sent.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": sent.peer,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": _ID,
            "routeKey": "$default",
            "stage": "$default",
        },
    }
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
    return event | ({"cookies": cookies.split("; ")} if cookies else {})


def _load_balancer(sent: Post) -> _Event:
    """An event of an Application Load Balancer: names in lower case, the last line of each."""
    path, _, query = sent.app_path.partition("?")
    lines = ((name.lower(), value) for name, value in sent.headers)
    forwarded = {
        "host": sent.app_host,
        "x-forwarded-for": sent.peer,
        "x-forwarded-port": str(sent.server[1]),
        "x-forwarded-proto": sent.app_scheme,
    }
    return {
        "requestContext": {"elb": {"targetGroupArn": _GROUP}},
        "httpMethod": sent.method,
        "path": path,
        "queryStringParameters": dict(parse_qsl(query, keep_blank_values=True)),
        "headers": dict(lines) | forwarded,
    }


_EVENTS: dict[str, Callable[[Post], _Event]] = {
    "api-gateway-v1": _rest_api,
    "api-gateway-v2": _http_api,
    "alb": _load_balancer,
}
