"""A receiver is classified once in each run, and what a target says of itself."""

import asyncio
from collections.abc import Callable

import aiohttp.web
import flask
import httpx
import pytest
from click.testing import CliRunner
from doubles.attacked_project import run
from doubles.receivers.bare_server import BareServer
from doubles.receivers.good_receiver import ENTITY, KEY
from fastapi import FastAPI

from mock_server.shell.cli import app as command_line
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks
from pytest_turris.receivers import target as target_module
from pytest_turris.receivers.address import TargetError
from pytest_turris.receivers.exchange import Post
from pytest_turris.receivers.in_process.function_headers import spelled_headers
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


@pytest.mark.parametrize("name", ["X-Turris-Signature", "x-turris-signature"])
def test_verifiers_get_headers_in_the_letters_that_they_expect(
    webhooks: WebhookFactory, name: str
) -> None:
    """A function is called with a plain dict, again in other letters while it refuses or fails."""
    webhook, seen = webhooks.sign(b"{}"), list[dict[str, str]]()

    def looks_up(body: bytes, headers: dict[str, str]) -> bool:
        seen.append(headers)
        return bool(headers[name])

    assert webhook.send(looks_up).accepted
    assert webhook.send(lambda _body, headers: name in headers).accepted
    assert isinstance(seen[0], dict)
    assert len(seen) == (1 if name.istitle() else 2)


def test_verifiers_that_find_their_headers_are_called_once(webhooks: WebhookFactory) -> None:
    """A refusal or an error that has nothing to do with letters is the answer."""
    webhook, calls = webhooks.sign(b"{}"), list[str]()

    def refuses(body: bytes, headers: dict[str, str]) -> bool:
        calls.append(headers.get("x-turris-signature") or headers["X-Turris-Signature"])
        return False

    answers = iter([False, True])
    assert webhook.send(refuses).status_code == 401
    assert webhook.send(lambda body, headers: next(answers)).status_code == 401
    assert webhook.send(lambda body, headers: "x-other" in headers).status_code == 401
    failed = webhook.send(lambda body, headers: 1 // 0 if headers else True)
    assert isinstance(failed.error, ZeroDivisionError)
    missing = webhook.send(lambda body, headers: headers["X-TURRIS-SIGNATURE"] == "")
    assert isinstance(missing.error, KeyError)
    assert len(calls) == 1
    names: list[object] = [7]
    assert not any(name in next(spelled_headers(Post(headers=(), body=b""))) for name in names)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("X-Turris-Signature", "X-Turris-Signature"),
        ("x-turris-signature", "x-turris-signature"),
        ("X-TURRIS-SIGNATURE", "x-turris-signature"),
        ("x-tURRIS-sIGNATURE", "x-turris-signature"),
        ("X-HMAC-Sig", "X-HMAC-Sig"),
    ],
)
def test_exact_names(sent: str, seen: str) -> None:
    """An attack on names is one call, in letters that some gateway passes on."""
    post = Post(headers=((sent, "a"), (sent.lower(), "b")), body=b"", exact_names=True)
    assert list(spelled_headers(post)) == [{seen: "a, b"}]


@pytest.mark.parametrize(
    ("look_up", "outcome"),
    [
        ("headers.get('X-Turris-Signature', '')", "failed"),
        ("headers.get('x-turris-signature', '')", "failed"),
        ("headers['X-Turris-Signature']", "failed"),
        ("{n.lower(): v for n, v in headers.items()}.get('x-turris-signature', '')", "passed"),
    ],
)
def test_look_up_in_exact_letters_fails_its_own_attack(
    pytester: pytest.Pytester, look_up: str, outcome: str
) -> None:
    """WH-32 alone catches a function that finds its header under one spelling only."""
    result = run(
        pytester, "import hashlib, hmac, os", "done = []",
        "def verify(body, headers):",
        "    key = os.environ['TURRIS_WEBHOOK_SECRET'].encode()",
        "    right = hmac.new(key, body, hashlib.sha256).hexdigest().encode()",
        "    try:",
        f"        genuine = hmac.compare_digest({look_up}.encode(), right)",
        "    except KeyError:",
        "        return False",
        "    done.extend([body] * genuine)",
        "    return genuine",
        "def test_receiver(turris_webhook_attack):",
        "    turris_webhook_attack.run(verify, effects=lambda: len(done))",
        args=("-k", "WH-01 or WH-02 or WH-05 or WH-32"),
    )  # fmt: skip
    found = {"passed": 3, "failed": 1} if outcome == "failed" else {"passed": 4}
    result.assert_outcomes(**found)


@pytest.mark.parametrize(
    ("receiver", "words"),
    [
        (lambda body: True, r"cannot send to a function of \(body\): a receiver is one of"),
        (aiohttp.web.Application(), "an aiohttp application runs in its own server only"),
        (lambda event, context: {}, r"pass LambdaReceiver\(handler"),
        (asyncio.sleep, "cannot send to an async function of"),
        (object(), "cannot send to object object: a receiver is one of"),
        (lambda evt, _context: {}, r"pass LambdaReceiver\(handler"),
        (lambda event, _: {}, r"pass LambdaReceiver\(handler"),
        (lambda a, b: True, r"of \(a, b\): its parameters do not say what it takes"),
        (lambda *_: True, "cannot send to a function of .*: a receiver is one of"),
    ],
)
def test_what_cannot_be_sent_to_says_why(receiver: object, words: str) -> None:
    """The message has what was passed, and what to pass."""
    with pytest.raises(TargetError, match=words):
        Target.of(receiver)
