"""A receiver of webhooks: what the user passed, classified once, and how to post to it."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from pytest_turris.receivers.address import TargetError, check_host_and_scheme, url_with_path
from pytest_turris.receivers.callables import described, hint_for, shape_of
from pytest_turris.receivers.egress import Destination, check_egress
from pytest_turris.receivers.exchange import Post, WebhookResponse, response_to_error
from pytest_turris.receivers.in_process.asgi import apost_asgi, post_asgi
from pytest_turris.receivers.in_process.client_adapters import (
    client_apost,
    client_post,
    request_errors,
)
from pytest_turris.receivers.in_process.django_database import kept_connections
from pytest_turris.receivers.in_process.event_loop import is_through_portal, run_async
from pytest_turris.receivers.in_process.function_headers import FunctionHeaders, spelled_headers
from pytest_turris.receivers.in_process.lifespan import AsgiApp, StartupError
from pytest_turris.receivers.in_process.wsgi import WsgiApp, post_wsgi
from pytest_turris.receivers.socket_post import post_over_socket


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Target(ABC):
    """A receiver, classified once: how to post to it, and the path that webhooks go to.

    Args:
        path: The path inside an application, or what is appended to a URL; may be empty.
        host: The value of ``Host``; empty for the default.
        scheme: ``http`` or ``https``, as an application or a client sees it; empty for the default.
    """

    path: str = ""
    host: str = ""
    scheme: str = ""
    in_process: ClassVar[bool] = True
    """Whether the receiver runs in this process, so that no socket is used."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"  # a URL or a path may hold a token

    @classmethod
    def of(
        cls,
        receiver: object,
        path: str = "",
        *,
        allow: Collection[str] = (),
        own_port: int = 0,
        host: str = "",
        scheme: str = "",
    ) -> "Target":
        """Classify a receiver; a target gets the path, host or scheme that are given.

        Args:
            receiver: A URL on this machine; an ASGI or WSGI application; an httpx, Starlette,
                Flask or Django client; or a function ``verify(body, headers) -> bool``.
            path: The path inside an application, ``/`` unless given; appended to a URL.
            allow: The ``host:port`` pairs outside this machine that a URL or a client may lead to.
            own_port: A port of this machine that neither must lead to.
            host: The value of ``Host``; an application's default is ``testserver``.
            scheme: ``http`` or ``https``, as an application or a test client sees it.

        Raises:
            TargetError: The receiver is not one of these, or it cannot have that host or scheme.
        """
        if not isinstance(receiver, Target):
            receiver = _classified(receiver, path, allow, own_port)
        given: dict[str, Any] = {"path": path, "host": host, "scheme": scheme}
        target = replace(receiver, **{name: value for name, value in given.items() if value})
        target.check_address()
        return target

    def check_address(self) -> None:
        """Raise TargetError if requests cannot have this host or scheme."""
        check_host_and_scheme(self.host, self.scheme)

    def require_sync(self) -> Self:
        """Return the target; TargetError if it can only be awaited."""
        return self

    @property
    def no_response_errors(self) -> tuple[type[Exception], ...]:
        """The exceptions of ``post`` and ``apost`` that mean "no response"."""
        return (OSError,)

    def why_altered(self, sent: Post) -> str:  # noqa: ARG002 - for what is behind a gateway
        """Why the receiver gets another body than is sent; empty if it gets the same bytes."""
        return ""

    @abstractmethod
    def post(self, sent: Post) -> WebhookResponse:
        """Post, and wait for the response.

        An application that raises has answered 500; what it raised is in ``error``.

        Raises:
            EgressRefused: A URL or a client leads to where nothing may be sent.
            TargetError: It is an asynchronous client, or a function that returned no bool.
        """

    async def apost(self, sent: Post) -> WebhookResponse:
        """Post as ``post`` does, from a coroutine.

        Asynchronous receivers run on the running loop, and URLs are posted to from a worker
        thread. WSGI applications, functions and synchronous clients block the loop meanwhile.
        """
        return self.post(sent)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class UrlTarget(Target):
    """A receiver behind a socket; its name is resolved and checked at each post."""

    url: str
    allow: Collection[str] = ()
    own_port: int = 0
    in_process: ClassVar[bool] = False

    def post(self, sent: Post) -> WebhookResponse:
        """Post over a new connection."""
        return post_over_socket(self.destination(sent), sent)

    async def apost(self, sent: Post) -> WebhookResponse:
        """Post from a worker thread."""
        import anyio.to_thread  # noqa: PLC0415 - httpx brings it; only this method needs it

        return await anyio.to_thread.run_sync(post_over_socket, self.destination(sent), sent)

    def destination(self, sent: Post) -> Destination:
        """Resolve and check where a request goes; its path is appended to the URL's own.

        Raises:
            EgressRefused: The URL leads to where nothing may be sent.
        """
        return check_egress(
            url_with_path(self.url, sent.app_path) if sent.path else self.url,
            allow=self.allow,
            own_port=self.own_port,
        )

    def check_address(self) -> None:
        """Raise TargetError if requests cannot have this host or scheme."""
        super(UrlTarget, self).check_address()
        if self.scheme:
            raise TargetError("scheme= is for applications: a URL begins with its own")

    def split(self) -> Self:
        """Return the target with the URL's own path as its ``path``, unless it has one already."""
        if self.path:
            return self
        scheme, separator, rest = self.url.partition("://")
        end = next((at for at, char in enumerate(rest) if char in "/?"), len(rest))
        path = rest[end:]
        path = f"/{path}" if path.startswith("?") else path
        return replace(self, url=f"{scheme}{separator}{rest[:end]}", path=path)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class AsgiTarget(Target):
    """An ASGI application."""

    app: AsgiApp

    @property
    def no_response_errors(self) -> tuple[type[Exception], ...]:
        """No answer in time, or a failed start-up."""
        return (OSError, StartupError)

    def post(self, sent: Post) -> WebhookResponse:
        """Post on a new event loop."""
        return post_asgi(self.app, sent)

    async def apost(self, sent: Post) -> WebhookResponse:
        """Post on the running loop."""
        return await apost_asgi(self.app, sent)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class WsgiTarget(Target):
    """A WSGI application."""

    app: WsgiApp

    def post(self, sent: Post) -> WebhookResponse:
        """Post in this thread."""
        with kept_connections():
            return post_wsgi(self.app, sent)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class ClientTarget(Target):
    """A synchronous client, and how to post through it."""

    client: object
    send: Callable[[Any, Post], WebhookResponse]

    @property
    def no_response_errors(self) -> tuple[type[Exception], ...]:
        """The errors of sockets and of httpx."""
        return (OSError, *request_errors())

    def post(self, sent: Post) -> WebhookResponse:
        """Post through the client."""
        with kept_connections():
            return self.send(self.client, sent)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class AsyncClientTarget(Target):
    """An asynchronous client, and how to post through it."""

    client: object
    send: Callable[[Any, Post], Awaitable[WebhookResponse]]

    @property
    def no_response_errors(self) -> tuple[type[Exception], ...]:
        """The errors of sockets and of httpx."""
        return (OSError, *request_errors())

    def require_sync(self) -> Self:
        """Return the target in a thread that works for the client's loop; else TargetError."""
        if is_through_portal():
            return self
        raise TargetError(
            "an asynchronous client works with 'await webhook.asend(...)' and "
            "'await turris_webhook_attack.arun(...)' only: pass its application, or a synchronous "
            "client"
        )

    def post(self, sent: Post) -> WebhookResponse:
        """Post on the client's loop, from a thread that works for it."""
        self.require_sync()
        return run_async(lambda: self._post(sent))

    async def _post(self, sent: Post) -> WebhookResponse:
        return await self.send(self.client, sent)

    async def apost(self, sent: Post) -> WebhookResponse:
        """Post through the client."""
        return await self._post(sent)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class VerifierTarget(Target):
    """A function ``verify(body, headers)`` as a receiver.

    It answers 204 for True and 401 for False (our convention). The headers are a dict, as gateways
    and many frameworks pass them on. A function that refuses because it looks a header up in other
    letters is called again with lower-case and with capitalised names: attack WH-32 judges that.
    """

    verify: Callable[[bytes, Any], object]

    def post(self, sent: Post) -> WebhookResponse:
        """Call the function."""
        answers: list[WebhookResponse] = []
        for headers in spelled_headers(sent):
            answers.append(self._answer(sent.body, headers))
            if answers[-1].accepted or not headers.were_missed:
                return answers[-1]
        return answers[0]

    def _answer(self, body: bytes, headers: FunctionHeaders) -> WebhookResponse:
        try:
            genuine = self.verify(body, headers)
        except Exception as error:  # noqa: BLE001 - a server answers any exception with 500
            return response_to_error(error)
        if not isinstance(genuine, bool):
            raise TargetError(
                f"verify(body, headers) returned {type(genuine).__name__}, not a bool"
            )
        return WebhookResponse(status_code=204 if genuine else 401, headers={})


def _classified(receiver: Any, path: str, allow: Collection[str], own_port: int) -> Target:  # noqa: ANN401 - anything can be passed
    if isinstance(receiver, str):
        return UrlTarget(url=receiver, path=path, allow=allow, own_port=own_port)
    if send := client_post(receiver, allow, own_port):
        return ClientTarget(client=receiver, path=path, send=send)
    if asend := client_apost(receiver, allow, own_port):
        return AsyncClientTarget(client=receiver, path=path, send=asend)
    match shape_of(receiver):
        case "asgi":
            return AsgiTarget(app=receiver, path=path)
        case "wsgi":
            return WsgiTarget(app=receiver, path=path)
        case "verify":
            return VerifierTarget(verify=receiver, path=path)
    raise TargetError(f"cannot send to {described(receiver)}: {hint_for(receiver)}")
