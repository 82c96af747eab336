"""WH-146 to WH-149: what the address, the host and the method of a request may claim."""

from collections.abc import Iterable, Iterator

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext, with_header_lines
from pytest_turris.attacks.families.advice import FORGED
from pytest_turris.attacks.families.switches import TRUE_NAMES, both_forged
from pytest_turris.attacks.judging.trap import the_trap, unvisited
from pytest_turris.attacks.step import AttackStep, StepOutcome, Transmission, Trouble, refused
from pytest_turris.findings.errors import NotApplicableError

REQUEST_LINE = Catalogue("transport")
_attack = REQUEST_LINE.attack

_HOSTS = ("localhost", "localhost:3000", "127.0.0.1", "[::1]", "internal", "test.local")
_METHODS = ("GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
_HOST_LINES = ("X-Forwarded-Host", "X-Forwarded-Server", "X-Original-Host", "X-Host", "Origin")


@_attack(
    "WH-146",
    "switch-in-the-query",
    quick=True,
    does="Sends an unsigned and a wrongly signed event to the address with ?debug=1, ?test=true "
    "and other such parameters.",
    wants="Refuse it (4xx), and do nothing.",
    why="Anyone can write the query. " + FORGED,
    fix="Verify every request; leave test switches to the tests, which can sign.",
    source="CWE-807; the query is not part of what is signed",
)
def _query(context: AttackContext) -> Iterator[AttackStep]:
    _require_request(context)
    for value in ("1", "true", ""):
        said = "&".join(f"{name}={value}" if value else name for name in TRUE_NAMES)
        there = Transmission(change_path=lambda path, said=said: f"{path}?{said}")  # type: ignore[misc] # a default binds the text of this turn
        yield from both_forged(context, context.genuine(), f"?debug={value} and others", there)
    words = "mode=test&env=development&environment=sandbox&stage=dev&source=turris&verify=false"
    there = Transmission(change_path=lambda path: f"{path}?{words}&live=0&signature=none")
    yield from both_forged(context, context.genuine(), "?mode=test and others", there)


@_attack(
    "WH-147",
    "claimed-host",
    quick=True,
    does="Sends an unsigned and a wrongly signed event whose Host header names this machine, or a "
    "private network.",
    wants="Refuse it (4xx), and do nothing.",
    why="Anyone can write the Host header; it does not say that a developer is at work. " + FORGED,
    fix="Verify whatever the host is; leave test switches to the tests, which can sign.",
    source="RFC 9110, 7.2 and 17.1; CWE-290",
)
def _claimed_host(context: AttackContext) -> Iterator[AttackStep]:
    _require_request(context)
    for host in _HOSTS:
        yield from both_forged(context, context.genuine(), host, Transmission(host=host))


@_attack(
    "WH-148",
    "method-override",
    quick=True,
    does="Sends an unsigned and a wrongly signed event by POST, whose headers or query say that it "
    "is another method.",
    wants="Refuse it (4xx or 501), and do nothing.",
    why="A receiver that verifies for POST alone takes everything that says it is something else.",
    fix="Switch the overriding of methods off, and verify in the handler whatever the method is.",
    source="expressjs/method-override; Rack::MethodOverride; CWE-650",
)
def _override(context: AttackContext) -> Iterator[AttackStep]:
    _require_request(context)
    for method in _METHODS:
        lines = [(name, method) for name in _OVERRIDES]
        yield from both_forged(
            context, with_header_lines(context.genuine(), *lines), f"{_OVERRIDES[0]}: {method}"
        )
    there = Transmission(change_path=lambda path: f"{path}?_method=PUT&X-HTTP-Method-Override=PUT")
    yield from both_forged(context, context.genuine(), "?_method=PUT", there)


@_attack(
    "WH-149",
    "request-to-the-claimed-host",
    does="Sends an unsigned event that names, as its Host, a server on this machine, which watches "
    "whether it is asked for anything.",
    wants="Refuse it (4xx), and make no request.",
    why="A receiver that builds a URL from the Host header sends requests, and what they carry, "
    "to wherever a stranger says.",
    fix="Take your own address from your configuration.",
    source="CWE-918; RFC 9110, 7.2: Host is a target of those who redirect requests",
)
def _asked_host(context: AttackContext) -> Iterator[AttackStep]:
    _require_request(context)
    with the_trap().watch("WH-149") as watch:

        def unasked(_: StepOutcome) -> Iterable[Trouble]:
            return unvisited(watch)

        named = Transmission(host=watch.host)
        yield refused(context.genuine().unsigned(), "Host", transmission=named).examined(unasked)
        lines = [(name, watch.host) for name in _HOST_LINES]
        forwarded = ("Forwarded", f'host="{watch.host}"')
        beside = with_header_lines(context.genuine().unsigned(), *lines, forwarded)
        yield refused(beside, _HOST_LINES[0]).examined(unasked)


def _require_request(context: AttackContext) -> None:
    if context.is_function:
        raise NotApplicableError("a function of body and headers sees no address, host or method")
