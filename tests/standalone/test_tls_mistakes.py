"""What each command says of https:// at a port of HTTP, and the other way round."""

import ssl
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner
from doubles.served_here import served

from mock_server.drift.asking import DriftError, RealTenant, ask
from mock_server.shell.cli import app
from mock_server.shell.option_types import WEBHOOK_SECRET
from pytest_turris.core.options import Options
from pytest_turris.relay.client import Relay, RelayError

_UNTRUSTED = "{at} is not trusted"
_PLAIN = "{at} speaks plain HTTP: use http:// in the URL"
_SECURE = "{at} speaks TLS: use https:// in the URL"


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, str]]:
    """The host and the port of a sandbox with HTTP, and of one with TLS."""
    with served() as plain, served(Options(tls=True)) as secure:
        yield {
            "http": plain.base_url.partition("//")[2],
            "https": secure.base_url.partition("//")[2],
        }


def _command(*words: str) -> Callable[[str], str]:
    def said(url: str) -> str:
        result = CliRunner().invoke(app, [*words, url], env={WEBHOOK_SECRET: "a key of the test"})
        assert result.exit_code
        return result.output

    return said


def _connected(url: str) -> str:
    context = ssl.create_default_context() if url.startswith("https:") else None
    with pytest.raises(RelayError) as caught:
        Relay(url, "a token", workers=1, context=context)
    return str(caught.value)


def _asked(url: str) -> str:
    with pytest.raises(DriftError) as caught:
        ask(RealTenant(url, "id", "secret"))
    return str(caught.value)


_CLIENTS = {
    "controls": _command("show", "--url"),
    "audit": _command("audit", "--url"),
    "health": _command("health"),
    "trigger": _command("trigger", "PRODUCER_AGREEMENT_EXECUTED", "--to"),
    "pytest --turris-url": _connected,
    "drift": _asked,
}


@pytest.mark.parametrize(
    ("scheme", "speaks", "words"),
    [("https", "http", _PLAIN), ("http", "https", _SECURE), ("https", "https", _UNTRUSTED)],
)
@pytest.mark.parametrize("client", _CLIENTS)
@pytest.mark.usefixtures("without_authority")
def test_a_wrong_scheme_or_authority_is_named(
    ports: dict[str, str], client: str, scheme: str, speaks: str, words: str
) -> None:
    """With what to do; no command says that nothing answers, or how to start a sandbox."""
    if (client, words) == ("health", _UNTRUSTED):
        pytest.skip("a health check sends nothing secret, so that it trusts any certificate")
    said = _CLIENTS[client](f"{scheme}://{ports[speaks]}")
    assert words.format(at=ports[speaks]) in said
    assert ("let SSL_CERT_FILE name" in said) == (words == _UNTRUSTED)
    assert "nothing answers" not in said
    assert "serve'" not in said


@pytest.fixture
def without_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """No authority is trusted but those of the system."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
