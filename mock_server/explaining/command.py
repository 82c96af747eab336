"""``turris-sandbox explain``."""

import re

import click

from mock_server.explaining import lines
from mock_server.explaining.checks import check_explanations
from mock_server.explaining.explanation import Explanation
from mock_server.explaining.options import option_explanations
from mock_server.shell.completion.values import one_of
from mock_server.shell.printing import say
from pytest_turris.audit.families import FAMILIES
from pytest_turris.core.options import option_name
from pytest_turris.core.text.names import did_you_mean

_CHECK = re.compile(r"([A-Za-z]{2,4})-?(\d{1,3})(?:[-/].*)?")
"""An id, also as tests show it: ``WH-05-wrong-same-length``, ``AR-27/milliseconds``, or ``wh5``."""


@click.command()
@click.argument(
    "names", nargs=-1, required=True, metavar="NAME...", shell_complete=one_of("explained")
)
def explain(names: tuple[str, ...]) -> None:
    """Explain a check or an option: what it does, why it matters, a broken and a right example.

    NAME is the id of a check, such as WH-05, TC-10 or AR-27, the name of an option, or a line of
    the audit's checklist, such as SEC-07.
    """
    for number, name in enumerate(names):
        if number:
            say("")
        say(found(name).as_text(), nl=False)


def found(name: str) -> Explanation:
    """The explanation of that name.

    Args:
        name: An id in any case, with or without what follows its number; or an option, also as
            in an ini file, with ``turris_``, or in JSON, as ``tokenTtl``.

    Raises:
        click.UsageError: There is no such check or option.
    """
    check = _CHECK.fullmatch(name)
    prefix = check[1].upper() if check else ""
    if check and prefix in (*FAMILIES, lines.LINE_PREFIX):
        known = (
            lines.line_explanations() if prefix == lines.LINE_PREFIX else check_explanations(prefix)
        )
        number = int(check[2])
        forms = (f"{prefix}-{check[2]}", f"{prefix}-{number:02}", f"{prefix}-{number}")
        wanted = next((form for form in forms if form in known), forms[0])
    else:
        known, wanted = option_explanations(), option_name(name.removeprefix("turris_"))
    if wanted in known:
        return known[wanted]
    kinds = ", ".join(f"{one}-.." for one in (*FAMILIES, lines.LINE_PREFIX))
    hint = did_you_mean(wanted, known) or f": name a check ({kinds}) or an option"
    raise click.UsageError(f"there is no check or option {name!r}{hint}")
