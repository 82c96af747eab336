"""Attributes are replaced while at least one context is open, and put back exactly."""

import itertools

import pytest

from pytest_turris.process.patch import Patch


class Base:
    """Has what its subclass inherits."""

    def inherited(self) -> str:
        """The original."""
        return "inherited"


class Owner(Base):
    """Has attributes of its own."""

    value = 1

    @staticmethod
    def static() -> str:
        """A static method."""
        return "static"


ADDS_ONE = (Owner, "value", lambda value: value + 1)


@pytest.fixture(autouse=True)
def _everything_is_put_back() -> object:
    before = dict(vars(Owner))
    yield
    assert dict(vars(Owner)) == before


def test_the_last_to_leave_puts_back() -> None:
    """Contexts overlap in any order, and wrap once."""
    patch = Patch(ADDS_ONE)
    patch.__enter__()
    patch.__enter__()
    assert Owner.value == 2
    patch.__exit__()
    assert Owner.value == 2
    patch.__exit__()
    assert Owner.value == 1
    with patch:
        assert Owner.value == 2


def test_static_method_stays_one() -> None:
    """The class gets back the descriptor itself."""
    with Patch((Owner, "static", lambda original: lambda: original() + "!")):
        assert Owner.static() == "static!"
    assert Owner().static() == "static"


def test_inherited_attribute_is_inherited_again() -> None:
    """What the class did not have itself is deleted."""
    with Patch((Owner, "inherited", lambda original: lambda self: original(self).upper())):
        assert Owner().inherited() == "INHERITED"
        assert Base().inherited() == "inherited"
    assert "inherited" not in vars(Owner)


def test_patches_of_one_attribute_nest() -> None:
    """Two patches of the same attribute are put back from the inside out."""
    with Patch(ADDS_ONE), Patch(ADDS_ONE, ADDS_ONE):
        assert Owner.value == 4


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("name", ["value", "static", "inherited"])
def test_patches_of_one_attribute_are_undone_in_any_order(
    name: str, order: tuple[int, ...]
) -> None:
    """The original is back after the last one, and until then a replacement is in place."""
    before = getattr(Owner, name)
    patches = [Patch((Owner, name, lambda original: (original,))) for _ in order]
    for patch in patches:
        patch.__enter__()
    for at in order:
        assert getattr(Owner, name) is not before
        patches[at].__exit__()
    assert getattr(Owner, name) is before


def test_missing_attribute_leaves_nothing_patched() -> None:
    """If one replacement is impossible, those before it are put back."""
    with pytest.raises(AttributeError, match="missing"), Patch(ADDS_ONE, (Owner, "missing", str)):
        raise AssertionError("not reached")
