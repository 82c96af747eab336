"""An option's name has two spellings, and a shell and the control API take both."""

import pytest
from click.testing import CliRunner
from doubles.controlled import Controlled, Refused

from mock_server.controlling.rows import rows
from mock_server.controlling.values import members_given
from mock_server.shell.arguments import read_options
from mock_server.shell.cli import app
from pytest_turris.core.options import option_name, option_types

MEMBERS = {
    parameter["name"]: parameter
    for row in rows()
    if row["name"] == "options change"
    for parameter in row["parameters"]
}


def test_each_option_has_a_name_in_either_spelling() -> None:
    """The name in JSON leads to that in Python, and a text that names no option stays."""
    shown = Controlled().get("/options")["options"]
    assert [option_name(name) for name in shown] == list(option_types())
    assert [option_name(name) for name in option_types()] == list(option_types())
    assert option_name("tokenTll") == "tokenTll"


@pytest.mark.parametrize("name", ["token_ttl", "tokenTtl"])
def test_a_shell_takes_either_spelling(name: str) -> None:
    """As an option of a command, and as what is explained."""
    assert read_options([f"{name}=60"]).token_ttl.total_seconds() == 60
    assert CliRunner().invoke(app, ["explain", name]).output.startswith("token_ttl: an option")


def test_a_later_value_counts_but_not_in_the_other_spelling(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A script may override its own default; two spellings are a mistake."""
    assert read_options(["tokenTtl=60", "tokenTtl=90"]).token_ttl.total_seconds() == 90
    result = CliRunner().invoke(app, ["openapi", "-o", "tokenTtl=60", "-o", "token_ttl=90"])
    assert result.exit_code == 2
    assert "tokenTtl and token_ttl are one option: give it once" in result.stderr


def test_the_control_api_takes_either_spelling() -> None:
    """To change an option, and for a new tenant; the answer has the names in JSON."""
    controlled = Controlled()
    changed = controlled.call("PATCH", "/options", token_ttl="2m", writesPerMinute=5)
    assert (changed["options"]["tokenTtl"], changed["options"]["writesPerMinute"]) == (120, 5)
    controlled.call("POST", "/tenants", name="one", options={"token_ttl": 60, "tls": False})
    assert controlled.get("/tenants/one/options")["options"]["tokenTtl"] == 60


@pytest.mark.parametrize(
    ("method", "path", "wrapped", "words"),
    [
        ("PATCH", "/options", False, "tokenTtl: expected one spelling, not both"),
        ("POST", "/tenants", True, "options.tokenTtl: expected one spelling, not both"),
    ],
)
def test_the_control_api_refuses_both_spellings_at_once(
    method: str, path: str, wrapped: bool, words: str
) -> None:
    """One of the two values would be lost."""
    both = {"token_ttl": 60, "tokenTtl": 90}
    with pytest.raises(Refused, match=words):
        Controlled().call(method, path, **({"options": both} if wrapped else both))


def test_other_members_have_one_spelling() -> None:
    """Records are named as in Turris' JSON."""
    with pytest.raises(Refused, match="first_name"):
        Controlled().call("POST", "/agents", first_name="Ann")


def test_words_of_a_shell_have_the_type_of_their_option_in_either_spelling() -> None:
    """A number is sent as a number, under the name that was typed."""
    words = ["writes_per_minute=5", "retryAfter=yes"]
    assert members_given(words, MEMBERS.values(), "") == {
        "writes_per_minute": 5,
        "retryAfter": True,
    }
