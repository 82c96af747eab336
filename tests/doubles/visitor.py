"""What a browser sends to the page, without a browser: cookies, forms, and the CSRF token."""

import http.client
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

from mock_server.serving.server import StandaloneSandbox
from pytest_turris.core.sandbox import Sandbox

PAGE = "/__sandbox__/page"


@dataclass(frozen=True)
class Seen:
    """An answer."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Visitor:
    """A person at a server's page."""

    server: StandaloneSandbox
    cookie: str = ""
    csrf: str = ""
    tenant: str = "default"
    origin: str = field(default="", init=False)

    def __post_init__(self) -> None:
        """Take the server's own origin."""
        self.origin = self.server.base_url

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox of the server."""
        return self.server.sandbox

    def send(self, method: str, path: str, body: str = "", **headers: str) -> Seen:
        """Send a request with exactly these headers, and the cookie."""
        port = self.server.tenants.server.own_port  # a public URL may be a proxy's
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        given = {name.replace("_", "-"): value for name, value in headers.items() if value}
        if self.cookie:
            given.setdefault("Cookie", self.cookie)
        connection.request(method, path, body=body.encode(), headers=given)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return Seen(answer.status, {k.lower(): v for k, v in answer.getheaders()}, text)

    def signed_in(self) -> "Visitor":
        """Open a new address, and follow it."""
        address = self.server.page_address()
        seen = self.send("GET", address.removeprefix(self.server.base_url))
        self.cookie = seen.headers["set-cookie"].partition(";")[0]
        text = self.get("overview").text
        found = re.search(r"X-CSRF-Token[^:]*:\s*(?:&#34;|\")([0-9a-f]+)", text)
        assert found, text[:2_000]
        self.csrf = found[1]
        return self

    def get(self, path: str, **headers: str) -> Seen:
        """A page of the tenant."""
        return self.send("GET", f"{PAGE}/{self.tenant}/{path}", **headers)

    def post(self, path: str, **fields: str) -> Seen:
        """Send a form of the tenant's pages."""
        return self.send(
            "POST", f"{PAGE}/{self.tenant}/{path}", urlencode(fields), **self.form_headers()
        )

    def do(self, control: str, **fields: str) -> Seen:
        """Execute a control through the page, from its form in the dialog."""
        return self.post(f"do/{control.replace(' ', '/')}", **fields | {"in-dialog": "1"})

    def form_headers(self) -> dict[str, str]:
        """What a browser sends with a form of the page."""
        return {
            "Origin": self.origin,
            "Sec_Fetch_Site": "same-origin",
            "Content_Type": "application/x-www-form-urlencoded",
            "X_CSRF_Token": self.csrf,
        }
