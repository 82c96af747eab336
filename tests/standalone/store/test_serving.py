"""``serve --store`` and ``serve --load``: what they keep, and what they refuse."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from doubles.served_here import KeptLog
from doubles.served_sandbox import serving

from mock_server.serving.command import serve
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from mock_server.store.databases.sqlite import SqliteDatabase
from mock_server.store.store import Store
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request
from pytest_turris.core.worlds import World


def refused(*arguments: str) -> str:
    """The one line of a command line that is refused."""
    result: Result = CliRunner().invoke(serve, ["--port", "0", *arguments])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return result.stderr


def test_store_gives_the_same_environment(tmp_path: Path) -> None:
    """And the same records, tokens and time; options and data of the first start are not needed."""
    path = tmp_path / "turris.db"
    with serving("--store", str(path), "--data", "small_agency") as first:
        token = first.token()
        agents = first.call("/v1/agents", authorization=f"Bearer {token}")["data"]
    assert len(agents) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["turris.db"]
    with serving("--store", str(path), "--client-name", "other") as second:
        assert second.call("/v1/agents", authorization=f"Bearer {token}")["data"] == agents
        del first.variables["TURRIS_BASE_URL"], second.variables["TURRIS_BASE_URL"]
        assert second.variables == first.variables
        assert "open in another process" in refused("--store", str(path))
        second.process.terminate()
        log = second.process.communicate(timeout=60)[1]
    assert log.startswith("# --client-name: not used, as the store has a state and credentials")


def test_a_store_does_not_keep_the_certificate_authority(tmp_path: Path) -> None:
    """Each start makes a new one, and says so; the rest of the environment stays."""
    path = str(tmp_path / "turris.db")
    authorities, variables = [], []
    for _ in range(2):
        with serving("--store", path, "--tls") as server:
            authorities.append(Path(server.variables["SSL_CERT_FILE"]).read_bytes())
            variables.append(server.variables)
            server.process.terminate()
            log = server.process.communicate(timeout=60)[1]
        assert log.startswith("# --tls: its certificate authority is not in the store")
    assert authorities[0] != authorities[1]
    assert variables[0]["TURRIS_CLIENT_SECRET"] == variables[1]["TURRIS_CLIENT_SECRET"]


def test_world_is_loaded_with_new_credentials(tmp_path: Path) -> None:
    """With the options of the file; those of the command line take precedence."""
    world = tmp_path / "world.json"
    sandbox = Sandbox(Options(envelope="top_level", journal_limit=7))
    sandbox.seed("small_agency")
    world.write_text(World.of(sandbox).to_json())
    with serving("--load", str(world), "--store", str(tmp_path / "t.db"), "-o", "seed=5") as new:
        variables = new.variables
        body = {
            "clientId": variables["TURRIS_CLIENT_ID"],
            "clientSecret": variables["TURRIS_CLIENT_SECRET"],
        }
        answer = new.call("/v1/auth/jwt", data=json.dumps(body).encode())
        token = answer["accessToken"]
        agents = new.call("/v1/agents", authorization=f"Bearer {token}")
    assert "statusCode" not in agents
    assert all(f'"npn": "{agent.npn}"' in json.dumps(agents) for agent in sandbox.agents)
    assert variables["TURRIS_CLIENT_ID"] != sandbox.client.client_id
    assert variables["TURRIS_UPSTREAM_ENTITY_ID"] == sandbox.upstream_entity_id
    again = refused("--load", str(world), "--store", str(tmp_path / "t.db"))
    assert "--load: the store has a state already; give another file to --store" in again


@pytest.mark.parametrize(
    ("flag", "name", "message"),
    [
        ("--load", "missing.json", "No such file or directory"),
        ("--load", "text", "not JSON"),
        ("--load", "broken.json", "nobody"),
        ("--store", "text", "is not a store: it is not a file of SQLite"),
        ("--store", "missing/turris.db", "No such file or directory"),
        ("--store", "broken.db", "not a whole snapshot"),
    ],
)
def test_bad_file_is_one_line(tmp_path: Path, flag: str, name: str, message: str) -> None:
    """The file, and what is wrong with it."""
    (tmp_path / "text").write_text("cats " * 100)
    document = json.loads(World.of(Sandbox()).to_json())
    document["state"]["client"] = "nobody"
    (tmp_path / "broken.json").write_text(json.dumps(document))
    store = Store.open(tmp_path / "broken.db", log=print)
    store.attach(Sandbox(), "default")
    store.close()
    database = SqliteDatabase(tmp_path / "broken.db")
    with database.transaction():
        database.execute("UPDATE tenants SET facts = replace(facts, 'turris_sandbox_client', 'no')")
    database.close()
    line = refused(flag, str(tmp_path / name))
    assert line.startswith(f"turris-sandbox: {flag}")
    assert message in line
    assert line.count("\n") == 1


def test_full_disk_is_a_503(tmp_path: Path) -> None:
    """The outcome is unknown to the client; the log has the reason; later it goes on."""
    lines: list[str] = []
    log, store = KeptLog(lines), Store.open(tmp_path / "turris.db", log=print)
    sandbox = Sandbox(Options(token_requests_per_minute=1000))
    store.attach(sandbox, "default")
    client = {
        "clientId": sandbox.client.client_id,
        "clientSecret": str(sandbox.client.client_secret),
    }
    request = Request(
        method="POST",
        path="/v1/auth/jwt",
        headers=(("content-type", "application/json"),),
        body=json.dumps(client).encode(),
    )
    with StandaloneSandbox(sandbox, ServerSettings(), log, store) as server:
        pages = store._database.select("PRAGMA page_count")[0][0]
        store._database.select(f"PRAGMA max_page_count = {pages}")
        answers = [server._answers._answered(request, server.tenants.default) for _ in range(60)]
        store._database.select("PRAGMA max_page_count = 1000000")
        assert server._answers._answered(request, server.tenants.default).status == 201
    failed = next(answer for answer in answers if answer.status == 503)
    assert "the outcome of this request is unknown" in failed.json()["errorMessage"][0]
    assert any("database or disk is full" in line for line in lines)
    store.close()
    log.close()
