"""WH-133 to WH-138: texts in genuine events that a careless receiver takes for code."""

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import FORGED_LINE, AttackContext
from pytest_turris.attacks.effects import read_text
from pytest_turris.attacks.families.variants import JsonPayload, identified, named
from pytest_turris.attacks.judging.trap import the_trap, unvisited
from pytest_turris.attacks.step import (
    AttackStep,
    Examine,
    StepOutcome,
    Transmission,
    Trouble,
    accepted,
    refused,
    tolerated,
)
from pytest_turris.findings.errors import MissingHookError
from pytest_turris.webhooks.signed import SignedWebhook

INJECTION = Catalogue("payload")
_attack = INJECTION.attack

_ENTERED = "Anyone who can enter a name in Turris sends it, rightly signed. "
_EVERY_ROW = ("x' OR '1'='1", 'x" OR "1"="1', "x' OR 1=1 --", "\\' OR 1=1 -- ", "%", "1 OR 1=1")
_OPERATORS: tuple[dict[str, Any], ...] = ({"$ne": None}, {"$gt": ""}, {"$regex": ".*"})
_MARKUP = "<turris-x><img src=x onerror=turris()><script>turris()</script>\"onload='turris()"
_RAW_MARKUP = re.compile(r"<(?:turris-|img src=x onerror=turris|script>turris)")
_SUM = "1000+337"
_TEMPLATES = (
    "turris{{%s}}x", "turris${%s}x", "turris<%%=%s%%>x", "turris#{%s}x", "turris{%%print(%s)%%}x",
    "turris@(%s)x", "turris{%s}x", "turris[[${%s}]]x", "turris*{%s}x",
)  # fmt: skip
_COMMANDS = ("x; {0};", "$({0})", "`{0}`", "x' ; {0}; '", 'x" ; {0}; "', "x | {0}", "x\n{0}\n")
_QUERY_NAMES = ("path", "file", "filename", "name", "ref", "branch", "event", "type", "cmd")
_COMPUTED = "turris1337x"

Change = Callable[[JsonPayload, Any], JsonPayload]


@_attack(
    "WH-133",
    "quote-in-a-query",
    does="Sends a genuine event with an apostrophe in a name; then quotes, wildcards and operators "
    "in names and ids that would make a query mean every row.",
    wants="Accept the first and act on it; do no more for the others than for one event.",
    why=_ENTERED + "Put into the text of a query, it changes the query. A name such as O'Brien "
    "breaks it, and the webhook is lost.",
    fix="Pass values as parameters; take ids for texts of the documented form alone.",
    source="CWE-89, CWE-943; OWASP, injection prevention cheat sheet",
)
def _query(context: AttackContext) -> Iterator[AttackStep]:
    usual: list[int] = []

    def control(seen: StepOutcome) -> Iterable[Trouble]:
        usual.append(seen.effects or 0)
        return ()

    def no_more(seen: StepOutcome) -> Iterable[Trouble]:
        most = max(usual)
        if seen.effects is not None and seen.effects > most:
            yield Trouble(f"{seen.effects} effects", f"at most {most}, as for a plain event")

    yield accepted(_changed(context, named, "Turris Ltd"), "plain").examined(control)
    yield accepted(_changed(context, named, "O'Brien & Sons"), "apostrophe").examined(control)
    for text in _EVERY_ROW:
        yield tolerated(_changed(context, named, text), f"name {text}").examined(no_more)
        yield tolerated(_changed(context, identified, text), f"id {text}").examined(no_more)
    for operator in _OPERATORS:
        hostile = _changed(context, identified, operator)
        yield tolerated(hostile, f"id {operator}").examined(no_more)


@_attack(
    "WH-134",
    "forged-log-line",
    does="Puts line breaks into every text of a genuine event, and into an unsigned body; then "
    "reads the log.",
    wants="No line that begins as the sender wants.",
    why="Anyone can write into the log what never happened, and hide what did.",
    fix="Log values as JSON or with repr(); do not log the body of what was refused.",
    source="CWE-117; OWASP, logging cheat sheet",
)
def _log(context: AttackContext) -> Iterator[AttackStep]:
    if (log := context.hooks.log) is None:
        raise MissingHookError("needs to read the receiver's log: run(..., log=...)")
    begin = len(read_text(log, "log"))

    def told(_: StepOutcome) -> Iterable[Trouble]:
        text = read_text(log, "log")[begin:]
        if any(line.startswith(FORGED_LINE) for line in re.split(r"[\r\n]", text)):
            yield Trouble("a line of the sender's making stands in the log", "none", "no leak")
        if context.key in text:
            yield Trouble("the key stands in the log", "keep the key to itself", "no leak")

    for mark in ("\n", "\r", "\r\n"):
        text = f"West{mark}{FORGED_LINE}"
        noted = context.sign(context.genuine().json | {"note": text})
        yield tolerated(noted, f"note, {mark!r}").examined(told)
        yield tolerated(_changed(context, named, text), f"name, {mark!r}").examined(told)
        yield tolerated(_changed(context, identified, text), f"id, {mark!r}").examined(told)
    event = context.genuine().json | {"webhookType": f"TURRIS\n{FORGED_LINE}"}
    yield tolerated(context.sign(event), "webhookType").examined(told)
    unsigned = replace(context.genuine(), body=b'{"webhookType":\n' + FORGED_LINE.encode())
    yield refused(unsigned.unsigned(), "unsigned, no JSON").examined(told)
    yield refused(context.wrongly_signed(unsigned), "wrongly signed, no JSON").examined(told)


