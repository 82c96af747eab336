"""Sends all copies of a step, over a socket or in process, and says how long each took."""

import contextlib
import contextvars
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from pytest_turris.attacks.judging.pace import Stopwatch
from pytest_turris.attacks.sending.last_bytes import LastBytes
from pytest_turris.attacks.sending.raw_requests import raw_post
from pytest_turris.attacks.sending.response import ReceiverResponse
from pytest_turris.attacks.step import Transmission
from pytest_turris.core.wire.hosts import LOOPBACK
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.receivers.egress import Destination
from pytest_turris.receivers.exchange import Post, WebhookResponse
from pytest_turris.receivers.in_process.asgi import post_asgi_copies
from pytest_turris.receivers.raw_socket import RawPost, open_connection, post_raw
from pytest_turris.receivers.socket_post import WriteLast, post_over_socket
from pytest_turris.receivers.target import AsgiTarget, ClientTarget, Target, UrlTarget

OTHER_LOOPBACK = "127.0.0.2"
"""An address of this machine that a receiver takes for another sender; some systems lack it."""

_AT_ONCE = 20

_PIECE = 65_536

_LONGER = 2.0
"""How many times as long as usual an answer takes that waits for something."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SendingLimits:
    """How long to wait for a receiver over a socket.

    Args:
        timeout: Seconds for the answer to one request.
        patience: Seconds after which a receiver is taken to wait for something.
    """

    timeout: float
    patience: float


def over_socket(
    target: UrlTarget, how: Transmission, sent: Post, limits: SendingLimits
) -> list[ReceiverResponse]:
    """Send all copies to a URL.

    Args:
        target: The URL.
        how: How they are sent.
        sent: What is sent.
        limits: How long to wait.

    Raises:
        NotApplicableError: A socket cannot do it.
        EgressRefused: The URL leads to where nothing may be sent.
    """
    if how.peer not in (LOOPBACK, OTHER_LOOPBACK):
        raise NotApplicableError("over a socket the sender cannot choose its address")
    where = target.destination(sent)
    if how.plain_http and where.scheme == "https":
        raise NotApplicableError("the URL is HTTPS")
    host = sent.host or f"{where.host}:{where.port}"

    def posted(write_last: WriteLast | None = None) -> ReceiverResponse:
        return _response_to(
            target,
            lambda: post_over_socket(where, sent, timeout=limits.timeout, write_last=write_last),
        )

    if how.among:
        others, genuine = (
            [raw_post(one, host, where.path) for one in those]
            for those in (how.among, how.among_genuine)
        )
        return [_among(where, others, genuine, posted, limits)]
    if how.alongside:
        return [_alongside(where, how.alongside(host, where.path), posted, limits.patience)]
    if how.raw:
        made = how.raw(host, where.path)
        return [
            _response_to(
                target,
                lambda: post_raw(where, made, timeout=limits.timeout, patience=limits.patience),
            )
        ]
    if how.copies == 1:
        return [posted()]
    at_once = how.copies <= _AT_ONCE
    send = _ending_together(posted, how.copies, limits.patience) if at_once else posted
    return _sent_again(_together(send, how.copies), posted)


def in_process(target: Target, how: Transmission, sent: Post) -> list[ReceiverResponse]:
    """Send all copies to a receiver in this process.

    Raises:
        NotApplicableError: A client cannot do it.
    """
    if isinstance(target, ClientTarget):
        if how.copies > 1:
            raise NotApplicableError("a client sends one at a time: pass the application itself")
        if how.peer != LOOPBACK:
            raise NotApplicableError("through a client the sender cannot choose its address")
    if isinstance(target, AsgiTarget):
        return list(_on_one_loop(target, sent, how.copies))
    return _together(lambda: _response_to(target, lambda: target.post(sent)), how.copies)


def _response_to(target: Target, send: Callable[[], WebhookResponse]) -> ReceiverResponse:
    watch = Stopwatch()
    try:
        return ReceiverResponse(answer=send(), seconds=watch.elapsed())
    except target.no_response_errors as error:
        return _no_response(error, watch)


def _no_response(error: Exception, watch: Stopwatch) -> ReceiverResponse:
    return ReceiverResponse(
        answer=None,
        reason=f"{type(error).__name__}: {error}",
        silent=isinstance(error, TimeoutError) or "Timeout" in type(error).__name__,
        error=error,
        seconds=watch.elapsed(),
    )


def _on_one_loop(target: AsgiTarget, sent: Post, copies: int) -> Iterator[ReceiverResponse]:
    """Post twenty at a time to an ASGI application; each took as long as its twenty."""
    for sent_before in range(0, copies, _AT_ONCE):
        watch, count = Stopwatch(), min(_AT_ONCE, copies - sent_before)
        try:
            answers = post_asgi_copies(target.app, sent, count)
        except target.no_response_errors as error:
            yield from [_no_response(error, watch)] * count
            continue
        seconds = watch.elapsed()
        yield from (ReceiverResponse(answer=answer, seconds=seconds) for answer in answers)


def _together(send: Callable[[], ReceiverResponse], copies: int) -> list[ReceiverResponse]:
    if copies <= 1:
        return [send() for _ in range(copies)]
    workers = min(copies, _AT_ONCE)
    # All have started before one sends: on a busy machine, the first could be done before.
    begin = threading.Barrier(workers)
    with ThreadPoolExecutor(workers, initializer=begin.wait) as threads:
        futures = [threads.submit(contextvars.copy_context().run, send) for _ in range(copies)]
        return [future.result() for future in futures]


def _ending_together(
    posted: Callable[[WriteLast], ReceiverResponse], copies: int, patience: float
) -> Callable[[], ReceiverResponse]:
    last_bytes = LastBytes(copies, patience)

    def send() -> ReceiverResponse:
        response = posted(last_bytes.write)
        if response.answer is None:
            last_bytes.give_up()
        return response

    return send


def _sent_again(
    responses: Sequence[ReceiverResponse], send: Callable[[], ReceiverResponse]
) -> list[ReceiverResponse]:
    """The responses, where what got no answer is sent again alone.

    A burst may be longer than the queue of the server's socket, or than it answers in time: that
    says nothing about the receiver. When one gets no answer alone, no other is sent again.
    """
    found = list(responses)
    for at, response in enumerate(responses):
        if response.answer is None:
            alone = send()
            if alone.answer is None:
                break
            found[at] = replace(alone, reason=response.reason)
    return found


def _alongside(
    where: Destination,
    unfinished: RawPost,
    posted: Callable[[], ReceiverResponse],
    patience: float,
) -> ReceiverResponse:
    """Send while another request stays unfinished, which is given up if no answer comes."""
    watch = Stopwatch()
    try:
        line = open_connection(where)
    except OSError as error:
        return _no_response(error, watch)
    with closing(line), ThreadPoolExecutor(max_workers=1) as threads:
        with contextlib.suppress(OSError):
            line.sendall(unfinished.head + b"".join(unfinished.pieces))
        answered = threading.Lock()
        answered.acquire()
        sent = threads.submit(contextvars.copy_context().run, posted)
        sent.add_done_callback(lambda _: answered.release())
        # No future is waited for: time travel makes such a wait pass at once.
        blocked = not answered.acquire(timeout=patience)
        line.close()
        response = sent.result()
    # On a busy machine any answer takes as long.
    return replace(response, blocked=blocked and patience > _LONGER * posted().seconds)


def _among(
    where: Destination,
    others: Sequence[RawPost],
    genuine: Sequence[RawPost],
    posted: Callable[[], ReceiverResponse],
    limits: SendingLimits,
) -> ReceiverResponse:
    """Send after others did, whose answers are not waited for; whether it had to wait for them."""
    response = _after(where, others, posted, timeout=limits.timeout)
    if response.seconds <= limits.patience:
        return response
    posted()  # until it is done with the others
    usual = _after(where, genuine, posted, all_answered=True, timeout=limits.timeout)
    return replace(response, blocked=response.seconds > _LONGER * usual.seconds)


def _after(
    where: Destination,
    others: Sequence[RawPost],
    posted: Callable[[], ReceiverResponse],
    *,
    all_answered: bool = False,
    timeout: float,
) -> ReceiverResponse:
    """Send after others, and wait for their answers too if ``all_answered``.

    Their requests are written before the connection is made, so that no scheduler decides which
    of them the receiver sees first.
    """
    watch = Stopwatch()
    with contextlib.ExitStack() as stack:
        lines: list[socket.socket] = []
        for other in others:
            try:
                lines.append(stack.enter_context(closing(open_connection(where))))
            except OSError as error:
                return _no_response(error, watch)
            with contextlib.suppress(OSError):
                lines[-1].sendall(other.head + b"".join(other.pieces))
        # A client closes when it has its answer: some servers wait a moment for that.
        threads = [threading.Thread(target=_read_and_close, args=(one, timeout)) for one in lines]
        for thread in threads:
            thread.start()
        response = posted()
        for line in () if all_answered else lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
    return response


def _read_and_close(line: socket.socket, timeout: float) -> None:
    line.settimeout(timeout)
    with contextlib.suppress(OSError):
        while line.recv(_PIECE):
            pass
    line.close()
