"""Writes: whether they are repeated, with which key, how many a minute."""

import datetime as dt
import uuid
from contextlib import AbstractContextManager

from pytest_turris.conformance.driver import Flow, Make
from pytest_turris.conformance.harness import Lab
from pytest_turris.conformance.probes.registry import probe
from pytest_turris.conformance.recorded_request import Sighting
from pytest_turris.core.durations import moment
from pytest_turris.core.faults.hostile.answer import AnswerContext, error
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.middleware.limits import WINDOW
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Request, Response

_VERSION = 4
_KEYS = 10
_TRIES = 5


@probe("TC-39")
def unknown_outcome(lab: Lab) -> Flow[None]:
    """A write takes effect, but its answer is lost, or is a 502."""
    yield from lab.warm()
    for how in ("the connection broke", "a 502 came"):
        mark = len(lab.sightings)
        with _answer_lost(lab, broken=how.startswith("the")):
            yield from lab.writes()
        sent = _sent(lab, mark)
        again = [s for s in sent[1:] if not s.key or s.key != sent[0].key]
        how_again = "with another" if again and again[0].key else "without an"
        lab.require(
            not again,
            f"after {how} a write was sent again {how_again} idempotency key: it may have "
            "happened twice",
        )


@probe("TC-46")
def same_bytes(lab: Lab) -> Flow[None]:
    """A write takes effect, its answer is lost, and it is sent again."""
    yield from lab.warm()
    mark = len(lab.sightings)
    with _answer_lost(lab, broken=True):
        yield from lab.writes()
    first, *again = _sent(lab, mark)
    if not again:
        return
    for seen in again:
        lab.require(seen.request.body == first.request.body, "the retry had another body")
        lab.require(seen.key == first.key, "the retry had another idempotency key")


@probe("TC-40")
def throttle(lab: Lab) -> Flow[None]:
    """More writes in a row than a minute allows."""
    yield from lab.warm()
    limit = lab.sandbox.options.writes_per_minute
    yield from lab.writes(limit + limit // 4)
    times = [s.at for s in _sent(lab, 0)]
    most = max(sum(start <= at < start + WINDOW for at in times) for start in times)
    lab.require(most <= limit, f"{most} writes were sent within a minute; {limit} are allowed")


@probe("TC-47")
def new_key_each(lab: Lab) -> Flow[None]:
    """Several writes, each an operation of its own."""
    keys = yield from _keys(lab, 3)
    lab.require(len(set(keys)) == len(keys), f"{len(keys)} operations shared an idempotency key")


@probe("TC-48")
def random_key(lab: Lab) -> Flow[None]:
    """The form of the keys."""
    keys = yield from _keys(lab, _KEYS)
    for key in keys:
        try:
            value = uuid.UUID(key.strip('"'))
        except ValueError:
            lab.require(condition=False, words="an idempotency key is no UUID")
            return
        lab.require(
            value.version == _VERSION, f"an idempotency key is a UUID of version {value.version}"
        )
        lab.require(str(value) == key.strip('"'), "an idempotency key is not in canonical form")


@probe("TC-49")
def not_after_its_hour(lab: Lab) -> Flow[None]:
    """The API is unavailable for longer than a key is kept, and says so."""
    yield from lab.warm()
    later = lab.sandbox.options.idempotency_ttl + dt.timedelta(minutes=2)
    mark = len(lab.sightings)
    headers = {"Retry-After": str(int(later.total_seconds()))}
    with lab.fault("*", status=503, headers=headers):
        yield from lab.writes()
    sent = _with_keys(lab, mark)
    for seen in sent:
        old = seen.at - sent[0].at
        late = old > lab.sandbox.options.idempotency_ttl and seen.key == sent[0].key
        lab.require(
            not late, f"an idempotency key was used again {moment(old)} after its first use"
        )


@probe("TC-50")
def key_cache_lost(lab: Lab) -> Flow[None]:
    """A write takes effect, its answer is lost, and Turris loses its keys, as by a restart."""
    yield from lab.warm()
    mark, effects = len(lab.sightings), 0

    def lose(request: Request, handle: Handle) -> Response:
        nonlocal effects
        response = handle(request)
        if not lab.sightings[-1].is_write or response.status >= 300:  # noqa: PLR2004 - RFC 9110
            return response
        effects += 1
        if effects > 1:
            return response
        lab.sandbox.idempotency.forget()
        raise ConnectionFailure("reset")

    with lab.intercepting(lose):
        yield from lab.writes()
    _sent(lab, mark)
    lab.require(
        effects <= 1,
        f"a write took effect {effects} times: it was sent again without a look at what is there, "
        "and Turris had forgotten its key",
    )


@probe("TC-51")
def one_header(lab: Lab) -> Flow[None]:
    """How the key is sent."""
    yield from _keys(lab, 1)
    for seen in _sent(lab, 0):
        request = seen.request
        both = request.header("idempotency-key") and request.header("x-idempotency-key")
        lab.require(not both, "both idempotency-key and x-idempotency-key were sent")
        lab.require('"' not in seen.key, "the idempotency key was sent in quotes")


@probe("TC-52")
def conflict(lab: Lab) -> Flow[None]:
    """409 and 422 answer a write with a key."""
    yield from lab.warm()
    for status in (409, 422):
        mark = len(lab.sightings)
        with lab.fault("*", status=status, times=None):
            yield from lab.writes()
        sent = _with_keys(lab, mark)
        lab.require(len(sent) <= _TRIES, f"a {status} on a key was tried {len(sent)} times")
        keys = {seen.key for seen in sent}
        lab.require(len(keys) == 1, f"a {status} on a key made the client try another key")


@probe("TC-53")
def double_click(lab: Lab) -> Flow[None]:
    """One operation is begun, and its call is made twice at once."""
    yield from lab.warm()
    call = yield from lab.begun()
    mark = len(lab.sightings)
    yield Make((call, call), at_once=True)
    sent = _sent(lab, mark)
    keys = {seen.key for seen in sent}
    lab.require(
        len(sent) == 1 or (len(keys) == 1 and "" not in keys),
        f"one operation, called twice at once, was sent {len(sent)} times with "
        f"{len(keys - {''})} idempotency keys; one key makes it one",
    )


def _keys(lab: Lab, writes: int) -> Flow[list[str]]:
    yield from lab.warm()
    mark = len(lab.sightings)
    yield from lab.writes(writes)
    return [seen.key for seen in _with_keys(lab, mark)]


def _sent(lab: Lab, mark: int) -> list[Sighting]:
    sent = [seen for seen in lab.since(mark) if seen.is_write]
    if not sent:
        lab.unobserved("the write sent no POST, PUT, PATCH or DELETE")
    return sent


def _with_keys(lab: Lab, mark: int) -> list[Sighting]:
    sent = [seen for seen in _sent(lab, mark) if seen.key]
    if not sent:
        lab.unobserved("the write carries no idempotency key")
    return sent


def _answer_lost(lab: Lab, *, broken: bool) -> AbstractContextManager[None]:
    lost = False

    def lose(request: Request, handle: Handle) -> Response:
        nonlocal lost
        response = handle(request)
        if request.method != "POST" or request.path.startswith("/v1/auth/") or lost:
            return response
        lost = True
        if broken:
            raise ConnectionFailure("reset")
        return error(502)(AnswerContext(request, lab.time.now, lambda: response))

    return lab.intercepting(lose)
