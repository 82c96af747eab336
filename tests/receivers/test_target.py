"""A receiver is classified once in each run, and what a target says of itself."""

import asyncio
from collections.abc import Callable

import flask
import httpx
import pytest
from doubles.attacked_project import run
from doubles.receivers.bare_server import BareServer
from doubles.receivers.good_receiver import ENTITY, KEY
from fastapi import FastAPI
from typer.testing import CliRunner

from mock_server.cli import app as command_line
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks
from pytest_turris.receivers import target as target_module
from pytest_turris.receivers.exchange import Post
from pytest_turris.receivers.target import Target, UrlTarget
from pytest_turris.webhooks.factory import WebhookFactory

AGREEMENT = "PRODUCER_AGREEMENT_EXECUTED"


@pytest.fixture
def classified(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Each receiver that this test has classified."""
    calls: list[object] = []
    classify: Callable[..., Target] = target_module._classified

    def counting(receiver: object, *rest: object) -> Target:
        calls.append(receiver)
        return classify(receiver, *rest)

    monkeypatch.setattr(target_module, "_classified", counting)
    return calls


def accept(body: bytes, headers: object) -> bool:
    """Accept everything."""
    return True


def test_attack_of_many_copies_classifies_its_receiver_once(
    pytester: pytest.Pytester, classified: list[object]
) -> None:
    """A thousand copies and a health check are sent to a receiver that was classified once."""
    result = run(
        pytester, "import pytest", "from receiver import verify",
        "@pytest.mark.turris(attack_profile='full')",
        "def test_receiver(turris_webhook_attack):",
        "    turris_webhook_attack.run(verify)",
        args=("-k", "WH-95"),
    )  # fmt: skip
    result.assert_outcomes(skipped=1)
    assert len(classified) == 1


def test_command_line_classifies_its_receiver_once(classified: list[object]) -> None:
    """All attacks of a profile share one target."""
    environment = {"TURRIS_WEBHOOK_SECRET": KEY}
    with BareServer().open() as server:
        done = CliRunner().invoke(
            command_line, ["attack", server.url, "--entity", ENTITY], env=environment
        )
        assert done.exit_code == 0, done.output
        assert classified == [server.url]


def test_engine_classifies_a_registered_receiver_once(classified: list[object]) -> None:
    """However often a registered receiver is sent to, it was classified at its registration."""
    sandbox = Sandbox(name="classified")
    webhooks = TurrisWebhooks.of(sandbox)
    webhooks.register(accept, event=AGREEMENT)
    for _ in range(3):
        sandbox.execute_agreement(sandbox.associations.add())
    assert webhooks.drain().delivered == 3
    assert classified == [accept]


def test_target_is_not_classified_again(webhooks: WebhookFactory, classified: list[object]) -> None:
    """A target that the test made is sent to as it is, by either method."""
    target = Target.of(accept)
    webhook = webhooks.sign(b"{}")
    assert webhook.send(target).accepted
    assert asyncio.run(webhook.asend(target)).accepted
    assert classified == [accept]


def test_path_beside_a_target_replaces_its_own(webhooks: WebhookFactory) -> None:
    """The nearest path wins; without one the target's own stays."""
    asked: list[str] = []

    def app(environ: dict[str, str], start_response: Callable[..., object]) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start_response("204 No Content", [])
        return []

    target = Target.of(app, "/webhooks")
    webhooks.sign(b"{}").send(target)
    webhooks.sign(b"{}").send(target, "/other")
    assert asked == ["/webhooks", "/other"]


@pytest.mark.parametrize(
    ("url", "path", "origin", "rest"),
    [
        ("http://127.0.0.1:1", "", "http://127.0.0.1:1", ""),
        ("http://127.0.0.1:1/a/b?c=/d", "", "http://127.0.0.1:1", "/a/b?c=/d"),
        ("http://127.0.0.1:1/a", "/b", "http://127.0.0.1:1/a", "/b"),
        ("127.0.0.1/a", "", "127.0.0.1/a", ""),
    ],
)
def test_split_of_a_url(url: str, path: str, origin: str, rest: str) -> None:
    """A URL without a path of its own gives its path to the target, and leads to the same place."""
    target = Target.of(url, path)
    assert isinstance(target, UrlTarget)
    split = target.split()
    assert (split.url, split.path) == (origin, rest)
    if "://" in url:
        sent = Post(headers=(), body=b"", path=path)
        assert split.destination(Post(headers=(), body=b"", path=rest)) == target.destination(sent)


def test_repr_shows_no_token() -> None:
    """A URL and a path may hold a token, so a target shows only its kind."""
    target = Target.of("http://127.0.0.1/hooks?token=secret-word", "/?key=secret-word")
    assert repr(target) == "<UrlTarget>"


def test_asynchronous_clients_are_not_registered() -> None:
    """A receiver that can only be awaited is refused where nothing awaits it."""
    webhooks = TurrisWebhooks.of(Sandbox(name="refused"))
    with pytest.raises(TypeError, match="asend"):
        webhooks.register(httpx.AsyncClient(), event=AGREEMENT)
    assert webhooks.endpoints == ()


@pytest.mark.parametrize(
    "target",
    [
        None,
        5,
        b"http://127.0.0.1/",
        object(),
        lambda body: True,
        lambda a, b, c: True,
        FastAPI,
        flask.Flask,
        int,
        print,
        getattr,
    ],
    ids=range(11),
)
def test_unknown_targets(webhooks: WebhookFactory, target: object) -> None:
    """What is no receiver is a TypeError that lists what is."""
    with pytest.raises(TypeError, match=r"cannot send to .*a receiver is one of"):
        webhooks.sign(b"{}").send(target)


def test_asynchronous_verifiers_are_refused(webhooks: WebhookFactory) -> None:
    """A coroutine function is no verifier: its coroutine is never False."""

    async def verify(body: bytes, headers: object) -> bool:
        return False

    with pytest.raises(TypeError, match="cannot send"):
        webhooks.sign(b"{}").send(verify)


def test_verifiers_return_booleans(webhooks: WebhookFactory) -> None:
    """A function that returns neither True nor False is a mistake, not an acceptance."""
    with pytest.raises(TypeError, match="returned NoneType, not a bool"):
        webhooks.sign(b"{}").send(webhooks.verify)


def test_verifiers_find_headers_in_any_case(webhooks: WebhookFactory) -> None:
    """A verifying function may ask for a header in the case that it likes."""
    names = ["X-Turris-Signature", "x-turris-signature", "X-TURRIS-SIGNATURE"]
    webhook = webhooks.sign(b"{}")
    assert webhook.send(lambda _body, headers: all(name in headers for name in names)).accepted
