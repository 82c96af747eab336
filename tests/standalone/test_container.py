"""``docs/examples/container`` without an image: its commands, and its entry point as process 1."""

import json
import os
import re
import shutil
import signal
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import compose_spec
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "container"
CONTAINERFILE = (EXAMPLE / "Containerfile").read_text().replace("\\\n", "")
NOBODY = 65_534
SOURCES = ("pytest_turris", "mock_server", "pyproject.toml", "README.md", "LICENSE")


def instructions(name: str) -> list[str]:
    """The arguments of an instruction of the Containerfile."""
    return re.findall(rf"^{name} (.*)$", CONTAINERFILE, re.MULTILINE)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that every user can read, as the file system of an image."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture(scope="module")
def installed(folder: Path) -> list[str]:
    """The entry point, installed by the commands of the Containerfile, run by another user."""
    missing = [name for name in ("unshare", "setpriv") if shutil.which(name) is None]
    if os.name != "posix" or os.geteuid() != 0 or missing:
        if os.environ.get("TURRIS_REQUIRE_ALL") == "1":
            pytest.fail(f"needs root, unshare and setpriv; missing: {missing}", pytrace=False)
        pytest.skip("needs root, unshare and setpriv")
    (folder / "src").mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / "src" / name)
    (folder / "opt").mkdir()
    for path in (folder / "opt", *(folder / "src").rglob("*"), folder / "src"):
        os.chown(path, NOBODY, NOBODY)
    for command in instructions("RUN"):
        here = command.replace("/opt/", f"{folder}/opt/").replace("'/src[", f"'{folder}/src[")
        here = here.replace("python3 -m venv", f"{sys.executable} -m venv")
        run_as_nobody(folder, "sh", "-ec", here)
    for path in (folder / "opt").rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    [entry] = instructions("ENTRYPOINT")
    return [word.replace("/opt/", f"{folder}/opt/") for word in json.loads(entry)]


def as_nobody() -> list[str]:
    """Another user, who may write nothing of ours, but read Python where it is below ``/root``."""
    reading = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    who = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    return [str(shutil.which("setpriv")), *who, *reading]


def run_as_nobody(folder: Path, *command: str) -> None:
    """Run a command; an error fails the test."""
    subprocess.run([*as_nobody(), *command], env=environment(folder), check=True)


def environment(folder: Path) -> dict[str, str]:
    """No HOME; dependencies are those of this environment: nothing is downloaded twice."""
    packages = [path for path in site.getsitepackages() if Path(path).is_dir()]
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join(packages),
        "TMPDIR": str(folder / "opt"),
        "PYTHONUNBUFFERED": "1",
    }


@pytest.mark.installs
def test_entry_point_as_process_1(installed: list[str], folder: Path) -> None:
    """Another user, read-only code, no HOME: it answers, is healthy, and ends at SIGTERM."""
    [given] = instructions("CMD")[-1:]
    arguments = [*json.loads(given), "--port", "0"]
    unshare = [str(shutil.which("unshare")), "--pid", "--fork", "--mount-proc"]
    process = subprocess.Popen(
        [*unshare, *as_nobody(), *installed, *arguments],
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        base_url = ""
        for line in process.stdout:
            if found := re.match(r"export TURRIS_BASE_URL='?(.+?)'?$", line):
                base_url = found[1].replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - where it listens
            if line.startswith("# curl"):
                break
        run_as_nobody(folder, *installed, "health", base_url)
        [first] = (
            Path(f"/proc/{process.pid}/task/{process.pid}/children")
            .read_text(encoding="utf-8")
            .split()
        )
        os.kill(int(first), signal.SIGTERM)
        log = process.communicate(timeout=60)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert log.endswith("stopped\n")


def test_image_drops_root_and_knows_its_health() -> None:
    """The user is a number, so that an orchestrator can see that it is not root."""
    [user] = instructions("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert instructions("HEALTHCHECK")[0].endswith(
        'CMD ["/opt/turris/bin/turris-sandbox", "health"]'
    )


def test_containerfile_passes_hadolint() -> None:
    """The linter of Dockerfiles has nothing to say, and would have something."""
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint
    file = EXAMPLE / "Containerfile"
    found = subprocess.run([hadolint, str(file)], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")
    bad = subprocess.run(
        [hadolint, "-"], input="FROM python\n", capture_output=True, text=True, check=False
    )
    assert "DL3006" in bad.stdout


def test_compose_file_is_one_and_as_strict_as_it_says() -> None:
    """It is a Compose file; read-only, without capabilities, on loopback alone."""
    parsed = compose_spec.PyCompose.from_yaml((EXAMPLE / "compose.yaml").read_text())
    parsed.validate()
    document = json.loads(parsed.to_json())
    turris = document["services"]["turris"]
    assert turris["read_only"] is True
    assert turris["cap_drop"] == ["ALL"]
    assert turris["healthcheck"]["test"][1:3] == ["/opt/turris/bin/turris-sandbox", "health"]
    assert turris["environment"] == document["services"]["app"]["environment"]
    with pytest.raises(Exception, match=r"(?i)port|unknown|invalid|expected"):
        compose_spec.PyCompose.from_yaml("services: {turris: {ports: true}}").validate()
