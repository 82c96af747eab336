"""A consumer's project: its files, and a pytest run over them."""

from dataclasses import dataclass

import pytest

QUIET = ("-p", "no:randomly", "-p", "no:asyncio", "-p", "no:cacheprovider", "-W", "error")
"""No plugin of the environment has a say, unless a test is about it."""

CLIENT = '''
import asyncio
import datetime as dt
import os
import time

import httpx


class Client:
    """Buys a token when it has none or the one it has nears its end, as the vendor asks."""

    def __init__(self, **options):
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"], **options)
        self.token, self.bought = None, None

    def agents(self):
        now = dt.datetime.now(dt.UTC)
        if self.token is None or now - self.bought > dt.timedelta(minutes=55):
            self.token, self.bought = login(self.http), now
        answer = self.http.get("/v1/agents", headers=bearer(self.token))
        answer.raise_for_status()
        return [agent["agent"]["npn"] for agent in answer.json()["data"]]


def credentials():
    names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
    return {member: os.environ[name] for member, name in names.items()}


def login(http):
    answer = http.post("/v1/auth/jwt", json=credentials())
    answer.raise_for_status()
    return answer.json()["data"]["accessToken"]


async def login_async(http):
    answer = await http.post("/v1/auth/jwt", json=credentials())
    return answer.json()["data"]["accessToken"]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}
'''
"""What a consumer's client looks like; ``directory.py`` in each project."""


@dataclass
class Project:
    """Files and runs."""

    pytester: pytest.Pytester

    def __post_init__(self) -> None:
        self.pytester.makepyfile(directory=CLIENT)
        self.pytester.syspathinsert()

    def files(self, *tests: str, **others: str) -> None:
        """``test_project.py``, and other modules by name."""
        if tests:
            others["test_project"] = "\n".join(tests)
        self.pytester.makepyfile(**others)

    def ini(self, *lines: str) -> None:
        """The ini file."""
        self.pytester.makeini("\n".join(["[pytest]", *lines]))

    def run(self, *args: str) -> pytest.RunResult:
        """A run in this process."""
        return self.pytester.runpytest_inprocess(*QUIET, *args)

    def run_apart(self, *args: str) -> pytest.RunResult:
        """A run in a process of its own, for what is about modules, plugins or signals."""
        return self.pytester.runpytest_subprocess(*QUIET, *args, timeout=200)
