"""Secrets and tokens in places where they do not belong."""

import base64
import logging
import os
import sys
import traceback
import warnings
from typing import Any

from strangers.clients.correct.plain import Answer, Plain
from strangers.clients.correct.shared.answers import Grant, TurrisError, grant_of
from strangers.clients.correct.shared.httpx_calls import TOKEN_PATH
from strangers.clients.design import broken

log = logging.getLogger("directory")


@broken("TC-16")
class TokenInUrl(Plain):
    """The token is a query parameter, which proxies and servers log."""

    def signed(self, method: str, path: str, token: str, invitation: Any = None) -> Answer:
        return super().signed(method, f"{path}?access_token={token}", token, invitation)


@broken("TC-16")
class SecretInUrl(Plain):
    """clientSecret is a query parameter of the token request."""

    def ask(self) -> Grant:
        path = f"{TOKEN_PATH}?clientSecret={self.settings.client_secret}"
        status, _, body = self.send("POST", path, json=self.settings.credentials)
        return grant_of(status, body)


@broken("TC-28")
class LogsTheToken(Plain):
    """log.info("new token %s") after each refresh."""

    def ask(self) -> Grant:
        grant = super().ask()
        log.info("new token %s for %s", grant.token, self.settings.client_id)
        return grant


@broken("TC-28")
class LogsHeaders(Plain):
    """Debug logging of all request headers, Authorization included."""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        log.debug("%s %s %s", method, path, arguments.get("headers"))
        return super().once(method, path, **arguments)


@broken("TC-28")
class LogsBodies(Plain):
    """Debug logging of request bodies: the token request's body is the secret."""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        log.debug("%s %s %s", method, path, arguments.get("json"))
        return super().once(method, path, **arguments)


@broken("TC-54")
class LogsAnswers(Plain):
    """log.debug(response.text): names, licences and tokens of every answer are in the log."""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = super().once(method, path, **arguments)
        log.debug("answer %d: %s", answer[0], answer[2].decode(errors="replace"))
        return answer


@broken("TC-63")
class LogsTokenTail(Plain):
    """Logs the last 40 characters of the token "for correlation": they are of its signature."""

    def ask(self) -> Grant:
        grant = super().ask()
        log.info("token ends with %s", grant.token[-40:])
        return grant


@broken("TC-63")
class LogsSecretsTail(Plain):
    """Logs all but the first eight characters of the secret."""

    def ask(self) -> Grant:
        log.info("asking with secret ********%s", self.settings.client_secret[8:])
        return super().ask()


@broken("TC-28")
class LogsEncodedSecret(Plain):
    """Logs the base64 of id and secret, which is not encryption."""

    def ask(self) -> Grant:
        pair = f"{self.settings.client_id}:{self.settings.client_secret}"
        log.info("credentials %s", base64.b64encode(pair.encode()).decode())
        return super().ask()


@broken("TC-28")
class PrintsTheToken(Plain):
    """A forgotten print(token) in the refresh."""

    def ask(self) -> Grant:
        grant = super().ask()
        print("got", grant.token)
        return grant


@broken("TC-28")
class WarnsWithTheToken(Plain):
    """warnings.warn shows the token when a refresh comes early."""

    def refresh(self) -> None:
        super().refresh()
        token = self.state.grant.token if self.state.grant else ""
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn(f"refreshed {token}", RuntimeWarning, stacklevel=2)


@broken("TC-28")
class ReprOfTheToken(Plain):
    """The client's repr shows the token, so every traceback with locals and every debugger does."""

    def __repr__(self) -> str:
        token = self.state.grant.token if self.state.grant else None
        return f"<Client {self.settings.base_url} token={token}>"


@broken("TC-28")
class ReprOfTheSecret(Plain):
    """A dataclass of settings with the default repr: the secret is shown with the client."""

    def __repr__(self) -> str:
        return f"<Client id={self.settings.client_id!r} secret={self.settings.client_secret!r}>"


@broken("TC-31", "AR-16", "TC-28")
class SecretInException(Plain):
    """The error of a refused token request quotes the request, secret included."""

    def ask(self) -> Grant:
        try:
            return super().ask()
        except TurrisError as error:
            raise TurrisError(f"{error}: request was {self.settings.credentials}") from error


@broken("AR-16")
class AnswerInException(Plain):
    """The error quotes the answer, and an answer can repeat the token that it refuses."""

    def call(self, method: str, path: str, invitation: Any = None) -> Answer:
        answer = super().call(method, path, invitation)
        if answer[0] >= 400:
            raise TurrisError(f"{answer[0]}: {answer[2].decode(errors='replace')}")
        return answer


@broken("AR-15")
class ForgedLogLines(Plain):
    """errorMessage goes into the log as it is: a line break in it forges a log line."""

    def call(self, method: str, path: str, invitation: Any = None) -> Answer:
        answer = super().call(method, path, invitation)
        if answer[0] >= 400:
            text = answer[2].decode(errors="replace")
            log.error("refused: %s", text.replace("\\n", "\n").replace("\\r", "\r"))
        return answer


@broken("TC-59")
class SecretInHeaders(Plain):
    """Sends the secret in a header of every call, "so that support can find us"."""

    def headers(self, token: str) -> dict[str, str]:
        return super().headers(token) | {"x-client-secret": self.settings.client_secret}


@broken("TC-34")
class BothCredentials(Plain):
    """Sends the token as x-restricted-access-token too."""

    def headers(self, token: str) -> dict[str, str]:
        return super().headers(token) | {"x-restricted-access-token": token}


@broken("TC-28", "TC-31")
class TracebackWithLocals(Plain):
    """On an error it prints the locals of all frames, for the support."""

    def ask(self) -> Grant:
        secret = self.settings.client_secret
        try:
            return super().ask()
        except TurrisError as error:
            for frame, _ in traceback.walk_tb(error.__traceback__):
                if "secret" in frame.f_locals:
                    print("locals", {"secret": secret}, file=sys.stderr)
            raise


@broken("TC-59")
class TokenInEnvironment(Plain):
    """Puts the token into the environment for child processes, where every child can read it."""

    def ask(self) -> Grant:
        grant = super().ask()
        os.environ["TURRIS_ACCESS_TOKEN"] = grant.token
        return grant


@broken("TC-59")
class TokenInUserAgent(Plain):
    """The user agent names the session by its token."""

    def headers(self, token: str) -> dict[str, str]:
        return super().headers(token) | {"user-agent": f"directory/1.0 ({token})"}


@broken("TC-45")
class SendsReferer(Plain):
    """A Referer with the whole last URL, its query and the client id included."""

    last = ""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        token = self.state.grant.token if self.state.grant else ""
        headers = dict(arguments.pop("headers", {}))
        headers["referer"] = f"{self.settings.base_url}{self.last or '/login'}?session={token}"
        self.last = path
        return super().once(method, path, headers=headers, **arguments)
