"""Answers of the API as data, or as an error of our own."""

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

MAX_BYTES = 8 * 1024 * 1024
HOUR = 3600.0
HEADER_SAFE = re.compile(r"[A-Za-z0-9._~+/=-]{16,8192}")


class TurrisError(Exception):
    """The root of what this library raises."""


class UnreadableAnswerError(TurrisError):
    """The answer is not what the documentation promises."""


class ConnectionLostError(TurrisError):
    """No answer came."""


class RefusedError(TurrisError):
    """The API refused; ``status`` says how."""

    def __init__(self, status: int, kind: str = "", request_id: str = "") -> None:
        super().__init__(f"Turris answered {status} {kind} (request {request_id or 'unknown'})")
        self.status = status


@dataclass(frozen=True)
class Grant:
    """A token and for how many seconds it is valid, counted from the request for it."""

    token: str = field(repr=False)
    seconds: float = HOUR


def data_of(status: int, body: bytes) -> Any:
    """The ``data`` of a success.

    Raises:
        RefusedError: The answer is an error.
        UnreadableAnswerError: The answer is not JSON of the documented shape.
    """
    if status not in {200, 201}:
        raise refusal(status, body)
    answer = _json(body)
    if not isinstance(answer, dict) or "data" not in answer:
        raise UnreadableAnswerError("the answer has no data")
    return answer["data"]


def grant_of(status: int, body: bytes) -> Grant:
    """The token of an answer to ``POST /v1/auth/jwt``; raises what ``data_of`` raises."""
    data = data_of(status, body)
    token = data.get("accessToken") if isinstance(data, dict) else None
    if not isinstance(token, str) or not HEADER_SAFE.fullmatch(token):
        raise UnreadableAnswerError("the answer has no usable accessToken")
    kind = data.get("tokenType", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise UnreadableAnswerError("the token is not a bearer token")
    return Grant(token, _seconds(data.get("expiresIn")))


def records_of(status: int, body: bytes) -> list[dict[str, Any]]:
    """The records of a list; raises what ``data_of`` raises."""
    data = data_of(status, body)
    if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
        raise UnreadableAnswerError("the answer is not a list of records")
    return data


def record_of(status: int, body: bytes, wanted: str) -> dict[str, Any]:
    """The agent with that id; raises what ``data_of`` raises."""
    data = data_of(status, body)
    agent = data.get("agent") if isinstance(data, dict) else None
    if not isinstance(agent, dict) or agent.get("_id") != wanted:
        raise UnreadableAnswerError("the answer is about another agent")
    return agent


def url_of(status: int, body: bytes) -> str:
    """The URL of an invitation; raises what ``data_of`` raises."""
    data = data_of(status, body)
    url = data.get("url") if isinstance(data, dict) else None
    if not isinstance(url, str):
        raise UnreadableAnswerError("the invitation has no url")
    return url


def refusal(status: int, body: bytes) -> RefusedError:
    """An error that shows nothing but words that we know to be harmless."""
    try:
        answer = _json(body)
    except UnreadableAnswerError:
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    return RefusedError(status, _word(answer.get("errorType")), _word(answer.get("requestId")))


def _word(value: object) -> str:
    return value if isinstance(value, str) and re.fullmatch(r"[a-z0-9_-]{1,60}", value) else ""


def _seconds(value: object) -> float:
    """What the answer says, if that makes sense; never more than the documented hour."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return HOUR
    if not math.isfinite(value) or value <= 0:
        return HOUR
    return min(float(value), HOUR)


def _constant(_name: str) -> NoReturn:
    raise ValueError


def _json(body: bytes) -> Any:
    if len(body) > MAX_BYTES:
        raise UnreadableAnswerError("the answer is too large")
    try:
        return json.loads(body.decode(), parse_constant=_constant)
    except (ValueError, RecursionError):
        raise UnreadableAnswerError("the answer is not JSON") from None
