"""TLS, redirects, hosts, proxies, limits."""

import base64
import json
import netrc
import os
import ssl
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import requests
from strangers.clients.correct.plain import Answer, Plain, TokenState
from strangers.clients.correct.shared.answers import ConnectionLostError, Grant, data_of, grant_of
from strangers.clients.correct.shared.httpx_calls import TOKEN_PATH
from strangers.clients.correct.shared.httpx_reading import PLAIN
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import broken


class UncheckedSettings(Settings):
    """Settings that take any address."""

    @classmethod
    def from_env(cls, prefix: str = "TURRIS") -> "Settings":
        base_url, client_id, client_secret = (
            os.environ[f"{prefix}_{name}"] for name in ("BASE_URL", "CLIENT_ID", "CLIENT_SECRET")
        )
        return cls(base_url, client_id, client_secret)


@broken("TC-17")
class PlainHttp(Plain):
    """Takes an http:// address as it is and sends the secret in the clear."""

    def __init__(self) -> None:
        self.settings = UncheckedSettings.from_env()
        self.http = self.make_http()
        self.lock = threading.Lock()
        self.state = TokenState()


@broken("TC-18", "AR-36")
class VerifyFalse(Plain):
    """verify=False, from the week when the certificate was broken."""

    def make_http(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.settings.base_url,
            timeout=self.settings.timeout,
            headers=PLAIN,
            verify=False,
        )


@broken("AR-36")
class AnyHostname(Plain):
    """check_hostname = False: any certificate of a known authority will do."""

    def make_http(self) -> httpx.Client:
        context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
        context.check_hostname = False
        return httpx.Client(
            base_url=self.settings.base_url,
            timeout=self.settings.timeout,
            headers=PLAIN,
            verify=context,
        )


@broken("TC-18", "AR-36")
class UnverifiedFallback(Plain):
    """After a certificate error it tries once more without verification."""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        try:
            return super().once(method, path, **arguments)
        except ConnectionLostError:
            with httpx.Client(
                base_url=self.settings.base_url, timeout=self.settings.timeout, verify=False
            ) as loose:
                try:
                    answer = loose.request(method, path, **arguments)
                except httpx.HTTPError as error:
                    raise ConnectionLostError(type(error).__name__) from None
                return answer.status_code, answer.headers, answer.content


@broken("TC-21")
class FollowsRedirects(Plain):
    """follow_redirects=True: a 307 sends the secret in the token request's body to another host."""

    def make_http(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.settings.base_url,
            timeout=self.settings.timeout,
            headers=PLAIN,
            follow_redirects=True,
        )


@broken("TC-19", "TC-20", "TC-21")
class ForwardsByHand(Plain):
    """Follows Location itself and keeps Authorization, whatever host it leads to."""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = super().once(method, path, **arguments)
        for _ in range(3):
            location = answer[1].get("location")
            if answer[0] not in {301, 302, 303, 307, 308} or not location:
                break
            path = urljoin(self.settings.base_url, location)
            answer = super().once(method, path, **arguments)
        return answer


@broken("TC-65", "TC-20", "TC-21")
class HostBySubstring(Plain):
    """Follows redirects to hosts whose name contains turrisfi.com (turrisfi.com.evil.example)."""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = super().once(method, path, **arguments)
        location = answer[1].get("location", "")
        if 300 <= answer[0] < 400 and "turrisfi.com" in location:
            answer = super().once(method, location, **arguments)
        return answer


@broken("TC-65", "TC-20", "TC-21")
class HostBySuffix(Plain):
    """endswith("turrisfi.com") without the dot: evilturrisfi.com passes."""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = super().once(method, path, **arguments)
        host = urlsplit(answer[1].get("location", "")).hostname or ""
        if 300 <= answer[0] < 400 and host.endswith("turrisfi.com"):
            answer = super().once(method, answer[1]["location"], **arguments)
        return answer


@broken("TC-35", "AR-38")
class FollowsNext(Plain):
    """Follows a `next` link of a list to any host, with the token."""

    def agents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        path: str | None = "/v1/agents"
        for _ in range(50):
            status, headers, body = self.call("GET", path or "")
            found += data_of(status, body)
            link = httpx.Response(200, headers=headers).links.get("next", {}).get("url")
            path = link or self._next(body)
            if not path:
                break
        return found

    @staticmethod
    def _next(body: bytes) -> str | None:
        answer = json.loads(body)
        following = answer.get("next") or (answer.get("links") or {}).get("next")
        return str(following) if following else None


@broken("TC-37")
class TrustsNetrc(Plain):
    """requests with trust_env: an entry in .netrc replaces the bearer token."""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        arguments["data"] = arguments.pop("content", None)
        try:
            answer = requests.request(
                method,
                self.settings.base_url + path,
                timeout=self.settings.timeout,
                allow_redirects=False,
                **arguments,
            )
        except requests.RequestException as error:
            raise ConnectionLostError(type(error).__name__) from None
        return answer.status_code, httpx.Headers(dict(answer.headers)), answer.content


@broken("TC-37")
class ReadsNetrcItself(Plain):
    """Prefers the password of .netrc to the configured secret."""

    def ask(self) -> Grant:
        credentials = self.settings.credentials
        path = Path(os.environ.get("NETRC", Path.home() / ".netrc"))
        if path.exists():
            host = urlsplit(self.settings.base_url).hostname or ""
            found = netrc.netrc(str(path)).authenticators(host)
            if found:
                credentials = {"clientId": found[0], "clientSecret": found[2] or ""}
        status, _, body = self.send("POST", TOKEN_PATH, json=credentials)
        return grant_of(status, body)


@broken("TC-36")
class ProxyPasswordForAll(Plain):
    """Sends Proxy-Authorization to the API itself."""

    def headers(self, token: str) -> dict[str, str]:
        headers = super().headers(token)
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY", "http_proxy"):
            proxy = urlsplit(os.environ.get(name, ""))
            if proxy.password:
                pair = f"{proxy.username}:{proxy.password}".encode()
                headers["proxy-authorization"] = "Basic " + base64.b64encode(pair).decode()
        return headers


@broken("TC-38", "AR-33")
class NoTimeout(Plain):
    """timeout=None: one silent server blocks a worker forever."""

    def make_http(self) -> httpx.Client:
        return httpx.Client(base_url=self.settings.base_url, timeout=None, headers=PLAIN)


@broken("TC-38", "AR-33")
class NoTimeoutForTheToken(Plain):
    """The token request goes around the client and its timeout, as in many httpx.Auth classes."""

    def ask(self) -> Grant:
        request = httpx.Request(
            "POST", self.settings.base_url + TOKEN_PATH, json=self.settings.credentials
        )
        try:
            answer = self.http._transport.handle_request(request)
            body = answer.read()
        except httpx.HTTPError as error:
            raise ConnectionLostError(type(error).__name__) from None
        return grant_of(answer.status_code, body)
