"""Plain HTTP: refused by the Turris hosts, unless an option allows it."""

from doubles.sandbox_client import PRODUCTION_HOST, Client, refusal

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox

AGENTS = "/v1/agents"


def test_plain_http_to_a_turris_host_is_refused(caller: Client) -> None:
    """A credential over ``http://`` is refused, however the host is written."""
    for host in (
        PRODUCTION_HOST,
        "public.api.sandbox.turrisfi.com:80",
        "PUBLIC.API.live.turrisfi.com.",
    ):
        response = caller.get(AGENTS, scheme="http", host=host)
        assert refusal(response) == (403, "forbidden", ["HTTPS is required"])


def test_plain_http_may_be_allowed() -> None:
    """Option ``allow_plain_http``: the Turris hosts answer it too."""
    client = Client(Sandbox(Options(allow_plain_http=True)))
    client.token()
    assert client.get(AGENTS, scheme="http").status == 200


def test_plain_http_to_a_loopback_server_is_no_fault(caller: Client) -> None:
    """A loopback server may use ``http://``."""
    assert caller.get(AGENTS, scheme="http", host="127.0.0.1:8080").status == 200
