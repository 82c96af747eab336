"""Where a client sends or shows its secrets: one bug in each."""

import base64
import json
import logging
import os
from datetime import datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from urllib.parse import urlsplit

from .client_steps import Answer, Send, Token
from .good_client import GoodClient


class TokenInUrl(GoodClient):
    """TC-16."""

    def url(self, path: str, token: Token) -> str:
        """With the token."""
        return f"{self.base_url}{path}{'&' if '?' in path else '?'}access_token={token.text}"


class FollowsRedirects(GoodClient):
    """TC-19 to TC-21: and every library forwards some credential."""

    follow_redirects = True

    def authorization(self, token: Token) -> dict[str, str]:
        """In a header that no library takes away."""
        return super().authorization(token) | {"x-token": token.text}


class LogsTheToken(GoodClient):
    """TC-28, AR-16."""

    def note(self, send: Send, outcome: Any) -> None:
        """With headers."""
        logging.getLogger("careless").debug("%s %s", send.url, send.headers)


class SecretInError(GoodClient):
    """TC-28, AR-16: the answer's words as they are."""

    def message(self, answer: Answer, hide: tuple[str, ...]) -> str:
        """Unchanged."""
        return answer.body.decode("utf-8", "replace")


class PublicTokenFile(GoodClient):
    """TC-29."""

    def read_token(self, document: Any, asked_at: datetime) -> Token:
        """And write it down."""
        path = Path(gettempdir()) / f"broken-client-{os.getpid()}.json"
        path.write_text(json.dumps(document))
        path.chmod(0o644)
        return super().read_token(document, asked_at)


class FollowsNext(GoodClient):
    """TC-35, AR-38: the session's headers go wherever the answer says."""

    def perform(self, method: str, path: str, headers: Any = None, body: Any = None) -> Any:
        """And all further pages."""
        token = yield from self.access_token()
        send = Send(method, self.url(path, token), self.authorization(token), None)
        document = yield from self.attempts(send, 3, hide=(token.text,))
        while link := self.next_link(document):
            url = link if link.startswith("http") else self.base_url + link
            send = Send("GET", url, self.authorization(token), None)
            document = yield from self.attempts(send, 3, hide=(token.text,))
        return self.read(document)

    def next_link(self, document: dict[str, Any]) -> str:
        """Whatever it is."""
        return str(document.get("next") or "")


class SendsReferer(GoodClient):
    """TC-45: where it was, token included."""

    def authorization(self, token: Token) -> dict[str, str]:
        """With a Referer."""
        referer = f"{self.base_url}/v1/agents?access_token={token.text}"
        return super().authorization(token) | {"referer": referer}


class SendsProxyCredentials(GoodClient):
    """TC-36: to every server, not only the proxy."""

    def authorization(self, token: Token) -> dict[str, str]:
        """With those that the environment has."""
        user = urlsplit(os.environ.get("HTTPS_PROXY", ""))
        pair = f"{user.username}:{user.password}".encode()
        more = {"proxy-authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return super().authorization(token) | (more if user.password else {})


class LogsAnswers(GoodClient):
    """TC-54."""

    def read(self, document: dict[str, Any]) -> Any:
        """And log it."""
        data = super().read(document)
        logging.getLogger("careless").info("received %s", data)
        return data


class LogsUrls(GoodClient):
    """TC-55."""

    def note(self, send: Send, outcome: Any) -> None:
        """The whole URL."""
        logging.getLogger("careless").info("%s %s", send.method, send.url)
