"""Generators of clients read the description: their clients compile, and make a round trip.

They need npm, Java and minutes of downloads: ``make generators`` installs them and runs these
tests. Those of ``tests/core/api/test_openapi_30.py``, which need none of them, run with the suite.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doubles.command_line import run
from doubles.sandbox_client import INVITATION
from doubles.served_here import served

from mock_server.serving.server import StandaloneSandbox

TOOLS = Path(__file__).parent / "tools"
BIN = Path(os.environ.get("TURRIS_GENERATORS", ""))
"""Where ``make generators`` installed the generators that are written in Python."""

pytestmark = pytest.mark.skipif(
    "TURRIS_GENERATORS" not in os.environ, reason="make generators installs what this needs"
)
VERSIONS = pytest.mark.parametrize("version", ["3.0", "3.1"])


@pytest.fixture(scope="module")
def server() -> Iterator[StandaloneSandbox]:
    """A sandbox that answers the generated clients."""
    with served() as running:
        yield running


def description(version: str, directory: Path) -> Path:
    """The description of a version, in a file."""
    file = directory / f"openapi-{version}.json"
    file.write_text(run("openapi", "--version", version).stdout)
    return file


@VERSIONS
def test_openapi_python_client(version: str, tmp_path: Path, server: StandaloneSandbox) -> None:
    """A typed client for httpx."""
    name = f"turris_client_{version.replace('.', '_')}"
    settings = tmp_path / "settings.yml"
    settings.write_text("post_hooks: []\n")
    printed = executed(
        str(BIN / "openapi-python-client"), "generate", "--meta", "none", "--output-path", name,
        "--path", str(description(version, tmp_path)), "--config", str(settings),
        directory=tmp_path,
    )  # fmt: skip
    assert "Warning" not in printed
    sys.path.insert(0, str(tmp_path))
    try:
        round_trip(name, server)
    finally:
        sys.path.remove(str(tmp_path))


def round_trip(name: str, server: StandaloneSandbox) -> None:
    """A token, an invitation that is sent twice with one idempotency key, and a list."""

    def part(path: str) -> Any:  # noqa: ANN401 - a generated module
        return importlib.import_module(f"{name}.{path}")

    associations = "api.downstream_entity_associations.associated_downstream_entities_controller"
    anonymous = part("client").Client(base_url=server.base_url)
    body = part("models.get_token_dto").GetTokenDto(
        client_id=server.sandbox.client.client_id, client_secret=server.sandbox.client.client_secret
    )
    with anonymous:
        answer = part("api.auth.auth_controller_get_token_v_1").sync(client=anonymous, body=body)
    bearer = part("client").AuthenticatedClient(
        base_url=server.base_url, token=answer.data.access_token
    )
    invitation = part("models.invite_downstream_entity_dto").InviteDownstreamEntityDto.from_dict(
        INVITATION | {"downstreamEntityName": name, "email": f"{name}@example.com"}
    )
    invite = part(f"{associations}_invite_downstream_entity_v_1")
    with bearer:
        first, second = (
            invite.sync(client=bearer, body=invitation, idempotency_key=key_of(name))
            for _ in range(2)
        )
        listed = part(f"{associations}_get_all_downstream_entities_v_1").sync(client=bearer)
    assert first.data.url == second.data.url
    names = [one.downstream_entity.legal_name for one in listed.data]
    assert names.count(name) == 1


def key_of(name: str) -> str:
    """The idempotency key of a client."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def executed(*command: str, directory: Path, **environment: str) -> str:
    """What a program prints; the test fails with its output if it fails."""
    done = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=600, check=False,
        env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@VERSIONS
def test_orval(version: str, tmp_path: Path, server: StandaloneSandbox) -> None:
    """A typed client for fetch, which TypeScript's strict mode accepts."""
    for name in ("orval.config.cjs", "round_trip.ts"):
        shutil.copy(TOOLS / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(TOOLS / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    file = description(version, tmp_path)
    executed("npx", "orval", "--config", "orval.config.cjs", directory=tmp_path, SPEC=str(file))
    typescript = ("--strict", "--skipLibCheck", "--module", "esnext", "--target", "es2022")
    executed(
        "npx", "tsc", *typescript, "--moduleResolution", "bundler", "--lib", "es2022,dom",
        "round_trip.ts", directory=tmp_path,
    )  # fmt: skip
    found = json.loads(
        executed(
            "node", "round_trip.js", directory=tmp_path, KEY=key_of(f"orval{version}"),
            INVITATION=json.dumps(INVITATION | {"email": f"orval{version}@example.com"}),
            **server.environment(),
        )
    )  # fmt: skip
    assert found["first"] == found["second"]
    assert found["associations"] >= 1


@VERSIONS
def test_openapi_generator(version: str, tmp_path: Path, server: StandaloneSandbox) -> None:
    """Clients in Python and in Java: the former makes a round trip, the latter is written."""
    file = description(version, tmp_path)
    generate = (str(BIN / "openapi-generator-cli"), "generate", "-i", str(file), "-g")
    executed(*generate, "java", "-o", "java", directory=tmp_path)
    executed(
        *generate, "python", "-o", "python", "--additional-properties=packageName=turris_generated",
        directory=tmp_path,
    )  # fmt: skip
    found = json.loads(
        executed(
            str(BIN / "python"), str(TOOLS / "round_trip.py"), directory=tmp_path / "python",
            KEY=key_of(f"generator{version}"),
            INVITATION=json.dumps(INVITATION | {"email": f"generator{version}@example.com"}),
            **server.environment(),
        )
    )  # fmt: skip
    assert found["first"] == found["second"]
    assert found["associations"] >= 1
