"""WH-139 to WH-140: requests that a receiver makes because a webhook says so."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.families.variants import ROUTING, identified, with_members, with_texts
from pytest_turris.attacks.judging.trap import Watch, the_trap, unvisited
from pytest_turris.attacks.step import AttackStep, StepOutcome, Trouble, accepted, tolerated
from pytest_turris.findings.errors import MissingHookError, NotApplicableError

REQUESTS_MADE = Catalogue("payload")
_attack = REQUESTS_MADE.attack

_URL_MEMBERS = (
    "url", "uri", "href", "link", "src", "endpoint", "location", "target", "resource", "self",
    "callback", "callbackUrl", "callback_url", "callbackURL", "webhookUrl", "webhook_url",
    "notifyUrl", "statusUrl", "status_url", "replyTo", "returnUrl", "redirectUrl", "redirect_uri",
    "next", "nextUrl", "document", "documentUrl", "document_url", "documentURL", "fileUrl",
    "file_url", "downloadUrl", "download_url", "pdfUrl", "contractUrl", "agreementUrl",
    "signedFileUrl", "signedFileDocumentUrl", "reportUrl", "exportUrl", "attachmentUrl", "image",
    "imageUrl", "image_url", "logo", "logoUrl", "logo_url", "avatar", "avatarUrl", "avatar_url",
    "photoUrl", "iconUrl", "thumbnailUrl", "profileUrl", "website", "homepage", "feedUrl",
    "detailsUrl", "details_url", "dataUrl", "jwksUrl", "jwks_uri", "keysUrl", "certUrl",
    "SubscribeURL", "SigningCertURL", "issuer", "schema", "$schema", "$ref", "@context", "include",
    "template", "templateUrl", "configUrl", "sourceUrl", "proxy", "host",
)  # fmt: skip
_MARK = "turris-elsewhere"
_PATHS = (
    f"../{_MARK}", f"../../{_MARK}", f"..%2f{_MARK}", f"x/../{_MARK}", f"x/{_MARK}",
    f"x?{_MARK}=1", f"x#{_MARK}", f"x;{_MARK}", f"//{_MARK}", f"..\\{_MARK}",
)  # fmt: skip
_LED_ELSEWHERE = re.compile(rf"[/?&#;\\]{_MARK}")


@_attack(
    "WH-139",
    "id-as-a-path",
    does="Sends genuine events whose ids are paths and queries; then looks at what the receiver "
    "asked the API for.",
    wants="Ask for the resource of that id, percent-encoded, or for nothing.",
    why="An id that is put into a URL as it is leads the receiver, with its token, to another "
    "resource of the API.",
    fix="Take ids of the documented form alone, and quote them: urllib.parse.quote(id, safe='').",
    source="CWE-22, CWE-918; RFC 3986, 3.3 and 6.2.2.3",
)
def _path(context: AttackContext) -> Iterator[AttackStep]:
    if (paths := context.hooks.api_paths) is None:
        raise MissingHookError("needs to see what the receiver asks the API for: use turris")
    before = len(paths())

    def control(_: StepOutcome) -> Iterable[Trouble]:
        if len(paths()) == before:
            raise NotApplicableError("the receiver asks the API for nothing after a webhook")
        return ()

    def led(_: StepOutcome) -> Iterable[Trouble]:
        for path in paths():
            if _LED_ELSEWHERE.search(path):
                yield Trouble(f"it asked for {path}", "no other resource than that of the id")
                return

    for name in context.events:
        yield tolerated(context.event(name), f"{name}, genuine")
    yield accepted(context.genuine(), "genuine", effects="any").examined(control)
    for name in context.events:
        for text in _PATHS:
            event = context.event(name).json
            hostile = event | {"payload": identified(event["payload"], text)}
            yield tolerated(context.sign(hostile), f"{name}, {text}").examined(led)


@_attack(
    "WH-140",
    "url-in-any-member",
    comes_late=True,
    does="Puts a URL on this machine into every text of each type of event, and into members of "
    f"{len(_URL_MEMBERS)} names that URLs usually have; watches to the end of the run whether it "
    "is asked for.",
    wants="Accept or refuse it, and make no request, not even later.",
    why="A receiver that follows URLs reaches what the sender cannot: metadata services, admin "
    "ports. A job that does so minutes later does the same harm.",
    fix="Never fetch a URL from a webhook; ask the API for the resource by its id.",
    source="OWASP API7:2023; CWE-918; Amazon SNS: SubscribeURL, SigningCertURL",
)
def _urls(context: AttackContext) -> Iterator[AttackStep]:
    with the_trap().watch("WH-140") as watch:
        for name in context.events:
            event = context.event(name).json
            members = _members(watch)
            extended = event | {"payload": with_members(event["payload"], members)}
            yield tolerated(context.sign(extended | members), f"{name}, more members")
            event = context.event(name).json
            yield tolerated(context.sign(_every_text(event, watch)), f"{name}, every text")
        last = accepted(context.genuine(), "a plain one", effects="any")
        yield last.examined(lambda _: unvisited(watch))


def _members(watch: Watch) -> dict[str, Any]:
    made: dict[str, Any] = {name: watch.url(name.strip("$@")) for name in _URL_MEMBERS}
    inner = {"url": watch.url("links.url"), "href": watch.url("links.href")}
    nested = ("links", "_links", "attachments", "documents", "files")
    return made | {name: inner if "links" in name else [inner] for name in nested}


def _every_text(event: dict[str, Any], watch: Watch) -> dict[str, Any]:
    """The event with a URL for each text, but for those that a receiver routes by."""
    payload = with_texts(
        event["payload"], lambda name, old: old if name in ROUTING else watch.url(name)
    )
    return event | {"payload": payload}
