"""One request to the page: its session, the sandbox that it is about, and its answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from mock_server.control.control import ControlCall
from mock_server.control.execution import execute
from mock_server.control.table import CONTROLS
from mock_server.control.tenant import Tenant
from mock_server.control.wire.errors import ControlError
from mock_server.page.rendering import as_html, render
from mock_server.page.sign_in import Session
from pytest_turris.core.wire.messages import Fields, Request, Response

_MOST_FIELDS = 2_000
_MOST_DIGITS = 15


def read_fields(text: str) -> dict[str, str]:
    """The fields of a form or a query by name; of a repeated one, the last.

    Raises:
        ControlError: There are too many.
    """
    try:
        found = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise ControlError(400, str(error)) from None
    return {name: values[-1] for name, values in found.items()}


def number_in(text: str) -> int:
    """The whole number in a text.

    Raises:
        ControlError: There is none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise ControlError(400, "A whole number is expected.")
    return int(text)


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What a view has to answer a request.

    Args:
        request: The request.
        session: The session of the browser that sent it.
        call: The sandbox that it is about, and all others.
        query: The fields of its query.
        form: The fields of its body.
        log: Gets a line for each change.
    """

    request: Request
    session: Session
    call: ControlCall
    query: Mapping[str, str]
    form: Mapping[str, str] = field(repr=False)
    log: Callable[[str], None]

    @property
    def tenant(self) -> Tenant:
        """The sandbox with its surroundings."""
        return self.call.tenant

    @property
    def base(self) -> str:
        """Where the pages of this sandbox are."""
        return f"/__sandbox__/page/{self.tenant.name}"

    @property
    def fragment(self) -> str:
        """The id of the element that the browser asks for; empty for a whole page."""
        headers = self.request.headers
        return next((value for name, value in headers if name == "hx-target"), "")

    def ask(self, name: str, /, **document: Any) -> Any:  # noqa: ANN401 - JSON data
        """The result of a control as JSON data.

        Args:
            name: The control.
            document: Its parameters, by their names in JSON.

        Raises:
            ControlError: It is refused.
        """
        return self.do(name, document)

    def do(self, name: str, document: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON data
        """The same with a document."""
        control = CONTROLS[name]
        if control.changes:
            self.log(f"page, control of {self.tenant.name}: {name}")
        result = execute(control, self.call, document)
        return None if result is None else result.model_dump(mode="json", by_alias=True)

    def page(self, template: str, title: str, **values: Any) -> Response:  # noqa: ANN401 - what the template shows
        """A page with everything around it."""
        around = {
            "title": title,
            "base": self.base,
            "tenant": self.tenant.name,
            "tenants": self.call.tenants.names,
            "csrf": self.session.csrf,
            "path": self.request.path,
            "now": self.ask("clock show"),
        }
        return as_html(render(template, **around, **values))

    def part(self, template: str, more: Fields = (), **values: Any) -> Response:  # noqa: ANN401 - what the template shows
        """A part of a page, for an element of it."""
        return as_html(render(template, base=self.base, **values), more=more)

    def dialog(self, template: str, title: str, **values: Any) -> Response:  # noqa: ANN401 - what the template shows
        """A part for the dialog; a page of its own if its address was opened."""
        if self.request.header("hx-request"):
            return self.part(template, **values)
        return self.page("alone.html", title, part=template, **values)
