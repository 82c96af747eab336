"""What a tenant's answers show, question by question.

Each function returns the value of an option, or whether the sandbox is right; None if the answers
do not show it.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from mock_server.drift.asking import (
    NEWER_CATEGORY,
    NO_ID,
    UNKNOWN_ID,
    UNKNOWN_PARAMETER,
    UNKNOWN_PATH,
)
from mock_server.drift.seen import SeenExchange, SeenExchanges
from pytest_turris.core.options import Options

_LIKE_AN_ID = re.compile(r"[0-9a-f]{12,}|[0-9]{6,}", re.IGNORECASE)
_REQUEST_ID = re.compile(r"dev-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NEAR = 0.2
_OK, _BAD_REQUEST, _UNAUTHORIZED, _NOT_FOUND = 200, 400, 401, 404
KNOWN_401 = ("Authentication token not provided", "Invalid or expired token")
_ERROR_MEMBERS = ["statusCode", "requestId", "errorType", "errorMessage", "timestamp"]

HIDDEN = "(not shown: it may name the tenant)"


def envelope(seen: SeenExchanges) -> str | None:
    """Return which of the documented envelopes most answers have."""
    found: Counter[str] = Counter()
    for operation, exchange in seen.answers:
        if not operation.enveloped or operation.bare_if or not isinstance(exchange.json, dict):
            continue
        members = exchange.json.keys()
        if "data" not in members:
            found["top_level"] += 1
        elif "statusCode" in members:
            with_id = "requestId" in members
            found["data_with_status" if with_id else "status_without_request_id"] += 1
        elif operation.many:
            found["data"] += 0  # lists stay under `data` in every envelope
        else:
            found["data"] += 1
    return found.most_common(1)[0][0] if found else None


def optional_members(seen: SeenExchanges) -> str | None:
    """Whether optional members are ``null`` or left out."""
    missing = False
    for operation, exchange in seen.answers:
        if operation.answer is None:
            continue
        optional = {
            str(field.alias)
            for name, field in operation.answer.model_fields.items()
            if not field.is_required()
            and name not in operation.answer.internal_fields | operation.answer.never_null
        }
        for record in _records(exchange.data):
            if any(record.get(name, "") is None for name in optional):
                return "null"
            missing |= bool(optional - record.keys())
    return "omitted" if missing else None


def token_ttl(seen: SeenExchanges) -> dt.timedelta | None:
    """How long a token is valid, as its answer or its claims say."""
    data = seen.token_answer.data if seen.token_answer else None
    seconds = data.get("expiresIn") if isinstance(data, dict) else None
    claims = seen.token_parts[1]
    if not isinstance(seconds, int) and {"exp", "iat"} <= claims.keys():
        seconds = claims["exp"] - claims["iat"]
    return dt.timedelta(seconds=seconds) if isinstance(seconds, int) else None


def token_claims(seen: SeenExchanges) -> bool | None:
    """Whether the token has the claims and the key id that the sandbox's have."""
    header, claims = seen.token_parts
    if not claims:
        return None
    return "kid" in header and {"iss", "sub", "aud", "iat", "exp", "jti", "env"} <= claims.keys()


def token_algorithm(seen: SeenExchanges) -> bool | None:
    """Whether the token is signed with RS256 and says that it is a JWT."""
    header = seen.token_parts[0]
    return (header.get("alg"), header.get("typ")) == ("RS256", "JWT") if header else None


def key_in_jwks(seen: SeenExchanges) -> bool | None:
    """Whether the key of the token is in the JWK Set."""
    asked = seen.of("jwks", succeeded=False)
    if not asked or not seen.token_parts[0]:
        return None
    document = asked[-1].json
    found = document.get("keys") if isinstance(document, dict) and asked[-1].succeeded else None
    keys = [key for key in found or () if isinstance(key, dict)]
    return seen.token_parts[0].get("kid") in [key.get("kid") for key in keys]


def claim(name: str) -> Callable[[SeenExchanges], str | None]:
    """A question for the value of a claim; a value that looks like an id is not shown."""

    def ask(seen: SeenExchanges) -> str | None:
        value = seen.token_parts[1].get(name)
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else None
        if not isinstance(value, str):
            return None
        subject = str(seen.token_parts[1].get("sub", "")) or HIDDEN
        return HIDDEN if _LIKE_AN_ID.search(value) or subject in value else value

    return ask


def rate_headers(seen: SeenExchanges) -> str | None:
    """Whether the first token request, far from the limit, has rate headers."""
    answer = seen.token_answer
    if answer is None:
        return None
    limit, left = (answer.headers.get(f"x-ratelimit-{name}") for name in ("limit", "remaining"))
    if limit is None or left is None:
        return "near"
    near = not (limit.isdigit() and left.isdigit()) or int(left) <= int(limit) * _NEAR
    return None if near else "always"


def token_limit(seen: SeenExchanges) -> int | None:
    """How many token requests a minute the rate headers name."""
    answers = seen.of("get_oauth_token", succeeded=False)
    limits = [one.headers.get("x-ratelimit-limit", "") for one in answers]
    return next((int(limit) for limit in limits if limit.isdigit()), None)


def retry_after(seen: SeenExchanges) -> bool | None:
    """Whether a 429 says when to come back."""
    found = ["retry-after" in one.headers for one in seen.exchanges if one.status == 429]  # noqa: PLR2004 - its name
    return any(found) if found else None


