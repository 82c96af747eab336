"""``--turris-verify-webhooks`` in a consumer's project."""

from collections.abc import Iterator

import pytest
from doubles.attacked_project import run

from pytest_turris.webhooks import observers

IMPORTS = ("import pytest", "from receiver import verify, believe, done")


@pytest.fixture(autouse=True)
def _nothing_observes_afterwards() -> Iterator[None]:
    """A run leaves no observer behind."""
    yield
    assert observers._observers == []


def test_verified_webhooks_are_left_alone(pytester: pytest.Pytester) -> None:
    """With --turris-verify-webhooks a receiver that verifies passes, and the count is shown."""
    result = run(
        pytester, *IMPORTS, "def test_x(turris_webhooks):",
        "    assert turris_webhooks.producer_agreement_executed().send(verify).accepted",
        args=("--turris-verify-webhooks",),
    )  # fmt: skip
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 accepted webhook sent again with one bit flipped"])


def test_accepted_forgery_fails_the_run(pytester: pytest.Pytester) -> None:
    """With --turris-verify-webhooks a receiver that verifies nothing fails; without, it passes."""
    lines = (
        "def test_x(turris_webhooks):",
        "    assert turris_webhooks.producer_agreement_executed().send(believe).accepted",
    )
    result = run(pytester, *IMPORTS, *lines, args=("--turris-verify-webhooks",))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*a forged webhook was accepted*"])
    run(pytester, *IMPORTS, *lines).assert_outcomes(passed=1)


def test_accepted_forgery_is_found_in_coroutines_too(pytester: pytest.Pytester) -> None:
    """The same through ``asend``."""
    result = run(
        pytester, "import asyncio", *IMPORTS, "def test_x(turris_webhooks):",
        "    asyncio.run(turris_webhooks.producer_agreement_executed().asend(believe))",
        args=("--turris-verify-webhooks",),
    )  # fmt: skip
    result.assert_outcomes(failed=1)


def test_accepted_forgery_is_found_in_what_the_engine_delivers(pytester: pytest.Pytester) -> None:
    """A registered receiver that verifies nothing fails its test; one that verifies passes."""
    lines = (
        "@pytest.mark.parametrize('receiver', [verify, believe])",
        "def test_x(turris, turris_webhooks, receiver):",
        "    turris_webhooks.register(receiver, event='PRODUCER_AGREEMENT_EXECUTED')",
        "    turris.execute_agreement(turris.associations.add())",
        "    assert turris_webhooks.drain().delivered == 1",
    )
    result = run(pytester, *IMPORTS, *lines, args=("--turris-verify-webhooks",))
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([
        "  PRODUCER_AGREEMENT_EXECUTED, * bytes, to app:/ -> 204",
        "2 accepted webhooks sent again with one bit flipped",
    ])  # fmt: skip
    run(pytester, *IMPORTS, *lines).assert_outcomes(passed=2)


def test_hanging_up_on_a_forgery_is_to_refuse_it(pytester: pytest.Pytester) -> None:
    """With --turris-verify-webhooks a receiver that answers genuine webhooks alone passes."""
    lines = (
        "import httpx",
        "def test_x(turris_webhooks):",
        "    def answer(request):",
        "        if verify(request.content, request.headers): return httpx.Response(204)",
        "        raise httpx.ReadError('gone')",
        "    transport = httpx.MockTransport(answer)",
        "    with httpx.Client(transport=transport, base_url='http://x') as client:",
        "        assert turris_webhooks.producer_agreement_executed().send(client).accepted",
    )
    result = run(pytester, *IMPORTS, *lines, args=("--turris-verify-webhooks",))
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 accepted webhook sent again with one bit flipped"])


def test_bodies_without_a_digit_are_left_alone(pytester: pytest.Pytester) -> None:
    """Where no digit can change, neither method sends again."""
    result = run(
        pytester, "import asyncio", *IMPORTS, "def test_x(turris_webhooks):",
        "    webhook = turris_webhooks.sign(b'{}')",
        "    assert webhook.send(believe).accepted",
        "    assert asyncio.run(webhook.asend(believe)).accepted",
        args=("--turris-verify-webhooks",),
    )  # fmt: skip
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["0 accepted webhooks sent again with one bit flipped"])
