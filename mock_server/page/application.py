"""Answers the requests of the page: signs in, finds the view, and refuses other requests."""

import asyncio
import hmac
import re
import traceback
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TypeVar
from urllib.parse import unquote

from mock_server.control.control import ControlCall
from mock_server.control.tenants import Tenants
from mock_server.control.wire.errors import ControlError, unknown_outcome
from mock_server.control.wire.streams import stream
from mock_server.page.rendering import as_html, asset, moved, render
from mock_server.page.sign_in import ROOT, SIGN_IN, Session, SignIn, cookie
from mock_server.page.views import ROUTES
from mock_server.page.views.requests import follow_requests
from mock_server.page.visit import Visit, read_fields
from mock_server.store.errors import StoreError, TenantGoneError
from pytest_turris.core.wire.messages import Fields, Request, Response
from pytest_turris.doors.sockets.asgi import Receive, Send, send_response
from pytest_turris.process.control_token import without_control_token

T = TypeVar("T")

HOME = "/__sandbox__/page/default/overview"
SIGN_OUT = f"{ROOT}page/sign-out"
_ASSET = re.compile(r"/__sandbox__/page/assets/[0-9a-f]+/([\w.-]+)")
_OF_TENANT = re.compile(r"/__sandbox__/page/(?P<tenant>[^/]+)/(?P<rest>.+)")
_FORM = "application/x-www-form-urlencoded"


