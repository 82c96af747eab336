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
    client = client_of(server, f"orval{version}")
    assert_invited_once(executed("node", "round_trip.js", directory=tmp_path, **client))


@VERSIONS
def test_openapi_generator_for_python(
    version: str, tmp_path: Path, server: StandaloneSandbox
) -> None:
    """A typed client for urllib3."""
    generate(version, tmp_path, "python", "packageName=turris_generated")
    assert_invited_once(
        executed(
            str(BIN / "python"), str(TOOLS / "round_trip.py"), directory=tmp_path,
            **client_of(server, f"generator{version}"),
        )
    )  # fmt: skip


@VERSIONS
def test_openapi_generator_for_java(
    version: str, tmp_path: Path, server: StandaloneSandbox
) -> None:
    """A client for ``java.net.http`` and Jackson, which the Java compiler accepts."""
    options = "openApiNullable=false,useJakartaEe=true"
    generate(version, tmp_path, "java", options, "--library", "native")
    shutil.copy(TOOLS / "RoundTrip.java", tmp_path)
    sources = [str(file) for file in (tmp_path / "src" / "main").rglob("*.java")]
    libraries = ("-cp", os.pathsep.join(map(str, [*jars(), "classes"])))
    executed(
        "javac", "-nowarn", "-d", "classes", *libraries, "RoundTrip.java", *sources,
        directory=tmp_path,
    )  # fmt: skip
    client = client_of(server, f"java{version}")
    assert_invited_once(executed("java", *libraries, "RoundTrip", directory=tmp_path, **client))


def jars() -> list[Path]:
    """What the client in Java needs: Jackson is in the generator itself, the rest from Debian."""
    [generator] = BIN.parent.rglob("openapi-generator.jar")
    names = ("jakarta-annotation-api", "httpmime", "httpcore")
    return [generator, *(Path(f"/usr/share/java/{name}.jar") for name in names)]


def generate(version: str, directory: Path, language: str, options: str, *more: str) -> None:
    """Let openapi-generator write a client into a directory."""
    executed(
        str(BIN / "openapi-generator-cli"), "generate", "-g", language, *more, "-o", ".",
        "-i", str(description(version, directory)), "--additional-properties", options,
        directory=directory,
    )  # fmt: skip


def client_of(server: StandaloneSandbox, name: str) -> dict[str, str]:
    """The environment of one round trip: the sandbox, and an invitation of its own."""
    invitation = INVITATION | {"email": f"{name}@example.com"}
    own = {"KEY": key_of(name), "INVITATION": json.dumps(invitation)}
    return server.environment() | own


def assert_invited_once(printed: str) -> None:
    """Both calls with one idempotency key got the same answer, and the agency is listed."""
    found = json.loads(printed)
    assert found["first"] == found["second"]
    assert found["associations"] >= 1
