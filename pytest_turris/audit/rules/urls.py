"""Where credentials are: not in URLs, only in their one place, not at another host."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pytest_turris.audit.rules.rule import Look, RuleList
from pytest_turris.audit.seen import SeenRequest
from pytest_turris.audit.spellings import SecretForms
from pytest_turris.core.access.authentication import RESTRICTED_HEADER
from pytest_turris.core.wire.hosts import is_decoy, is_turris

if TYPE_CHECKING:
    from pytest_turris.core.wire.messages import Request

PLACES = RuleList()

_SHORT = 24
_REDIRECTS = range(300, 400)
_PROPER = ("authorization", RESTRICTED_HEADER)
_LOOKED_AT = (*_PROPER, "referer")
"""The headers of which other rules tell."""


@PLACES.rule(
    "RQ-01",
    "No token or secret is in a URL",
    does="Looks for the sandbox's tokens and secrets, in any encoding, in each request's target.",
    why="Proxies, servers and browsers log URLs, and all readers of such a log can use the token.",
    fix="Send the token as 'Authorization: Bearer <token>', and the secret in the body only.",
    source="vendor: never pass tokens as URL parameters; RFC 9700, 4.3.2; RFC 6749, 2.3.1",
)
def _url(look: Look) -> None:
    for seen in look.record.seen:
        target = seen.request.target
        suspicious = seen.token_in_url
        look.ran += seen.carries_credential or suspicious
        if not suspicious and len(target) > _SHORT:
            suspicious = bool(
                look.forms.find(target) or ("%" in target and look.forms.find(unquote(target)))
            )
        if suspicious:
            look.spot([seen], "a token or secret in the URL", "a URL without credentials")


@PLACES.rule(
    "RQ-02",
    "No token or secret is in a Referer",
    does="Looks for the sandbox's tokens and secrets in each Referer header.",
    why="A Referer goes to every host that a page links to, and into their logs.",
    fix="Keep credentials out of URLs; send no Referer from an API client.",
    source="RFC 9700, 4.2",
)
def _referer(look: Look) -> None:
    for seen in look.record.seen:
        referer = seen.request.header("referer")
        if referer:
            look.ran += 1
            if look.forms.find(unquote(referer)):
                look.spot([seen], "a token or secret in the Referer", "no credential in it")


@PLACES.rule(
    "RQ-03",
    "No credential goes to another host",
    does="Looks at requests that follow a redirect, and at those to a host other than Turris'.",
    why="The operator of the other host has the credential.",
    fix="Do not follow redirects in API calls; compare the host before you send the token.",
    source="RFC 9110, 15.4; RFC 9700, 4.12",
)
def _elsewhere(look: Look) -> None:
    for seen in look.record.seen:
        look.ran += seen.status in _REDIRECTS
        if is_decoy(seen.request.host):
            look.ran += 1
            if found := _credential_in(seen, look.forms):
                got = f"{found} sent to {seen.request.host[:80]}"
                look.spot([seen], got, "no credential for another host than the configured one")


@PLACES.rule(
    "RQ-04",
    "Requests go over HTTPS only",
    does="Looks at the scheme of each request to one of Turris' hosts.",
    why="The token and the data can be read on the way.",
    fix="Begin the base URL with https://, and refuse any other scheme.",
    source="vendor: always use HTTPS; RFC 6749, 10.8",
)
def _plain(look: Look) -> None:
    for seen in look.record.seen:
        if is_turris(seen.request.host):
            look.ran += 1
            if seen.request.scheme == "http":
                look.spot([seen], "plain http:// to Turris", "https://")


@PLACES.rule(
    "RQ-11",
    "A request carries one kind of credential",
    does="Looks for requests with an access token and a restricted access token.",
    why="Turris tries the access token first, so an expired one hides behind the other, and two "
    "secrets travel where one is enough.",
    fix="Send the one credential that the call needs.",
    source="vendor: authentication, both methods",
)
def _both(look: Look) -> None:
    request: Request | None = None
    given: list[str] = []
    for seen in look.record.calls:
        if seen.request is not request:  # a client that polls repeats itself
            request = seen.request
            given = [name for name in _PROPER if any(request.lines(name))]
        look.ran += bool(given)
        if len(given) > 1:
            look.spot([seen], "an access token and a restricted access token", "one of the two")


@PLACES.rule(
    "RQ-12",
    "Credentials of one environment stay in it",
    does="Compares the environment of each credential with that of the host that it is sent to.",
    why="A production secret in a sandbox's log, or test data in production.",
    fix="Take the base URL and the credentials from one configuration per environment.",
    source="vendor: separate credentials for each environment",
)
def _environment(look: Look) -> None:
    sandbox = look.record.sandbox
    environments = {client.client_id: client.environment for client in sandbox.credentials}
    for seen in look.record.authorized:
        if not is_turris(seen.request.host):
            continue
        look.ran += 1
        own = seen.token.environment if seen.token else _named(seen, environments)
        if own and own != seen.environment:
            look.spot(
                [seen],
                f"a credential of the {own} environment, sent to {seen.environment}",
                f"a credential of the {seen.environment} environment",
            )


@PLACES.rule(
    "RQ-13",
    "Each credential is in its one place",
    does="Looks for the secret and the token in bodies and headers where they do not belong.",
    why="In an unexpected place a secret is neither masked nor guarded.",
    fix="Send the secret in the body of the token request only, the token in its header only.",
    source="RFC 6749, 2.3.1; RFC 6750, 2",
)
def _misplaced(look: Look) -> None:
    clean: Request | None = None
    for seen in look.record.calls:
        look.ran += seen.carries_credential
        if seen.request is clean:
            continue  # as above
        before = len(look.spotted)
        if b"turris_sandbox_secret" in seen.request.body or b"eyJ" in seen.request.body:
            text = seen.request.body.decode("utf-8", "replace")
            if found := look.forms.find(text):
                look.spot([seen], f"{found} in the body of a call", "no credential in the body")
        for name, value in seen.request.headers:
            if name in _LOOKED_AT or not _looks_secret(value):
                continue
            if found := look.forms.find(value):
                got = f"{found} in the header {name[:40]}"
                look.spot([seen], got, "the credential in its own header only")
        clean = seen.request if len(look.spotted) == before else None


def _looks_secret(value: str) -> bool:
    return "turris_sandbox_" in value or "eyJ" in value


def _credential_in(seen: SeenRequest, forms: SecretForms) -> str:
    request = seen.request
    body = request.body.decode("utf-8", "replace")
    headers = "\n".join(value for _, value in request.headers)
    return forms.find(f"{request.target}\n{headers}\n{body}")


def _named(seen: SeenRequest, environments: Mapping[str, str]) -> str:
    """The environment of the client id in a token request."""
    if not seen.is_token_request:
        return ""
    text = seen.request.body.decode("utf-8", "replace")
    return next((own for name, own in environments.items() if name in text), "")