class Application:
    """The page.

    Args:
        tenants: The sandboxes of the server.
        sign_in: Who may see it.
        log: Gets a line for each change.
    """

    def __init__(self, tenants: Tenants, sign_in: SignIn, log: Callable[[str], None]) -> None:
        self._tenants = tenants
        self._sign_in = sign_in
        self._log = log

    async def answer(self, request: Request) -> Response:
        """Answer any request except that of a stream."""
        if request.method not in ("GET", "HEAD", "POST"):
            return _refused(405, "This page has GET and POST only.", (("allow", "GET, POST"),))
        if found := _ASSET.fullmatch(request.path):
            return asset(found[1]) or _refused(404, "There is no such file.")
        try:
            fields, form = read_fields(request.query), _form(request)
        except ControlError as error:
            return _refused(error.status, str(error))
        session = self._sign_in.session(request)
        without = self._without(request, session, fields, form)
        return without or await self._within(request, session, fields, form)

    def _without(
        self,
        request: Request,
        session: Session | None,
        fields: dict[str, str],
        form: dict[str, str],
    ) -> Response | None:
        """Return the answer to a request without a session, or None if it needs one."""
        if request.method == "POST" and not request.header("origin"):
            return _refused(403, "A form is sent by a browser, from this page.")
        if request.path == ROOT.rstrip("/"):
            return moved(ROOT)
        if request.path == ROOT:
            return self._root(request, session, fields)
        if request.path == SIGN_IN and request.method == "POST":
            return self._signed_in(request, form.get("token", "").strip())
        return None

    async def _within(
        self,
        request: Request,
        session: Session | None,
        fields: dict[str, str],
        form: dict[str, str],
    ) -> Response:
        """The answer to a browser that is signed in."""
        if session is None:
            return _way_in(request)
        if request.method == "POST" and not _is_own(request, session, form):
            return _refused(403, "The form is not from this page, or is too old: load it again.")
        if request.path == SIGN_OUT and request.method == "POST":
            self._sign_in.leave(session)
            return moved(ROOT, (cookie(request, None),))
        return await self._in_thread(lambda: self._viewed(request, session, fields, form))

    async def stream(self, request: Request, receive: Receive, send: Send) -> None:
        """Send the requests of a sandbox as they come, until the browser hangs up."""
        session = self._sign_in.session(request)
        if session is None:
            return await send_response(_way_in(request), send)
        found = await self._in_thread(lambda: self._followed(request, session))
        if isinstance(found, Response):
            return await send_response(found, send)
        return await stream(request, found, receive, send, lambda: self._tenants.is_closed)

    def _root(self, request: Request, session: Session | None, fields: dict[str, str]) -> Response:
        """The address that is printed, with its token or without."""
        token = fields.get("token", "")
        # A browser that only prefetches must not use up the token.
        if token and request.method == "GET" and not request.header("sec-purpose"):
            entered = self._sign_in.enter(token)
            if entered:
                return moved(HOME, (cookie(request, entered),))
        return moved(HOME) if session else _way_in(request, is_used=bool(token))

    def _signed_in(self, request: Request, token: str) -> Response:
        session = self._sign_in.enter(token)
        if session is None:
            return _way_in(request, is_wrong=True)
        self._log("page: a browser signed in")
        return moved(HOME, (cookie(request, session),))

    def _viewed(
        self, request: Request, session: Session, fields: dict[str, str], form: dict[str, str]
    ) -> Response:
        visit, rest = self._visit(request, session, fields, form)
        method = "GET" if request.method == "HEAD" else request.method
        for route in ROUTES:
            if route.method == method and (match := route.pattern.fullmatch(rest)):
                names = {name: unquote(text) for name, text in match.groupdict().items()}
                return route.view(visit, **names)
        raise ControlError(404, "There is no such page.")

    def _followed(self, request: Request, session: Session) -> Iterator[list[bytes]]:
        visit, rest = self._visit(request, session, read_fields(request.query), {})
        if rest != "requests/stream":
            raise ControlError(404, "There is no such page.")
        lines = follow_requests(visit)
        # The first look shows what is wrong with the filters.
        return chain((next(lines),), lines)

    async def _in_thread(self, work: Callable[[], T]) -> T | Response:
        """Do what may wait: for a shared store, a sandbox that is in use, or a receiver.

        On the event loop, all clients of the server would wait with it.
        """
        return await asyncio.to_thread(self._caught, work)

    def _caught(self, work: Callable[[], T]) -> T | Response:
        """Return what the work returns, or the page about what it raises."""
        try:
            return work()
        except ControlError as error:
            return _refused(error.status, str(error))
        except TenantGoneError as error:
            self._tenants.forget(error.name)
            return _refused(404, str(error))
        except StoreError as error:
            unknown = unknown_outcome(error)
            return _refused(unknown.status, str(unknown))
        except Exception:  # noqa: BLE001 - the server goes on, and the log has the cause
            trace = without_control_token(traceback.format_exc())
            self._log(f"a bug in the page; please report it: {trace}")
            return _refused(500, "A bug in the sandbox; its log has the details.")

    def _visit(
        self, request: Request, session: Session, fields: dict[str, str], form: dict[str, str]
    ) -> tuple[Visit, str]:
        found = _OF_TENANT.fullmatch(request.path)
        name = unquote(found["tenant"]) if found else ""
        tenant = self._tenants.get(name)
        if found is None or tenant is None:
            raise ControlError(404, "There is no such page, or no such tenant any more.")
        tenant.use()
        call = ControlCall(tenant=tenant, tenants=self._tenants)
        visit = Visit(
            request=request, session=session, call=call, query=fields, form=form, log=self._log
        )
        return visit, found["rest"]


def _form(request: Request) -> dict[str, str]:
    """The fields of a form.

    Raises:
        ControlError: It is not one, or has too many fields.
    """
    if request.method != "POST":
        return {}
    if request.header("content-type").partition(";")[0].strip().lower() != _FORM:
        raise ControlError(400, "A form is expected.")
    return read_fields(request.body.decode("utf-8", "replace"))


def _is_own(request: Request, session: Session, form: dict[str, str]) -> bool:
    given = request.header("x-csrf-token") or form.get("csrf", "")
    return hmac.compare_digest(given.encode("utf-8", "replace"), session.csrf.encode())


def _way_in(request: Request, *, is_used: bool = False, is_wrong: bool = False) -> Response:
    """Return the page that says how to sign in."""
    if request.header("hx-request"):
        return Response(status=401, headers=(("hx-redirect", ROOT),))
    return as_html(render("sign_in.html", is_used=is_used, is_wrong=is_wrong), status=401)


def _refused(status: int, words: str, more: Fields = ()) -> Response:
    return as_html(render("refused.html", status=status, words=words), status, more)
