import pytest
from doubles.consumer_project import Project

# Loaded here, so that inner runs in this process find them and do not build them anew.


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A consumer's project in an empty directory."""
    for name in ("BASE_URL", "CLIENT_ID", "CLIENT_SECRET", "WEBHOOK_SECRET"):
        monkeypatch.delenv(f"TURRIS_{name}", raising=False)
    # What pytest-xdist tells its workers is about the outer run.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return Project(pytester)