def unknown_parameter(seen: SeenExchanges) -> str | None:
    """Whether a parameter that does not exist is refused."""
    asked = [one for one in seen.exchanges if UNKNOWN_PARAMETER in one.query]
    return _by_status(asked, {_OK: "ignored", _BAD_REQUEST: "refused"})


def document_categories(seen: SeenExchanges) -> str | None:
    """Whether one of the newer document categories exists."""
    asked = [
        one
        for one in seen.of("list_documents", succeeded=False)
        if one.query.get("category") == NEWER_CATEGORY
    ]
    return _by_status(asked, {_OK: "newer", _BAD_REQUEST: "older"})


def compliance_states(seen: SeenExchanges) -> str | None:
    """Return the members of a state in a compliance answer."""
    for name in ("get_agent_compliance", "get_association_compliance"):
        for exchange in seen.of(name):
            states = exchange.data.get("states") if isinstance(exchange.data, dict) else None
            for state in _records(states):
                members = {name for name, value in state.items() if value is not None}
                return "state_code" if members == {"stateCode"} else "with_status"
    return None


def appointment_status(seen: SeenExchanges) -> str | None:
    """Which word current appointments have."""
    for name in ("list_agent_appointments", "list_association_appointments"):
        for exchange in seen.of(name):
            for record in _records(exchange.data):
                if record.get("status") in ("active", "appointed"):
                    return str(record["status"])
    return None


def upload_envelope(seen: SeenExchanges) -> str | None:
    """Whether the status of an upload has an envelope."""
    for exchange in seen.of("get_upload_status"):
        if isinstance(exchange.json, dict):
            return "bare" if "requestId" not in exchange.json else "standard"
    return None


def webhooks_path(seen: SeenExchanges) -> str | None:
    """Whether webhooks are listed where the sandbox lists them; another path cannot be guessed."""
    default = Options().webhooks_path
    asked = [one for one in seen.exchanges if one.path == default and one.method == "GET"]
    return _by_status(asked, {_OK: default, _NOT_FOUND: HIDDEN})


def plain_http(seen: SeenExchanges) -> bool | None:
    """Whether ``http://`` is answered; it is never asked, but a recording may have it."""
    asked = [one for one in seen.exchanges if urlsplit(one.url).scheme == "http"]
    local = [urlsplit(one.url).hostname in ("127.0.0.1", "::1", "localhost") for one in asked]
    return any(one.succeeded for one in asked) if asked and not any(local) else None


def refusal_messages(status: int, *expected: str) -> Callable[[SeenExchanges], bool | None]:
    """A question for the messages of a refusal."""

    def ask(seen: SeenExchanges) -> bool | None:
        found = [message for one in seen.refusals(status) for message in _messages(one)]
        return all(message in expected for message in found) if found else None

    return ask


def error_members(seen: SeenExchanges) -> bool | None:
    """Whether errors have the documented members, in the documented order."""
    found = [list(one) for status in (400, 401, 403, 404, 429) for one in seen.refusals(status)]
    return all(members == _ERROR_MEMBERS for members in found) if found else None


def request_ids(seen: SeenExchanges) -> bool | None:
    """Whether request ids have the form of the examples."""
    documents = [one.json for one in seen.exchanges if isinstance(one.json, dict)]
    found = [str(one["requestId"]) for one in documents if "requestId" in one]
    return all(_REQUEST_ID.fullmatch(one) for one in found) if found else None


def unknown_path(seen: SeenExchanges) -> bool | None:
    """Whether an unknown path is a 404."""
    asked = [one for one in seen.exchanges if one.path == UNKNOWN_PATH]
    return all(one.status == _NOT_FOUND for one in asked) if asked else None


def unknown_id(seen: SeenExchanges) -> bool | None:
    """Whether the agent of an id that no record has is a 404."""
    asked = [one for one in seen.exchanges if one.path == f"/v1/agents/{UNKNOWN_ID}"]
    return all(one.status == _NOT_FOUND for one in asked) if asked else None


def malformed_id(seen: SeenExchanges) -> str | None:
    """Return the answer to a malformed id."""
    asked = [one for one in seen.exchanges if one.path == f"/v1/agents/{NO_ID}"]
    return _by_status(asked, {_NOT_FOUND: "not_found", _BAD_REQUEST: "invalid_input"})


def unknown_fein(seen: SeenExchanges) -> str | None:
    """Return the answer to the FEIN of no agency."""
    asked = seen.of("list_surplus_lines", succeeded=False)
    return _by_status(asked, {_NOT_FOUND: "not_found", _OK: "empty"})


def deleted(operation: str) -> Callable[[SeenExchanges], str | None]:
    """A question whether a list has deleted records; a list without any shows nothing."""

    def ask(seen: SeenExchanges) -> str | None:
        records = [record for one in seen.of(operation) for record in _records(one.data)]
        return "listed" if any(record.get("isDeleted") is True for record in records) else None

    return ask


def bare_message(seen: SeenExchanges) -> bool | None:
    """Whether the test of a token answers with a message alone."""
    asked = seen.of("test_oauth")
    documents = [one.json for one in asked if isinstance(one.json, dict)]
    return all(set(one) == {"message"} for one in documents) if documents else None


def _by_status(asked: list[SeenExchange], values: dict[int, str]) -> str | None:
    return next((values[one.status] for one in asked if one.status in values), None)


def _messages(document: dict[str, Any]) -> list[str]:
    found = document.get("errorMessage")
    return [str(one) for one in found] if isinstance(found, list) else [str(found)]


def _records(data: object) -> Iterator[dict[str, Any]]:
    for record in data if isinstance(data, list) else [data]:
        if isinstance(record, dict):
            yield record
