"""Workers of one test run share one server: started once, stopped when the last has let go, missing for all for the same reason."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import vllm_cpu
import vllm_cpu_server
from tests.contracts.shared_server import NotToBeHad, shared, wanted  # makes the scripts importable
from vllm_cpu_server import Running

SERVER = Running("http://127.0.0.1:9/v1", 1)


class Starts:
    """Stands for the start of a server, and counts."""

    def __init__(self, fault: str = "") -> None:
        self.count = self.running = 0
        self._fault = fault

    @contextmanager
    def serving(self, *_: Any, **__: Any) -> Iterator[Running]:
        """Start one."""
        self.count += 1
        if self._fault:
            raise NotToBeHad(self._fault)
        self.running += 1
        try:
            yield SERVER
        finally:
            self.running -= 1


def nothing(_: str) -> None:
    """Say nothing."""


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Starts:
    """Starts that succeed."""
    made = Starts()
    monkeypatch.setattr(vllm_cpu_server, "serving", made.serving)
    return made


def test_the_second_worker_finds_the_first_ones_server(tmp_path: Path, starts: Starts) -> None:
    """One start for both; the next run starts anew."""
    with shared(tmp_path / "s", nothing) as first:
        with shared(tmp_path / "s", nothing) as second:
            assert first == second == SERVER
        assert (starts.count, starts.running) == (1, 1)
    assert starts.running == 0
    with shared(tmp_path / "s", nothing):
        assert starts.count == 2


def test_the_first_worker_stops_it_only_when_the_others_have_let_go(tmp_path: Path, starts: Starts) -> None:
    """Even when it is done long before."""
    inside, leave = threading.Event(), threading.Event()
    first_done = threading.Event()

    def work_first() -> None:
        with shared(tmp_path / "s", nothing):
            inside.set()
            leave.wait(20)
        first_done.set()

    worker = threading.Thread(target=work_first)
    worker.start()
    assert inside.wait(20)
    with ExitStack() as stack:
        stack.enter_context(shared(tmp_path / "s", nothing))
        leave.set()
        assert not first_done.wait(0.3)
        assert starts.running == 1
    assert first_done.wait(20)
    worker.join(20)
    assert (starts.count, starts.running) == (1, 0)


def test_why_there_is_none_is_found_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And told to every worker."""
    made = Starts("no wheels")
    monkeypatch.setattr(vllm_cpu_server, "serving", made.serving)
    for _ in range(3):
        with pytest.raises(NotToBeHad, match="no wheels"), shared(tmp_path / "s", nothing):
            raise AssertionError("there is none")
    assert made.count == 1


@pytest.mark.parametrize(
    ("said", "ci", "installed", "asks"),
    [
        pytest.param("", "", False, False, id="a-bare-machine-does-not"),
        pytest.param("", "", True, True, id="one-that-has-it-does"),
        pytest.param("", "true", False, True, id="ci-does"),
        pytest.param("1", "", False, True, id="who-says-so-does"),
        pytest.param("0", "true", True, False, id="who-says-no-does-not"),
    ],
)
def test_who_asks_for_a_real_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, ci: str, *, installed: bool, asks: bool
) -> None:
    """Nobody downloads 2 GB without having asked for it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("TIMETRAVEL_VLLM", said)
    monkeypatch.setenv("CI", ci)
    if installed:
        vllm_cpu.home().mkdir(parents=True)
    assert wanted() is asks
