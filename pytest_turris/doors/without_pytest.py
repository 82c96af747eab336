"""``pytest_turris.sandbox()``: a sandbox for unittest, notebooks and interactive sessions."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from pytest_turris.core.checks.fresh_state import StrictFailureError
from pytest_turris.core.options import READ_BY, Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.unknowns.option_values import OptionError
from pytest_turris.doors.environment import client_environment
from pytest_turris.doors.in_process.opening import open_doors
from pytest_turris.process.environment import EnvironmentVariables


@contextlib.contextmanager
def sandbox(**options: Any) -> Iterator[Sandbox]:  # noqa: ANN401 - the options' values
    """A sandbox that answers httpx, httpx2 and requests in this process while the context is open.

    Its credentials are in the environment, as in a test with the fixture ``turris``, and are taken
    out again at the end. Nothing guards the network: a client that is not answered in process
    reaches the real host.

    Args:
        **options: Options, such as ``envelope="top_level"``, as on the options page.

    Raises:
        OptionError: There is no such option, its value is wrong, or only another fixture than
            ``turris`` reads it.
        StrictFailureError: The context ended without an error of its own, but with refusals that
            it did not expect, or with unused faults (options ``fail_on_refusal`` and
            ``fail_on_unused_fault``).
    """
    for name in options:
        if "turris" not in (readers := READ_BY.get(name, ("turris",))):
            raise OptionError(
                f"turris option {name!r} does nothing here: only {' or '.join(readers)} reads it"
            )
    made = Sandbox(Options.from_layers(options), name=os.urandom(8).hex())
    with EnvironmentVariables(client_environment(made, made.base_url)), open_doors(made):
        yield made
    if failures := made.strict_failures():
        raise StrictFailureError("\n\n".join(failures))
