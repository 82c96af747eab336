"""A sandbox as a file to share: export it, and import it."""

from typing import Any, ClassVar

from pydantic import ConfigDict, Field
from pydantic_core import from_json, to_json

from mock_server.control.control import ControlCall, control
from mock_server.control.models import Parameters, Result
from mock_server.control.rows.state.history import world_after
from mock_server.control.wire.errors import ControlError
from pytest_turris.core.snapshots.errors import SnapshotError
from pytest_turris.core.worlds import World

_LARGEST = 64 * 1024 * 1024


class ExportOptions(Parameters):
    """What is in the file."""

    with_secrets: bool = Field(
        False,  # noqa: FBT003 - a default
        description="Keep credentials and tokens in it; the file is as secret as they are.",
    )
    step: int | None = Field(
        None,
        ge=1,
        le=2**53,
        description="As it was after this step of the history; now if left out.",
    )


class WorldFile(Result):
    """The content of a file. Its members are those of the Python API."""

    model_config: ClassVar[ConfigDict] = ConfigDict(alias_generator=None)

    format: str
    about: str
    at: str
    with_secrets: bool
    options: dict[str, Any]
    state: dict[str, Any]


class ImportedWorld(Parameters):
    """What to become."""

    world: dict[str, Any] = Field(description="The content of a file.")


class NewClient(Result):
    """An API client with its secret."""

    client_id: str
    client_secret: str
    environment: str


class NewRestrictedToken(Result):
    """A restricted access token."""

    token: str
    allowed: list[str]


class NewWebhook(Result):
    """A registered webhook with its secret."""

    id: str
    url: str
    secret: str


class NewCredentials(Result):
    """The credentials of a sandbox, whose default client is the first."""

    clients: list[NewClient]
    restricted_tokens: list[NewRestrictedToken]
    webhooks: list[NewWebhook]


@control("snapshots", "export", "GET", "/world", words=("snapshot", "export"))
def _export(call: ControlCall, given: ExportOptions) -> WorldFile:
    """Return the sandbox as a file to share, without secrets and tokens.

    With secrets, keep the file private: anyone who has it can use the sandbox.
    """
    if given.step is None:
        world = World.of(call.tenant.sandbox, with_secrets=given.with_secrets)
    else:
        world = world_after(call, given.step, with_secrets=given.with_secrets)
    return WorldFile.model_validate(from_json(world.to_json()))


@control(
    "snapshots",
    "import",
    "POST",
    "/world",
    words=("snapshot", "import"),
    issues=True,
    max_body=_LARGEST,
    positional=("world",),
)
def import_world(call: ControlCall, given: ImportedWorld) -> NewCredentials:
    """Import a file, at the time of its clock, with new credentials unless it has some.

    The options stay as they are; 'turris-sandbox serve --load' takes those of the file.
    """
    sandbox = call.tenant.sandbox
    try:
        world = World.read(to_json(given.world))
        sandbox.faults.hang_up()
        world.load_into(sandbox)
    except SnapshotError as error:
        raise ControlError(400, str(error)) from None
    others = (client for client in sandbox.credentials if client is not sandbox.client)
    return NewCredentials(
        clients=[
            NewClient(
                client_id=client.client_id,
                client_secret=client.client_secret,
                environment=client.environment,
            )
            for client in (sandbox.client, *others)
        ],
        restricted_tokens=[
            NewRestrictedToken(token=str(one.token), allowed=list(one.allowed))
            for one in sandbox.credentials.restricted
        ],
        webhooks=[
            NewWebhook(id=one.id, url=one.url, secret=str(one.secret))
            for one in sandbox.outbox.endpoints
        ],
    )


ROWS = (_export, import_world)
