"""The receiver under attack: how a step reaches it, and what can be seen of it."""

import contextvars
import datetime as dt
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from pytest_turris.attacks.effects import EffectsProbe, Settle, call_hook
from pytest_turris.attacks.step import AttackStep, Transmission
from pytest_turris.core.wire.hosts import LOOPBACK
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.asgi import post_asgi_copies
from pytest_turris.receivers.django_database import TransactionError, refuse_threads
from pytest_turris.receivers.egress import Destination
from pytest_turris.receivers.exchange import Post, WebhookResponse
from pytest_turris.receivers.raw_socket import RawPost, open_connection, post_raw
from pytest_turris.receivers.socket_post import post_over_socket
from pytest_turris.receivers.target import AsgiTarget, ClientTarget, Target, UrlTarget

_AT_ONCE = 20
_TIMEOUT = 5.0
"""Seconds to wait over a socket: an answer that takes more than two is a finding anyway."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiverResponse:
    """The receiver's response to one request.

    Args:
        answer: The answer; None if there was none.
        reason: Why there was no answer.
        silent: The receiver neither answered nor closed the connection.
        seconds: How long this request took.
    """

    answer: WebhookResponse | None
    reason: str = ""
    silent: bool = False
    seconds: float = 0.0


class Receiver:
    """Something that webhooks can be sent to, with the probe that counts its effects.

    Args:
        target: As for ``SignedWebhook.send``.
        path: The path inside an application; appended to a URL.
        effects: Returns a number, or a snapshot of what the receiver did; see ``EffectsProbe``.
        reset: Called before each attack; may be async.
        settle: When the receiver is quiet; see ``EffectsProbe``.
        pass_time: Moves the clock of the code under test while it is waited for.
        allow: Each ``host:port`` that a URL may lead to besides this machine.
    """

    def __init__(
        self,
        target: object,
        path: str = "",
        *,
        effects: Callable[[], object] | None = None,
        reset: Callable[[], object] | None = None,
        settle: Settle = None,
        pass_time: Callable[[dt.timedelta], object] | None = None,
        allow: Collection[str] = (),
    ) -> None:
        reached = Target.of(target, path, allow=allow).require_sync()
        # Attacks on the path need one to change.
        self._target = reached.split() if isinstance(reached, UrlTarget) else reached
        self._effects = EffectsProbe(effects, settle, pass_time)
        self._reset = reset
        self._allow = allow

    @property
    def observed(self) -> bool:
        """Whether effects can be counted."""
        return self._effects.observes

    def effects(self, *, at_least: int = 0) -> int:
        """How much the receiver has done so far; 0 without a probe.

        Args:
            at_least: What is expected by now: it may come a moment after the answer.

        Raises:
            HookError: A hook gave something of the wrong type.
        """
        return self._effects.count(at_least=at_least)

    def reset(self) -> None:
        """Call the test's ``reset``, if there is one."""
        if self._reset:
            call_hook(self._reset, "reset")

    @property
    def is_url(self) -> bool:
        """Whether it is reached over a socket."""
        return isinstance(self._target, UrlTarget)

    def send(self, step: AttackStep) -> tuple[ReceiverResponse, ...]:
        """Send all copies of a step, and return their responses.

        In process, a step that is for sockets only is left out: there is no response.

        Raises:
            NotApplicableError: This receiver cannot be reached in the way that the step needs.
        """
        how, target = step.transmission, self._target
        self._effects.note_request()
        if how.target is not None:
            target = replace(
                Target.of(how.target, self._target.path, allow=self._allow),
                host=self._target.host,
                scheme=self._target.scheme,
            )
        if how.socket_only and target.in_process:
            return ()
        sent = self._post(step, target)
        if isinstance(target, UrlTarget):
            return tuple(_over_socket(target, how, sent))
        try:
            if how.copies > 1 and not isinstance(target, AsgiTarget):
                refuse_threads()
            return tuple(_in_process(target, how, sent))
        except TransactionError as error:
            raise NotApplicableError(str(error)) from error

    def shown_path(self, step: AttackStep) -> str:
        """The path that a step requests."""
        return self._post(step, self._target).app_path

    def _post(self, step: AttackStep, target: Target) -> Post:
        how = step.transmission
        path = target.path
        return Post(
            headers=step.webhook.header_lines,
            body=step.webhook.body,
            path=_changed(path or "/", how.change_path) if how.change_path else path,
            method=how.method,
            peer=how.peer,
            split_at=how.split_at,
            host=target.host,
            scheme=target.scheme,
        )


