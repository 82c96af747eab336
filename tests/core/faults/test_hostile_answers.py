"""Every hostile answer: it can be made, it is bounded, and it is found by its name."""

import datetime as dt
from collections.abc import Iterator

import pytest
from doubles.sandbox_client import NOW, Client

from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.faults.fault import FaultError
from pytest_turris.core.faults.hostile.answer import AnswerContext, HostileAnswer, Variant
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE, find_answer
from pytest_turris.core.faults.hostile.raw import MAX_RAW_BYTES, RawAnswer, as_bytes
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import JSON_HEADERS, Request, Response, encode

RECORD = "5f9f1b9b9b9b9b9b9b9b9b9b"
NAMES = [
    f"{answer.id}/{variant.name}" for answer in CATALOGUE.values() for variant in answer.variants
]


def honest() -> Response:
    """An answer with a token and a record, and with the rate limit's headers."""
    document = {
        "data": {"accessToken": "abc", "id": RECORD},
        "requestId": "dev-1",
        "timestamp": "2025-03-17T10:15:45.000Z",
    }
    headers = (*JSON_HEADERS, ("x-ratelimit-limit", "10"))
    return Response(status=200, headers=headers, body=encode(document))


def context(moved: list[dt.timedelta] | None = None, query: str = "") -> AnswerContext:
    """A GET of the record."""
    request = Request(method="GET", path=f"/v1/agents/{RECORD}", query=query, body=b"{}")
    steps = [] if moved is None else moved
    return AnswerContext(request, NOW, honest, steps.append)


def variant_of(name: str) -> Variant:
    """One variant by its whole name."""
    _, (variant,) = find_answer(name)
    return variant


@pytest.mark.parametrize("name", NAMES)
def test_every_variant_can_be_made(name: str) -> None:
    """As a response, a broken connection, or bytes that need a socket and are bounded."""
    variant = variant_of(name)
    made = outcome(variant)
    if isinstance(made, RawAnswer):
        assert variant.transport == "socket"
        assert "turris_server" in str(made)
        assert written(made) <= MAX_RAW_BYTES + 100_000
    elif isinstance(made, ConnectionFailure):
        assert made.kind == "reset"
    else:
        assert 200 <= made.status < 600


def outcome(variant: Variant) -> Response | ConnectionFailure:
    """What a variant makes."""
    try:
        return variant.make(context())
    except ConnectionFailure as failure:
        return failure


def written(raw: RawAnswer) -> int:
    """How many bytes an answer writes until it ends or pauses for long, or in 1,000 parts."""
    count = 0
    parts: Iterator[bytes | float] = raw.parts()
    for _, part in zip(range(1_000), parts, strict=False):
        count += len(part) if isinstance(part, bytes) else 0
    return count


def test_an_endless_body_ends_at_the_limit() -> None:
    """``MAX_RAW_BYTES`` end an answer that has no end of its own."""
    with pytest.raises(RawAnswer) as caught:
        variant_of("AR-08/endless chunks").make(context())
    total = sum(len(part) for part in caught.value.parts() if isinstance(part, bytes))
    assert MAX_RAW_BYTES <= total < MAX_RAW_BYTES + 100_000


def test_a_drip_takes_long_on_the_sandboxs_clock_only() -> None:
    """Two seconds for each byte; in real time, a hundredth of a second."""
    moved: list[dt.timedelta] = []
    with pytest.raises(RawAnswer) as caught:
        variant_of("AR-33/slow body").make(context(moved))
    parts = [part for _, part in zip(range(5), caught.value.parts(), strict=False)]
    assert parts[1:] == [b" ", 0.01, b" ", 0.01]
    assert moved == [dt.timedelta(seconds=2)] * 2


def test_another_id_is_answered() -> None:
    """The id of the request is nowhere in the answer, which is otherwise the honest one."""
    response = variant_of("AR-34/another id").make(context())
    assert RECORD not in response.body.decode()
    assert len(response.body) == len(honest().body)


@pytest.mark.parametrize(("query", "then"), [("", "hop=1"), ("hop=3", "hop=4"), ("hop=²", "hop=1")])
def test_each_hop_leads_to_the_next(query: str, then: str) -> None:
    """The redirects count, whatever the query says."""
    response = variant_of("AR-10/30 hops").make(context(query=query))
    assert dict(response.headers)["location"].endswith(f"?{then}")


def test_as_bytes() -> None:
    """A response on the wire, with its length, from a server that closes the connection."""
    wire = as_bytes(Response(status=204, headers=(("x-a", "b"),), body=b"xy"))
    assert wire == (b"HTTP/1.1 204 \r\nx-a: b\r\ncontent-length: 2\r\nconnection: close\r\n\r\nxy")


def test_an_answer_before_any_request_cannot_be_scripted(sandbox: Sandbox) -> None:
    """A bad certificate needs a listener of its own; the message says which fixture opens it."""
    with pytest.raises(FaultError, match=r"AR-36 cannot be scripted.*turris_hostile_answer"):
        sandbox.faults.hostile("AR-36")


def test_hanging_up_stops_raw_answers(caller: Client) -> None:
    """Answers that are still being sent end, and are forgotten."""
    caller.sandbox.faults.hostile("AR-33/half-open")
    with pytest.raises(RawAnswer) as caught:
        caller.get("/v1/agents")
    caller.sandbox.faults.hang_up()
    assert caught.value.stopped
    assert caller.sandbox.faults.raw_answers == []


def test_an_answer_is_found_by_id_or_variant() -> None:
    """An id alone means all variants."""
    answer, variants = find_answer("AR-27")
    assert variants == answer.variants
    assert find_answer("AR-27/1e18")[1][0].name == "1e18"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("AR-277", "there is no hostile answer 'AR-277'; did you mean 'AR-27'?"),
        ("nonsense", "there is no hostile answer 'nonsense'"),
        ("AR-24/nonsense", "AR-24 has no variant 'nonsense'; it has 'token', 'api'"),
    ],
)
def test_an_unknown_answer_is_refused(name: str, message: str) -> None:
    """The message names the nearest answer, or the variants."""
    with pytest.raises(UnknownNameError) as caught:
        find_answer(name)
    assert str(caught.value) == message


@pytest.mark.parametrize("answer", CATALOGUE.values(), ids=list(CATALOGUE))
def test_size_limit_is_expected_only_where_it_is_seen(answer: HostileAnswer) -> None:
    """A large answer shows a client that has no limit, or an endless one, which needs a socket."""
    large = any(variant.large for variant in answer.variants)
    endless = any(variant.endless == "bytes" for variant in answer.variants)
    shows = large or (endless and "over a socket" in answer.expects)
    assert ("size limit" in answer.expects) <= shows
