"""What an audited run replaces in the process is the original again when the run is over."""

import sys

import pytest
from doubles.consumer_project import QUIET

PROGRAM = """
import builtins, dbm, io, logging, os, socket, sqlite3, ssl, subprocess, sys, threading, time
import warnings
import httpx, httpx2, pytest, requests
from _pytest.capture import CaptureIO, EncodedFile
from _pytest.raises import RaisesExc

OWNERS = [
    builtins, dbm, io, os, socket, sqlite3, subprocess, sys, threading, time, warnings,
    logging.Logger, socket.socket, ssl.SSLObject, ssl.SSLSocket, subprocess.Popen,
    threading.Condition, threading.Thread, CaptureIO, EncodedFile, RaisesExc,
    requests.Session, requests.adapters.HTTPAdapter,
    *(getattr(library, name) for library in (httpx, httpx2)
      for name in ("Client", "AsyncClient", "HTTPTransport", "AsyncHTTPTransport")),
]

def callables():
    return {
        (str(owner), name): value
        for owner in OWNERS
        for name, value in list(vars(owner).items())
        if callable(value)
    }

before = callables()
pytest.main([*sys.argv[1:], "test_it.py"])
after = callables()
print("CHANGED", sorted(key for key in before | after if before.get(key) is not after.get(key)))
"""


@pytest.mark.parametrize("options", [(), ("--turris-audit",), ("--turris-verify-webhooks",)])
def test_a_run_puts_back_all_that_it_replaces(
    pytester: pytest.Pytester, options: tuple[str, ...]
) -> None:
    """A program that runs pytest, and goes on, has the functions and methods that it had before."""
    pytester.makepyfile(
        program=PROGRAM,
        test_it="def test_it(turris, turris_server, turris_time): turris.agents.add()",
    )
    result = pytester.run(sys.executable, "program.py", *QUIET, *options)
    result.stdout.fnmatch_lines(["*1 passed*", "CHANGED []"])
