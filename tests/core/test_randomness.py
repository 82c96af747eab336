"""Ids and secrets from a seed: they repeat, differ, and are recognisably fake."""

import re
import uuid

import pytest

from pytest_turris.core.options import Options
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.sandbox import Sandbox


def drawn(source: Randomness) -> list[str]:
    """One id or secret of each kind."""
    return [
        source.object_id(),
        source.uuid("jti"),
        source.number("npn", 8),
        source.request_id(),
        source.client_id(),
        source.secret("secret"),
    ]


def test_repeats_for_the_same_seed() -> None:
    """The same seed gives the same ids and secrets."""
    assert drawn(Randomness("0/a")) == drawn(Randomness("0/a"))


def test_differs_for_another_seed() -> None:
    """Another seed shares no id and no secret."""
    assert not set(drawn(Randomness("0/a"))) & set(drawn(Randomness("0/b")))


def test_never_gives_the_same_twice() -> None:
    """A thousand ids are all different."""
    source = Randomness("0/a")
    assert len({source.object_id() for _ in range(1_000)}) == 1_000


def test_purposes_do_not_disturb_one_another() -> None:
    """How many ids are drawn does not change the next secret."""
    one, other = Randomness("0/a"), Randomness("0/a")
    other.object_id()
    assert one.secret("secret") == other.secret("secret")


@pytest.mark.parametrize("digits", [1, 7, 8])
def test_numbers_have_their_digits(digits: int) -> None:
    """A number has the given number of digits and does not begin with 0."""
    source = Randomness("0/a")
    for _ in range(200):
        assert re.fullmatch(rf"[1-9]\d{{{digits - 1}}}", source.number("npn", digits))


def test_uuids_are_of_version_4() -> None:
    """A UUID is valid according to RFC 9562."""
    source = Randomness("0/a")
    for _ in range(50):
        text = source.uuid("jti")
        parsed = uuid.UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)


def test_ids_look_as_turris_writes_them() -> None:
    """Object ids are 24 hex digits, request ids ``dev-`` and a UUID."""
    source = Randomness("0/a")
    assert re.fullmatch(r"[0-9a-f]{24}", source.object_id())
    assert re.fullmatch(r"dev-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", source.request_id())


def test_secrets_show_that_they_are_fakes() -> None:
    """Client ids and secrets begin with a prefix that no real one has."""
    source = Randomness("0/a")
    assert re.fullmatch(r"turris_sandbox_client_[0-9a-f]{12}", source.client_id())
    assert re.fullmatch(r"turris_sandbox_secret_[0-9a-f]{40}", source.secret("secret"))


def test_goes_on_from_a_snapshot() -> None:
    """A restored source continues with what the first would have drawn next."""
    first, second = Randomness("0/a"), Randomness("0/other")
    drawn(first)
    second.restore(first.snapshot())
    assert drawn(first) == drawn(second)


def test_sandboxes_of_another_name_share_no_credentials() -> None:
    """The same seed with another name gives another client, secret and upstream entity."""
    one, same, other = Sandbox(name="a"), Sandbox(name="a"), Sandbox(name="b")
    assert one.client == same.client
    assert one.client.client_id != other.client.client_id
    assert one.client.client_secret != other.client.client_secret
    assert one.upstream_entity_id != other.upstream_entity_id


def test_sandboxes_of_another_seed_share_no_credentials() -> None:
    """The option ``seed`` changes every id."""
    one, other = Sandbox(Options(seed=1)), Sandbox(Options(seed=2))
    assert one.client.client_id != other.client.client_id
    assert one.new_object_id() != other.new_object_id()
