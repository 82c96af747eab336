"""Many texts are looked for at once, and a search does not take longer for it."""

from doubles.searched import Searched
from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.audit.leaks.literals import Literals
from pytest_turris.audit.spellings import SecretForms

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
