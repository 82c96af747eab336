"""Options as JSON data: those that are not at their defaults; durations in seconds."""

import datetime as dt
from typing import Any

from pytest_turris.core.options import Options, option_types
from pytest_turris.core.snapshots.errors import SnapshotError
from pytest_turris.core.unknowns.option_values import OptionError

_SECRET = "webhook_secret"


def data_of(options: Options, *, with_secrets: bool) -> dict[str, Any]:
    """Return the options that are not at their defaults."""
    default = Options()
    return {
        name: value.total_seconds() if isinstance(value, dt.timedelta) else value
        for name in option_types()
        if (value := getattr(options, name)) != getattr(default, name)
        and (with_secrets or name != _SECRET)
    }


def options_from(data: object) -> Options:
    """Return the options of such data.

    Raises:
        SnapshotError: There is no such option, or it cannot take the value.
    """
    if not isinstance(data, dict):
        raise SnapshotError("not a whole world: 'options' is not an object")
    types = option_types()
    durations = {
        name
        for name, value in data.items()
        if types.get(name) is dt.timedelta and not isinstance(value, bool)
    }
    try:
        return Options.from_layers(
            {
                name: dt.timedelta(seconds=value) if name in durations else value
                for name, value in data.items()
            }
        )
    except (OptionError, OverflowError, TypeError) as error:
        raise SnapshotError(f"not a whole world: {error}") from None
