"""WH-141: the names of headers as gateways write them."""

from collections.abc import Iterator
from dataclasses import replace

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.step import AttackStep, accepted

HEADER_NAMES = Catalogue("transport")
_attack = HEADER_NAMES.attack


@_attack(
    "WH-141",
    "header-names-of-gateways",
    quick=True,
    does="Sends a genuine event with the names of all headers in small letters, in capitals, and "
    "each word with a capital.",
    wants="Accept it (2xx).",
    why="HTTP/2, API Gateway and load balancers write names in small letters, others keep or "
    "capitalise them: a look-up of one spelling works in a test, and loses every webhook there.",
    fix="Turn all names to small letters once, or use a mapping without regard to case.",
    source="RFC 9110, 5.1; RFC 9113, 8.2.1; stripe-node 1768",
)
def _names(context: AttackContext) -> Iterator[AttackStep]:
    for label, change in (("small", str.lower), ("title", str.title), ("capitals", str.upper)):
        webhook = context.genuine()
        lines = tuple((change(name), value) for name, value in webhook.header_lines)
        yield accepted(replace(webhook, header_lines=lines), label)
