"""Children are waited for, started anew and stopped; they do not outlive their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from extension.clock import SystemClock
from extension.errors import Unavailable
from extension.stack.child import Child, Program
from extension.stack.memory import PeakMemory, tree_rss_bytes


def _program(*args: str) -> Program:
    return Program("sleeper", "tests.stack.sleeper", args, dict(os.environ), 0, "/")


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    """A started child."""
    made = Child(_program(), tmp_path, SystemClock())
    made.start()
    yield made
    made.stop()


def _until(fact: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if fact():
            return True
        time.sleep(0.02)
    return False


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_child_answers_once_it_is_ready(child: Child) -> None:
    """Its address is known and works."""
    child.wait_ready(10)
    assert requests.get(child.url, timeout=5).ok
    assert child.pid is not None


def test_a_dead_child_comes_back_on_the_same_port(child: Child) -> None:
    """The others need not learn a new address."""
    child.wait_ready(10)
    url, pid = child.url, child.pid
    assert not child.restart_if_dead()
    with pytest.raises(requests.ConnectionError):
        requests.get(url + "/die", timeout=5)
    assert _until(child.restart_if_dead)
    child.wait_ready(10)
    assert (child.url, child.pid != pid) == (url, True)


def test_a_child_that_ends_at_start_says_why(tmp_path: Path) -> None:
    """The last lines of its log are in the error."""
    child = Child(_program("--fail"), tmp_path, SystemClock())
    child.start()
    with pytest.raises(Unavailable, match="no such luck"):
        child.wait_ready(10)


def test_a_stopped_child_stays_down(child: Child) -> None:
    """Nobody starts it again behind our back."""
    child.wait_ready(10)
    pid = child.pid
    assert pid is not None
    child.stop()
    assert _gone(pid)
    assert not child.restart_if_dead()


def test_a_child_that_ignores_the_request_to_end_is_ended(child: Child) -> None:
    """Grace has an end."""
    child.wait_ready(10)
    pid = child.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    child.stop(grace_s=0.2)
    assert _gone(pid)


def test_children_die_with_their_parent(tmp_path: Path) -> None:
    """Even SIGKILL of the parent leaves no orphan."""
    code = (
        "import os, sys, time; from pathlib import Path; sys.path.insert(0, '.');"
        "from extension.clock import SystemClock; from extension.stack.child import Child, Program;"
        f"c = Child(Program('sleeper', 'tests.stack.sleeper', (), dict(os.environ), 0, '/'), Path({str(tmp_path)!r}), SystemClock());"
        "c.start(); c.wait_ready(10); print(c.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
    assert _until(lambda: _gone(pid))


def test_memory_counts_the_whole_tree(child: Child) -> None:
    """A child's memory is part of its parent's tree."""
    child.wait_ready(10)
    alone = tree_rss_bytes(child.pid or 0)
    assert alone > 1_000_000
    assert tree_rss_bytes(os.getpid()) >= alone
    peak = PeakMemory(every_s=0.01)
    peak.start()
    assert peak.stop() >= alone