@_attack(
    "WH-135",
    "markup-where-it-is-shown",
    does="Sends genuine events with markup in names, ids and notes; then reads the pages on which "
    "the receiver's users see them.",
    wants="Show it as text.",
    why=_ENTERED + "Shown as markup it runs in the browsers of the receiver's users.",
    fix="Let the template escape; never mark data as safe.",
    source="CWE-79; OWASP, cross site scripting prevention cheat sheet",
)
def _shown(context: AttackContext) -> Iterator[AttackStep]:
    if (shown := context.hooks.shown) is None:
        raise MissingHookError("needs to read the pages that show names: run(..., shown=...)")

    def run(_: StepOutcome) -> Iterable[Trouble]:
        if _RAW_MARKUP.search(read_text(shown, "shown")):
            yield Trouble("a page shows a name as markup", "the text, escaped")

    yield tolerated(_changed(context, named, _MARKUP), "names").examined(run)
    yield tolerated(_changed(context, identified, _MARKUP), "ids").examined(run)
    noted = context.sign(context.genuine().json | {"note": _MARKUP})
    yield tolerated(noted, "note").examined(run)


@_attack(
    "WH-136",
    "template-in-a-name",
    does="Sends genuine events whose names are expressions of template engines; then looks for "
    "their result in answers, pages and the log.",
    wants="Show them as they are.",
    why=_ENTERED + "Taken for a template, it runs on the receiver.",
    fix="Give names to a template as values; never make a template of them.",
    source="CWE-1336; Log4Shell, CVE-2021-44228: a logged text that is evaluated",
)
def _template(context: AttackContext) -> Iterator[AttackStep]:
    readers = [hook for hook in (context.hooks.shown, context.hooks.log) if hook is not None]
    if not readers:
        raise MissingHookError("needs to read pages or a log: run(..., shown=..., log=...)")

    def computed(seen: StepOutcome) -> Iterable[Trouble]:
        answer = seen.answer.text if seen.answer else ""
        if any(
            _COMPUTED in text
            for text in (answer, *(read_text(hook, "shown and log") for hook in readers))
        ):
            yield Trouble("an expression in a name was computed", "the name as it is")

    for form in _TEMPLATES:
        text = form % _SUM
        yield tolerated(_changed(context, named, text), text).examined(computed)


@_attack(
    "WH-137",
    "name-as-a-file",
    does="Sends genuine events whose names, ids and types are paths, relative and absolute, to an "
    "empty directory of this machine, and unsigned ones with such a path in the query; then looks "
    "for files in it.",
    wants="Write nothing there.",
    why=_ENTERED + "Used for the name of a file, it writes, or reads, wherever it likes.",
    fix="Name files by ids of your own, or by a digest.",
    source="CWE-22; claude-ops 369 (the type of the event), obsidian-webhooks 12 (the query)",
)
def _file(context: AttackContext) -> Iterator[AttackStep]:
    with _directory() as place:

        def written(_: StepOutcome) -> Iterable[Trouble]:
            if found := sorted(one.name for one in place.iterdir()):
                yield Trouble(f"a file was written where a name led to: {found[0]}", "none")

        for text in (f"{place}/absolute", f"{'../' * 16}{place}/relative", f"..\\..{place}/mixed"):
            label = text.rpartition("/")[2]
            yield tolerated(_changed(context, named, text), f"name, {label}").examined(written)
            yield tolerated(_changed(context, identified, text), f"id, {label}").examined(written)
            yield from _unsigned(context, text, label, written)


@_attack(
    "WH-138",
    "name-in-a-command",
    comes_late=True,
    does="Sends genuine events whose names, ids and types would, in a shell, make a file in an "
    "empty directory of this machine, or ask for a URL on it; and unsigned ones with such a query.",
    wants="Run nothing.",
    why=_ENTERED + "Put into a command line, it is a command.",
    fix="Start programs with a list of arguments, without a shell.",
    source="CWE-78; php-censor 441 (the query); hedy 5327 (the name of a branch)",
)
def _command(context: AttackContext) -> Iterator[AttackStep]:
    with _directory() as place, the_trap().watch("WH-138") as watch:
        commands = f"touch {place}/ran; curl -s {watch.url('command')}"

        def ran(_: StepOutcome) -> Iterable[Trouble]:
            if any(place.iterdir()):
                yield Trouble("a command in a name was run", "none")

        for form in _COMMANDS:
            text = form.format(commands)
            yield tolerated(_changed(context, named, text), f"name {form}").examined(ran)
            yield tolerated(_changed(context, identified, text), f"id {form}").examined(ran)
            yield from _unsigned(context, text, form, ran)
        last = accepted(context.genuine(), "a plain one", effects="any")
        yield last.examined(lambda _: unvisited(watch))


def _unsigned(
    context: AttackContext, text: str, label: str, examine: Examine
) -> Iterator[AttackStep]:
    """The text for the type of a genuine event, and in the query of an unsigned one."""
    event = context.sign(context.genuine().json | {"webhookType": text})
    yield tolerated(event, f"webhookType, {label}").examined(examine)
    query = "&".join(f"{name}={quote(text)}" for name in _QUERY_NAMES)
    there = Transmission(change_path=lambda path: f"{path}?{query}")
    unsigned = refused(context.genuine().unsigned(), f"query, {label}", transmission=there)
    yield unsigned.examined(examine)


def _changed(context: AttackContext, change: Change, value: object) -> SignedWebhook:
    """A genuine event with this value for its names, or for its ids."""
    event = context.genuine().json
    return context.sign(event | {"payload": change(event["payload"], value)})


@contextmanager
def _directory() -> Iterator[Path]:
    """An empty directory that every user of this machine can write to; deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="turris-") as name:
        place = Path(name)
        place.chmod(0o777)  # the receiver may run as another user
        yield place
