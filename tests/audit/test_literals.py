"""Many texts are looked for at once, and a search does not take longer for it."""

import pytest
from doubles.searched import Searched
from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.audit import spellings as module
from pytest_turris.audit.leaks.literals import Literals
from pytest_turris.audit.spellings import SecretForms
from pytest_turris.core.text.spellings import spellings

FEW = st.text(alphabet="ab\u00e9", max_size=40)


@given(texts=st.lists(FEW, max_size=20), searched=FEW)
def test_all_texts_that_are_there_are_found(texts: list[str], searched: str) -> None:
    """Of any length, and also if they overlap or are alike; an empty one is never found."""
    expected = {text for text in texts if text and text in searched}
    assert Literals(texts).found_in(searched) == expected


def test_a_text_is_not_searched_for_each_of_many() -> None:
    """Also where all begin and end alike, as paths with an id in them do."""
    paths = [f"/v1/associations/{number:024}/licenses" for number in range(1_000)]
    searched = Searched(f"GET {paths[500]} 200 and /v1/associations/none/licenses")
    assert Literals(paths).found_in(searched) == {paths[500]}
    assert len(searched.looked_for) < 20


def test_a_text_is_not_searched_for_each_spelling_of_each_secret() -> None:
    """A sandbox may have issued a thousand tokens, and a log may have thousands of lines."""
    secrets = [f"eyJhbGciOiJFUzI1NiJ9.{number:032}" for number in range(500)]
    forms = SecretForms((secret, f"token {secret[-3:]}") for secret in secrets)
    line, clean = Searched(f"a token {secrets[77]}"), Searched("eyJhbGciOiJFUzI1NiJ9 is its head")
    assert (forms.find(line), forms.find(clean)) == ("token 077", "")
    assert forms.scrub(line) == "a token ***"
    assert len(line.looked_for) + len(clean.looked_for) < 20


@given(secret=st.text(min_size=100, max_size=130))
def test_no_spelling_of_a_long_secret_is_shorter(secret: str) -> None:
    """So a text that is shorter than all tokens has none of them."""
    assert min(map(len, spellings(secret))) >= len(secret)


def test_short_texts_are_not_searched_for_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server has thousands, and what it notes of a request is short."""
    long, short = "eyJ" + "x" * 500, "3f9a1c" * 4
    spelt: list[str] = []

    def noted(one: str) -> tuple[str, ...]:
        spelt.append(one)
        return spellings(one)

    monkeypatch.setattr(module, "spellings", noted)
    forms = SecretForms([(short, "a client secret"), (long, "an access token")])
    assert forms.scrub(f"with {short}") == "with ***"
    assert spelt == [short]
    both = f"with {short} and {long[::-1]}"
    assert forms.scrub(both) == "with *** and ***"
    assert forms.find(both) == "a client secret"
    assert forms.find(f"and {long}") == "an access token"
    assert spelt == [short, long]
