"""Clients of a live server in processes of their own: curl, and two of Node."""

import base64
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_turris.doors.sockets.pool import Server

from .clients import Answer, Fields

NODE = Path(__file__).parent / "node"
MAX_SECONDS = 10


def program(name: str) -> str:
    """The path of a program; the test is skipped where there is none."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


class ChildError(Exception):
    """The client in the other process says that its connection failed."""


@dataclass
class Curl:
    """One process for each request."""

    server: Server
    broken: type[Exception] = ChildError

    def send(
        self, method: str, target: str, headers: Fields = (), body: bytes | list[bytes] = b""
    ) -> Answer:
        """Send a request; chunks are what is read from a pipe."""
        fields = [part for name, value in headers for part in ("--header", f"{name}: {value}")]
        upload = ["--upload-file", "-"] if isinstance(body, list) else ["--data-binary", "@-"]
        verb = ["--head"] if method == "HEAD" else ["--request", method]
        run = subprocess.run(
            [
                program("curl"), "--disable", "--silent", "--show-error", "--globoff",
                "--path-as-is", "--include", "--max-time", str(MAX_SECONDS), "--header", "Expect:",
                *verb, *fields, *(upload if body else []), self.server.base_url + target,
            ],
            input=b"".join(body) if isinstance(body, list) else body,
            env=self.server.environment(),
            capture_output=True,
            check=False,
        )  # fmt: skip
        if run.returncode:
            raise ChildError(run.stderr.decode())
        head, _, received = run.stdout.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        pairs = [line.partition(": ")[::2] for line in lines]
        return Answer(int(status.split()[1]), [(n.lower(), v) for n, v in pairs], received)


class Node:
    """One process for all requests, asked and answering in lines of JSON."""

    broken: type[Exception] = ChildError

    def __init__(self, script: str, server: Server) -> None:
        self._server = server
        self._process = subprocess.Popen(
            [program("node"), str(NODE / script)],
            # The certificate authority is read when the process begins.
            env=server.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def send(
        self, method: str, target: str, headers: Fields = (), body: bytes | list[bytes] = b""
    ) -> Answer:
        """Let it send a request."""
        question = {
            "method": method,
            "url": self._server.base_url + target,
            "headers": list(headers),
            "chunks": [
                base64.b64encode(chunk).decode()
                for chunk in (body if isinstance(body, list) else [body])
                if chunk
            ],
            "streamed": isinstance(body, list),
        }
        answer = self._ask(question)
        if "error" in answer:
            raise ChildError(answer["error"])
        fields = [(name.lower(), value) for name, value in answer["headers"]]
        return Answer(answer["status"], fields, base64.b64decode(answer["body"]))

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + os.linesep)
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=MAX_SECONDS)
