"""Does what a form asks for: any control of the table, through the one way to execute it."""

from typing import Any

from mock_server.control.control import Control
from mock_server.control.wire.errors import ControlError
from mock_server.page.forms import (
    WAS,
    control_named,
    elsewhere,
    fields_of,
    filled_fields,
    form_given,
    text_of,
)
from mock_server.page.views.route import Route
from mock_server.page.visit import Visit
from pytest_turris.core.wire.messages import Response

IN_DIALOG = "in-dialog"
SHOW = "show-result"
"""Fields of a form about the form itself: whether it is in the dialog, and shows its result."""

_STAYS: tuple[tuple[str, str], ...] = (("hx-reswap", "none"),)
# After the swap: before it, the event of a form that has left the page, as its dialog was closed or
# its list was read again, would reach no list.
_CHANGED: tuple[tuple[str, str], ...] = (("hx-trigger-after-swap", "changed"),)


def form(visit: Visit, noun: str, verb: str) -> Response:
    """The form of a control, filled with what the query has and, for a record, what it holds."""
    control = control_named(f"{noun} {verb}")
    values = dict(visit.query)
    before = _record(visit, noun, values["id"]) if verb == "update" and "id" in values else {}
    fields = filled_fields(
        control, {name: text_of(value) for name, value in before.items()} | values
    )
    return _form(visit, control, fields, has_before=verb == "update")


def do(visit: Visit, noun: str, verb: str) -> Response:
    """Execute a control with what a form has."""
    control = control_named(f"{noun} {verb}")
    if control.streams:
        raise ControlError(404, "A stream has no form.")
    try:
        result = visit.do(control.name, form_given(control, visit.form))
    except ControlError as error:
        return _refused(visit, control, error)
    shown = result if control.issues or SHOW in visit.form else None
    words = visit.form.get("done") or f"Done: {' '.join(control.words)}"
    return visit.part(
        "done.html", _CHANGED, words=words, is_bad=False, result=shown, title=control.summary
    )


ROUTES = (Route("GET", "form/{noun}/{verb}", form), Route("POST", "do/{noun}/{verb}", do))


def notice(visit: Visit, words: str, *, is_bad: bool = False) -> Response:
    """An answer that says one thing in the line of notices."""
    more = _STAYS if is_bad else _CHANGED
    return visit.part("done.html", more, words=words, is_bad=is_bad, result=None, title="")


def _refused(visit: Visit, control: Control, error: ControlError) -> Response:
    """What is wrong with a form: in the form, if it is in the dialog."""
    if IN_DIALOG not in visit.form:
        return notice(visit, str(error), is_bad=True)
    fields = filled_fields(control, visit.form, error.problems)
    messages = elsewhere(control, error)
    has_before = any(name.startswith(WAS) for name in visit.form)
    return _form(visit, control, fields, messages, has_before=has_before)


def _form(
    visit: Visit,
    control: Control,
    fields: tuple[Any, ...],
    messages: tuple[str, ...] = (),
    *,
    has_before: bool = False,
) -> Response:
    return visit.part(
        "form.html",
        control=control,
        fields=fields,
        messages=messages,
        has_before=has_before,
        before={key.removeprefix(WAS): text for key, text in visit.form.items() if WAS in key},
        shows=SHOW in visit.form or SHOW in visit.query,
    )


def _record(visit: Visit, noun: str, key: str) -> dict[str, Any]:
    """The members of a record, those of nested models by their flat names too."""
    found = visit.ask(f"{noun} get", id=key)
    flat: dict[str, Any] = {}
    for value in found.values():
        if isinstance(value, dict):
            flat |= value
    known = {one.name for one in fields_of(control_named(f"{noun} update")) if not one.in_path}
    return {name: value for name, value in (flat | found).items() if name in known}
