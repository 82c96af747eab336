"""Texts of every language are kept, whatever encodings the database and the environment have."""

import pytest
from doubles.postgres import PostgresServer
from doubles.replicas import Replica, replicas

from mock_server.store.errors import StoreError
from mock_server.store.store import Store

NAME = "Zoë 東京 \N{GRINNING FACE}"


def only_name(replica: Replica) -> str | None:
    """The first name of the only agent, as a replica has it."""
    replica.sandbox.settle()
    (agent,) = replica.sandbox.agents
    return agent.agent.first_name


@pytest.mark.parametrize(
    "ours", ["", "LATIN1", "SQL_ASCII"], ids=lambda name: f"environment {name}"
)
@pytest.mark.parametrize("encoding", ["UTF8", "SQL_ASCII"])
def test_texts_are_kept(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, encoding: str, ours: str
) -> None:
    """A cluster that was made under the locale C has databases without an encoding."""
    if ours:
        monkeypatch.setenv("PGCLIENTENCODING", ours)
    url = postgres.new_database(encoding)
    with replicas(url, 2) as (one, other):
        one.control("agents add", npn="12345678", firstName=NAME)
        assert only_name(other) == NAME
    with replicas(f"{url}&client_encoding=LATIN1", 1) as (later,):
        assert only_name(later) == NAME


@pytest.mark.parametrize("encoding", ["LATIN1", "EUC_JP"])
def test_encoding_of_some_languages_is_refused(postgres: PostgresServer, encoding: str) -> None:
    """When the store is opened, not when the first such text comes."""
    with pytest.raises(StoreError, match=f"its encoding is {encoding}, which.*'UTF8'"):
        Store.open(postgres.new_database(encoding), print)
