"""``pytest_turris.sandbox()``: a sandbox where there is no fixture."""

import datetime as dt
import os

import httpx
import pytest

import pytest_turris
from pytest_turris.core.unknowns.option_values import OptionError

URL = "https://public.api.sandbox.turrisfi.com"


def test_answers_in_this_process_with_its_credentials() -> None:
    """As the fixture does; afterwards the environment is as it was."""
    before = dict(os.environ)
    with pytest_turris.sandbox(token_ttl=dt.timedelta(minutes=1)) as turris:
        body = {
            "clientId": os.environ["TURRIS_CLIENT_ID"],
            "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
        }
        answer = httpx.post(f"{os.environ['TURRIS_BASE_URL']}/v1/auth/jwt", json=body)
        assert answer.json()["data"]["expiresIn"] == 60
        assert turris.token_requests == 1
    assert dict(os.environ) == before


def test_two_at_once_are_told_apart_by_their_credentials() -> None:
    """Each has a client id of its own."""
    with pytest_turris.sandbox() as one, pytest_turris.sandbox() as other:
        token = one.tokens.issue(one.client)
        httpx.get(f"{URL}/v1/agents", headers={"Authorization": f"Bearer {token.text}"})
        assert (one.journal.seen, other.journal.seen) == (1, 0)


def test_refusals_that_nothing_expected_are_an_error_at_the_end() -> None:
    """Unless the block failed by itself, or the option relaxes it."""
    words = "would not understand"
    with (
        pytest.raises(pytest_turris.StrictFailureError, match=words),
        pytest_turris.sandbox(),
    ):
        httpx.get(f"{URL}/v1/nothing")
    with (
        pytest.raises(ZeroDivisionError, match="division"),
        pytest_turris.sandbox(),
    ):
        assert httpx.get(f"{URL}/v1/nothing").status_code / 0
    with pytest_turris.sandbox(fail_on_refusal=False):
        httpx.get(f"{URL}/v1/nothing")


def test_wrong_options_are_named() -> None:
    """Before anything is patched."""
    with (
        pytest.raises(pytest_turris.OptionError, match="token_ttl"),
        pytest_turris.sandbox(token_tl=1),
    ):
        pass


def test_an_option_that_nothing_reads_is_refused() -> None:
    """There is no server here, so that ``tls`` could mean nothing."""
    with (
        pytest.raises(OptionError, match="'tls' does nothing here: only turris_server"),
        pytest_turris.sandbox(tls=True),
    ):
        pass
