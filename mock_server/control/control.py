"""A control: one thing that a test does to a sandbox, as a row of the table.

From a row come the HTTP operation, its OpenAPI description, the shell command and the line of the
reference page.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_type_hints

from mock_server.control.models import Parameters

if TYPE_CHECKING:
    from mock_server.control.tenant import Tenant
    from mock_server.control.tenants import Tenants

Method = Literal["GET", "POST", "PATCH", "DELETE"]
_Scope = Literal["sandbox", "server"]

_IN_PATH = re.compile(r"{(\w+)}")
_READS = frozenset({"GET", "DELETE"})


class Judging(NamedTuple):
    """How the result of a control that judges something says that it does not hold.

    Args:
        member: The member that decides. What is judged does not hold if it is false, ``failed``,
            or a list with entries.
        broken: What a shell prints then, with members of the result in braces.
    """

    member: str
    broken: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlCall:
    """What a control acts on: one sandbox of the server, and all of them.

    Args:
        tenant: The sandbox that is controlled.
        tenants: All sandboxes of the server.
    """

    tenant: "Tenant"
    tenants: "Tenants"


@dataclass(frozen=True, kw_only=True)
class Control:
    """One row of the table.

    Args:
        noun: What is controlled, such as ``clock`` or ``agents``.
        verb: What is done to it, such as ``advance``.
        method: The HTTP method; GET changes nothing.
        path: The path below ``/__sandbox__``, such as ``/clock/advance``.
        run: Does it. It is given the call and the validated parameters, and returns the result.
        models: Returns the models of parameters and result; None for a result without content.
        summary: One sentence.
        words: What the shell types for it; noun and verb by default.
        status: The HTTP status of success.
        scope: Whether it controls one sandbox, or the server with all of them.
        sends: Whether it sends something to a receiver. It runs in one of the few threads that
            a sandbox has for that, and a repeated call sends again.
        takes_long: Whether it works for long on what the sandbox saw. It also runs in such a
            thread, and takes the lock only while it reads or changes the sandbox.
        streams: Whether the result goes on until the client hangs up.
        issues: Whether the result has a credential, which is shown only once.
        judges: How the result says that what was asked does not hold; None if it judges nothing.
        max_body: The longest body in bytes.
        positional: The parameters that the shell takes by place, besides those of the path.
        rest: The parameter whose members the shell takes as ``member=value``; ``*`` for all that
            are not in the path.
    """

    noun: str
    verb: str
    method: Method
    path: str
    run: Callable[[ControlCall, Any], Any]
    models: Callable[[], tuple[type[Parameters], Any]] = field(repr=False)
    summary: str
    words: tuple[str, ...]
    status: int = 200
    scope: _Scope = "sandbox"
    sends: bool = False
    takes_long: bool = False
    streams: bool = False
    issues: bool = False
    judges: Judging | None = None
    max_body: int = 1024 * 1024
    positional: tuple[str, ...] = ()
    rest: str = ""

    @property
    def name(self) -> str:
        """Noun and verb: the key of the row."""
        return f"{self.noun} {self.verb}"

    @property
    def operation_id(self) -> str:
        """The name as an identifier, such as ``clockAdvance``."""
        first, *others = re.split(r"[ _-]", self.name)
        return first + "".join(map(str.capitalize, others))

    @property
    def changes(self) -> bool:
        """Whether it may change the state."""
        return self.method != "GET"

    @property
    def is_unlocked(self) -> bool:
        """Whether it runs without the sandbox's lock: others use the sandbox meanwhile."""
        return self.sends or self.takes_long

    @property
    def has_body(self) -> bool:
        """Whether parameters outside the path are members of a JSON body, not of the query."""
        return self.method not in _READS

    @cached_property
    def in_path(self) -> tuple[str, ...]:
        """The parameters in the path, by their names in JSON."""
        return tuple(_IN_PATH.findall(self.path))

    def number_in_path(self, name: str) -> bool:
        """Whether a parameter in the path is a number."""
        fields = self.parameters.model_fields.items()
        return any(one.annotation is int for key, one in fields if name in (key, one.alias))

    @cached_property
    def parameters(self) -> type[Parameters]:
        """The model of the parameters; made when first asked for."""
        return self.models()[0]

    @cached_property
    def result(self) -> Any:  # noqa: ANN401 - a model, or None
        """The model of the result, or None; made when first asked for."""
        return self.models()[1]


_Run = Callable[[ControlCall, Any], Any]


def control(
    noun: str,
    verb: str,
    method: Method,
    path: str,
    *,
    words: tuple[str, ...] = (),
    **more: Any,  # noqa: ANN401 - the other fields of Control
) -> Callable[[_Run], Control]:
    """Make a function a row: its docstring is the summary, its annotations are the models."""

    def row(run: _Run) -> Control:
        def models() -> tuple[type[Parameters], Any]:
            hints = get_type_hints(run)
            found = hints["return"]
            if more.get("streams"):  # an iterator of lists
                found = get_args(get_args(found)[0])[0]
            return hints["given"], None if found is type(None) else found

        summary = " ".join((inspect.getdoc(run) or "").partition("\n\n")[0].split())
        return Control(
            noun=noun,
            verb=verb,
            method=method,
            path=path,
            run=run,
            models=models,
            summary=summary,
            words=words or (noun, verb),
            **more,
        )

    return row
