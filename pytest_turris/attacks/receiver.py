"""The receiver under attack: how a shot reaches it, and what can be seen of it."""

import contextvars
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from pytest_turris.attacks.attack import Shot
from pytest_turris.attacks.context import HookError, NotApplicable
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers import asgi, raw_socket
from pytest_turris.receivers.egress import Destination
from pytest_turris.receivers.exchange import HERE, Post, WebhookAnswer
from pytest_turris.receivers.socket_post import post as socket_post
from pytest_turris.receivers.target import AsgiTarget, ClientTarget, Target, UrlTarget

_AT_ONCE = 20
_PATIENCE = 5.0
"""Seconds to wait over a socket: an answer that takes more than two is a finding anyway."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came of one request: an answer, or in ``trouble`` why there is none.

    ``silent`` means that the receiver neither answered nor closed the connection. ``seconds``
    is how long this one took, whatever was sent before it.
    """

    answer: WebhookAnswer | None
    trouble: str = ""
    silent: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Volley:
    """What came of one shot: a reply for each copy."""

    replies: tuple[Reply, ...]

    @property
    def seconds(self) -> float:
        """How long the slowest reply took."""
        return max((reply.seconds for reply in self.replies), default=0.0)


class Receiver:
    """Something that webhooks can be sent to, with the probe that counts its effects.

    Args:
        target: As for ``SignedWebhook.send``.
        path: The path inside an application; appended to a URL.
        effects: Gives a number that grows with each thing that the receiver does.
        reset: Is called before each attack.
        allow: The ``host:port`` that a URL may lead to beside this machine.
    """

    def __init__(
        self,
        target: object,
        path: str = "",
        *,
        effects: Callable[[], int] | None = None,
        reset: Callable[[], object] | None = None,
        allow: Collection[str] = (),
    ) -> None:
        reached = Target.of(target, path, allow=allow).require_sync()
        # Attacks on the path need one to change.
        self._target = reached.split() if isinstance(reached, UrlTarget) else reached
        self._effects = effects
        self._reset = reset
        self._allow = allow

    @property
    def observed(self) -> bool:
        """Whether effects can be counted."""
        return self._effects is not None

    def effects(self) -> int:
        """How much the receiver has done up to now; 0 without a probe."""
        count: object = self._effects() if self._effects else 0
        if not isinstance(count, int):
            kind = type(count).__name__
            raise HookError(f"effects() must give a number of things done, not {kind}")
        return count

    def reset(self) -> None:
        """Begin afresh, where the test knows how."""
        if self._reset:
            self._reset()

    def fire(self, shot: Shot) -> Volley:
        """Send all copies of a shot; none of one that is for sockets only, in process.

        Raises:
            NotApplicable: This receiver cannot be reached in the way that the shot needs.
        """
        target = self._target
        if shot.target is not None:
            target = Target.of(shot.target, self._target.path, allow=self._allow)
        if shot.socket_only and target.in_process:
            return Volley(replies=())
        sent = self._post(shot, target)
        if isinstance(target, UrlTarget):
            replies = _over_socket(target, shot, sent)
        else:
            replies = _in_process(target, shot, sent)
        return Volley(replies=tuple(replies))

    def shown_path(self, shot: Shot) -> str:
        """The path that a shot asks for."""
        return self._post(shot, self._target).app_path

    def _post(self, shot: Shot, target: Target) -> Post:
        return Post(
            headers=shot.webhook.header_lines,
            body=shot.webhook.body,
            path=_changed(target.path or "/", shot.path) if shot.path else target.path,
            method=shot.method,
            peer=shot.peer,
            split_at=shot.split_at,
        )


def _over_socket(target: UrlTarget, shot: Shot, sent: Post) -> list[Reply]:
    if shot.peer != HERE:
        raise NotApplicable("over a socket nobody can choose the address to come from")
    where = target.destination(sent)
    if shot.plain and where.scheme == "https":
        raise NotApplicable("the URL is HTTPS")
    if shot.beside:
        return [_beside(target, where, shot, sent)]
    if shot.raw:
        made = shot.raw(f"{where.host}:{where.port}", where.path)
        return [_replied(target, lambda: raw_socket.post(where, made))]
    return _together(lambda: _replied(target, lambda: _posted(where, sent)), shot.copies)


def _in_process(target: Target, shot: Shot, sent: Post) -> list[Reply]:
    if shot.raw_only:
        raise NotApplicable("it is about a server: run it against a URL on this machine")
    if isinstance(target, ClientTarget):
        if shot.copies > 1:
            raise NotApplicable("a client sends one at a time: give the application itself")
        if shot.peer != HERE:
            raise NotApplicable("through a client nobody can choose the address to come from")
    if isinstance(target, AsgiTarget):
        return list(_on_one_loop(target, sent, shot.copies))
    return _together(lambda: _replied(target, lambda: target.post(sent)), shot.copies)


def with_header(shot: Shot, name: str, value: str) -> Shot:
    """The shot with another value, of whatever text type, in one header."""
    lines = tuple(
        (line, value if line.lower() == name.lower() else text)
        for line, text in shot.webhook.header_lines
    )
    return replace(shot, webhook=replace(shot.webhook, header_lines=lines))


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


def _replied(target: Target, send: Callable[[], WebhookAnswer]) -> Reply:
    begin = _clocks()
    try:
        return Reply(answer=send(), seconds=_since(begin))
    except target.no_response_errors as error:
        return Reply(
            answer=None,
            trouble=f"{type(error).__name__}: {error}",
            silent=isinstance(error, TimeoutError) or "Timeout" in type(error).__name__,
            seconds=_since(begin),
        )


def _on_one_loop(target: AsgiTarget, sent: Post, copies: int) -> Iterator[Reply]:
    """Post twenty at a time to an ASGI application; each took as long as its twenty."""
    for sent_before in range(0, copies, _AT_ONCE):
        begin = _clocks()
        answers = asgi.post_many(target.app, sent, min(_AT_ONCE, copies - sent_before))
        seconds = _since(begin)
        yield from (Reply(answer=answer, seconds=seconds) for answer in answers)


def _posted(where: Destination, sent: Post) -> WebhookAnswer:
    return socket_post(where, sent, patience=_PATIENCE)


def _together(send: Callable[[], Reply], copies: int) -> list[Reply]:
    if copies == 1:
        return [send()]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as threads:
        futures = [threads.submit(contextvars.copy_context().run, send) for _ in range(copies)]
        return [future.result() for future in futures]


def _beside(target: UrlTarget, where: Destination, shot: Shot, sent: Post) -> Reply:
    """Send while a raw request stays unfinished on another connection."""
    if shot.raw is None:
        raise ValueError("beside what?")
    made = shot.raw(f"{where.host}:{where.port}", where.path)
    with closing(raw_socket.opened(where)) as line:
        line.sendall(made.head + b"".join(made.pieces))
        return _replied(target, lambda: _posted(where, sent))