def _over_socket(target: UrlTarget, how: Transmission, sent: Post) -> list[ReceiverResponse]:
    if how.peer != LOOPBACK:
        raise NotApplicableError("over a socket the sender cannot choose its address")
    where = target.destination(sent)
    if how.plain_http and where.scheme == "https":
        raise NotApplicableError("the URL is HTTPS")
    host = sent.host or f"{where.host}:{where.port}"
    if how.alongside:
        return [_alongside(target, where, how.alongside(host, where.path), sent)]
    if how.raw:
        made = how.raw(host, where.path)
        return [_response_to(target, lambda: post_raw(where, made))]
    return _together(lambda: _response_to(target, lambda: _posted(where, sent)), how.copies)


def _in_process(target: Target, how: Transmission, sent: Post) -> list[ReceiverResponse]:
    if isinstance(target, ClientTarget):
        if how.copies > 1:
            raise NotApplicableError("a client sends one at a time: pass the application itself")
        if how.peer != LOOPBACK:
            raise NotApplicableError("through a client the sender cannot choose its address")
    if isinstance(target, AsgiTarget):
        return list(_on_one_loop(target, sent, how.copies))
    return _together(lambda: _response_to(target, lambda: target.post(sent)), how.copies)


def with_header(step: AttackStep, name: str, value: str) -> AttackStep:
    """The step with another value, of whatever text type, in one header."""
    lines = tuple(
        (line, value if line.lower() == name.lower() else text)
        for line, text in step.webhook.header_lines
    )
    return replace(step, webhook=replace(step.webhook, header_lines=lines))


def _changed(path: str, change: Callable[[str], str]) -> str:
    """The path changed by an attack, with the query that the receiver asks for."""
    bare, mark, query = path.partition("?")
    changed = change(bare)
    return f"{changed}{'&' if '?' in changed else mark}{query}" if mark else changed


def _clocks() -> tuple[float, float]:
    # Time travel holds the first still, and makes sleeps pass on it alone.
    return time.perf_counter(), steady_time()


def _since(begin: tuple[float, float]) -> float:
    return max(now - then for now, then in zip(_clocks(), begin, strict=True))


def _response_to(target: Target, send: Callable[[], WebhookResponse]) -> ReceiverResponse:
    begin = _clocks()
    try:
        return ReceiverResponse(answer=send(), seconds=_since(begin))
    except target.no_response_errors as error:
        return _no_response(error, _since(begin))


def _no_response(error: Exception, seconds: float) -> ReceiverResponse:
    return ReceiverResponse(
        answer=None,
        reason=f"{type(error).__name__}: {error}",
        silent=isinstance(error, TimeoutError) or "Timeout" in type(error).__name__,
        seconds=seconds,
    )


def _on_one_loop(target: AsgiTarget, sent: Post, copies: int) -> Iterator[ReceiverResponse]:
    """Post twenty at a time to an ASGI application; each took as long as its twenty."""
    for sent_before in range(0, copies, _AT_ONCE):
        begin, count = _clocks(), min(_AT_ONCE, copies - sent_before)
        try:
            answers = post_asgi_copies(target.app, sent, count)
        except target.no_response_errors as error:
            yield from [_no_response(error, _since(begin))] * count
            continue
        seconds = _since(begin)
        yield from (ReceiverResponse(answer=answer, seconds=seconds) for answer in answers)


def _posted(where: Destination, sent: Post) -> WebhookResponse:
    return post_over_socket(where, sent, timeout=_TIMEOUT)


def _together(send: Callable[[], ReceiverResponse], copies: int) -> list[ReceiverResponse]:
    if copies == 1:
        return [send()]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as threads:
        futures = [threads.submit(contextvars.copy_context().run, send) for _ in range(copies)]
        return [future.result() for future in futures]


def _alongside(
    target: UrlTarget, where: Destination, unfinished: RawPost, sent: Post
) -> ReceiverResponse:
    """Send while another request stays unfinished on its own connection."""
    with closing(open_connection(where)) as line:
        line.sendall(unfinished.head + b"".join(unfinished.pieces))
        return _response_to(target, lambda: _posted(where, sent))
