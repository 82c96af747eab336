"""The options of a sandbox: show them, and change those that can change while it runs."""

import datetime as dt
from functools import cache
from typing import Any, ClassVar

from pydantic import Field, create_model
from pydantic.alias_generators import to_camel

from mock_server.control.control import Control, ControlCall
from mock_server.control.models import Duration, Nothing, Parameters, Result
from mock_server.control.rows.state.changing_options import change, changeable, reason_fixed
from pytest_turris.core.options import option_types
from pytest_turris.core.text.redaction import mask


class OptionsShown(Result):
    """The options, by their names in JSON; durations in seconds. ``fixed`` says what stays."""

    options: dict[str, Any]
    fixed: dict[str, str]


class GivenOptions(Parameters):
    """The options of a new sandbox."""

    members_in_words: ClassVar[str] = "a turris option; GET /options lists them"
    takes_snake_case: ClassVar[bool] = True


class ChangeOptions(Parameters):
    """The options that change."""

    members_in_words: ClassVar[str] = (
        "a turris option that changes while the sandbox runs; GET /options lists them"
    )
    takes_snake_case: ClassVar[bool] = True


def _show(call: ControlCall, given: Parameters) -> OptionsShown:
    """The options of the sandbox."""
    del given
    options = call.tenant.sandbox.options
    values = {to_camel(name): _shown(getattr(options, name)) for name in option_types()}
    if options.webhook_secret:
        values["webhookSecret"] = mask(options.webhook_secret)
    fixed = {to_camel(name): reason for name in option_types() if (reason := reason_fixed(name))}
    return OptionsShown(options=values, fixed=fixed)


def change_options(call: ControlCall, given: Parameters) -> OptionsShown:
    """Change options."""
    values = {name: getattr(given, name) for name in given.model_fields_set}
    change(call.tenant.sandbox, values)
    return _show(call, given)


@cache
def model_of_options(*, changes_only: bool) -> type[Parameters]:
    """The options as parameters: all of them, or those that can change."""
    kinds = changeable() if changes_only else option_types()
    members: dict[str, Any] = {
        name: (Duration if kind is dt.timedelta else kind, Field(None))
        for name, kind in kinds.items()
    }
    base = ChangeOptions if changes_only else GivenOptions
    return create_model(base.__name__, __base__=base, **members)


ROWS = (
    Control(
        noun="options",
        verb="show",
        method="GET",
        path="/options",
        run=_show,
        models=lambda: (Nothing, OptionsShown),
        summary="Show the options of the sandbox, and which of them do not change.",
        words=("options",),
    ),
    Control(
        noun="options",
        verb="change",
        method="PATCH",
        path="/options",
        run=change_options,
        models=lambda: (model_of_options(changes_only=True), OptionsShown),
        summary="Change options while the sandbox runs, all or none.",
        words=("options", "change"),
        rest="*",
    ),
)


def _shown(value: object) -> object:
    return value.total_seconds() if isinstance(value, dt.timedelta) else value
