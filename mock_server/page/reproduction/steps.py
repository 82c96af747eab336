"""What a test does before it sends its request: as code, and as a function that tries it."""

import base64
import datetime as dt
import textwrap
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from pytest_turris.core.access.flaws import Flaw
from pytest_turris.core.faults.fault import FailureKind
from pytest_turris.core.middleware.limits import Bucket
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.worlds import World

_ISSUED = "token = turris.tokens.issue(turris.client)"


@dataclass(frozen=True, kw_only=True)
class RecipeStep:
    """One thing that a test does first.

    Args:
        code: Its lines. A token that they make is called ``bearer``.
        do: Does the same, and returns the bearer token or None.
        imports: What the lines need.
        constants: The lines before the test.
    """

    code: tuple[str, ...]
    do: Callable[[Sandbox], str | None] = field(repr=False)
    imports: tuple[str, ...] = ()
    constants: str = field(default="", repr=False)


def issued() -> RecipeStep:
    """A token that is accepted."""
    return RecipeStep(
        code=(_ISSUED, "bearer = token.text"), do=lambda one: str(one.tokens.issue(one.client).text)
    )


def expired(ago: dt.timedelta) -> RecipeStep:
    """A token that has expired."""
    seconds = max(0, int(ago.total_seconds()))

    def do(sandbox: Sandbox) -> str:
        token = sandbox.tokens.issue(sandbox.client)
        sandbox.clock.advance(sandbox.options.token_ttl + dt.timedelta(seconds=seconds))
        return str(token.text)

    return RecipeStep(
        code=(
            _ISSUED,
            "bearer = token.text",
            f"turris.clock.advance(turris.options.token_ttl + timedelta(seconds={seconds}))",
        ),
        do=do,
        imports=("from datetime import timedelta",),
    )


def revoked() -> RecipeStep:
    """A token that was revoked."""

    def do(sandbox: Sandbox) -> str:
        token = sandbox.tokens.issue(sandbox.client)
        sandbox.tokens.revoke(token)
        return str(token.text)

    return RecipeStep(code=(_ISSUED, "turris.tokens.revoke(token)", "bearer = token.text"), do=do)


def forging(flaw: Flaw) -> RecipeStep:
    """A token with a flaw."""
    return RecipeStep(
        code=(f"bearer = turris.tokens.forge({flaw!r}, client=turris.client)",),
        do=lambda one: str(one.tokens.forge(flaw, client=one.client)),
    )


def restricted() -> tuple[RecipeStep, ...]:
    """Restricted access tokens: one that is accepted, and each kind that is not."""
    kinds: tuple[tuple[str, dict[str, list[str]]], ...] = (
        ("", {}),
        ('permissions=["read"]', {"permissions": ["read"]}),
        ('allowed=["192.0.2.1"]', {"allowed": ["192.0.2.1"]}),
    )
    found = [_restricted(code, given) for code, given in kinds]
    revoked_one = _restricted("", {}, is_revoked=True)
    unknown = RecipeStep(code=('bearer = "unknown"',), do=lambda _: "unknown")
    return (*found, revoked_one, unknown)


def _restricted(code: str, given: dict[str, list[str]], *, is_revoked: bool = False) -> RecipeStep:
    def do(sandbox: Sandbox) -> str:
        token = sandbox.credentials.issue_restricted(**given)  # type: ignore[arg-type] # as in code
        if is_revoked:
            sandbox.credentials.revoke(token)
        return str(token.token)

    lines = (f"token = turris.credentials.issue_restricted({code})", "bearer = str(token.token)")
    return RecipeStep(
        code=(*lines, *(("turris.credentials.revoke(token)",) if is_revoked else ())), do=do
    )


def exhausted(bucket: Bucket) -> RecipeStep:
    """A rate window that is used up."""

    def do(sandbox: Sandbox) -> None:
        sandbox.limits.exhaust(bucket)

    return RecipeStep(code=(f"turris.limits.exhaust({bucket!r})",), do=do)


def failing(operation: str, status: int) -> RecipeStep:
    """A scripted fault with a status."""

    def do(sandbox: Sandbox) -> None:
        sandbox.faults.add(operation, status=status)

    return RecipeStep(code=(f"turris.faults.add({operation!r}, status={status})",), do=do)


def broken(operation: str, error: FailureKind) -> RecipeStep:
    """A scripted fault without an answer."""

    def do(sandbox: Sandbox) -> None:
        sandbox.faults.add(operation, error=error)

    return RecipeStep(code=(f"turris.faults.add({operation!r}, error={error!r})",), do=do)


def loaded(world: World) -> RecipeStep:
    """Return a step that loads the records, which the test has as a literal."""
    content = world.to_json().encode()
    packed = base64.b64encode(zlib.compress(content, 9)).decode()

    def do(sandbox: Sandbox) -> None:
        World.read(content).load_into(sandbox)

    lines = "\n".join(f'    b"{line}"' for line in textwrap.wrap(packed, 88))
    return RecipeStep(
        code=("World.read(zlib.decompress(base64.b64decode(WORLD))).load_into(turris)",),
        do=do,
        imports=("import base64", "import zlib", "from pytest_turris.core.worlds import World"),
        constants=f"# The state of the sandbox, without its secrets.\nWORLD = (\n{lines}\n)\n",
    )
