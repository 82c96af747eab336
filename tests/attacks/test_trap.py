"""The trap for receivers that follow URLs, and the memory that a receiver takes."""

import mmap
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from pytest_turris.attacks.judging import memory
from pytest_turris.attacks.judging.memory import PeakMemory, listening_processes
from pytest_turris.attacks.judging.trap import Trap, late_visits, the_trap, unvisited


def visit(url: str) -> int:
    """Ask for a URL."""
    with urllib.request.urlopen(url) as answer:
        return int(answer.status)


def test_url_that_is_asked_for_is_named_by_its_place() -> None:
    """The finding says which member held the URL, and each is told once."""
    with Trap().watch("WH-X") as watch:
        assert visit(watch.url("logoUrl")) == 204
        visit(watch.url("logoUrl"))
        assert [one.got for one in unvisited(watch)] == [
            "the receiver connected to where the request said (logoUrl)"
        ]


def test_connection_without_a_request_counts() -> None:
    """Whoever connects has followed a URL, even if it asks for nothing."""
    trap = Trap()
    with trap.watch("WH-X") as watch:
        port = int(trap.base.rpartition(":")[2].partition("/")[0])
        socket.create_connection(("127.0.0.1", port)).close()
        assert [one.expected for one in unvisited(watch)] == ["make no request"]


def test_nothing_comes_of_a_quiet_receiver() -> None:
    """A URL that nobody asks for is no finding, and not late."""
    trap = Trap()
    with trap.watch("WH-X") as watch:
        assert not list(unvisited(watch))
    assert trap.late() == {}


def test_late_request_is_told_once_with_its_attack() -> None:
    """A job that follows the URL when the attack is over is still seen."""
    trap = Trap()
    with trap.watch("WH-EARLY") as early:
        visit(early.url("seen"))
        assert early.visited() == ["seen"]
    with trap.watch("WH-LATE") as late:
        url = late.url("pdfUrl")
    visit(url)
    assert trap.late() == {"WH-LATE": "pdfUrl"}
    assert trap.late() == {}


def test_process_has_one_trap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no trap was set, nothing is late and no socket is opened."""
    assert the_trap() is the_trap()
    assert late_visits() == {}
    the_trap.cache_clear()
    assert late_visits() == {}
    assert not the_trap.cache_info().currsize


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel counts memory so on Linux alone")
def test_peak_of_this_process_is_seen_though_it_was_given_back() -> None:
    """What is taken and given back between two looks counts."""
    watched = PeakMemory([os.getpid(), 0])
    with mmap.mmap(-1, 48 * 2**20) as taken:  # no memory that the process has already
        for page in range(0, len(taken), mmap.PAGESIZE):
            taken[page] = 1
    growth = watched.growth()
    assert growth is not None
    assert growth > 40 * 2**20


def test_memory_of_no_process_is_not_observed() -> None:
    """A receiver of another machine or user is not said to have taken nothing."""
    assert PeakMemory([]).growth() is None


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found so on Linux alone")
def test_process_that_ended_is_left_out() -> None:
    """A receiver that died took its memory with it."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        watched = PeakMemory([child.pid])
        child.kill()
    assert watched.growth() is None


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found so on Linux alone")
def test_listening_process_is_found_by_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process behind a URL of this machine is known by what it listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listening_processes(port) == [os.getpid()]
    assert listening_processes(port) == []
    monkeypatch.setattr(memory, "_PROC", Path("/nonexistent/proc"))
    assert list(memory._listening_inodes(port)) == []
    assert list(memory._open_files(1)) == []


def test_elsewhere_no_process_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other systems have no such files."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert listening_processes(80) == []
