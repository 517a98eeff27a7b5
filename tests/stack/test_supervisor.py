"""Work that breaks is counted and started again; work that ends is left alone."""

from __future__ import annotations

import threading

import structlog

from extension.supervisor import Supervisor


def test_broken_work_is_started_again_and_told() -> None:
    """One crash does not end the work."""
    supervisor, whole = Supervisor(), threading.Event()
    runs: list[int] = []
    reasons: list[str] = []

    def work() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise RuntimeError("no")
        whole.set()
        supervisor.stop.wait()

    with structlog.testing.capture_logs() as logs:
        supervisor.keep_running("work", work, reasons.append)
        assert whole.wait(10)
        supervisor.shut_down()
    assert supervisor.crashes == {"work": 1}
    assert reasons == ["RuntimeError while working"]
    assert [entry["event"] for entry in logs] == ["work_broke"]


def test_work_that_returns_is_over() -> None:
    """Ending is not breaking."""
    supervisor, done = Supervisor(), threading.Event()
    supervisor.keep_running("work", done.set)
    assert done.wait(10)
    supervisor.shut_down()
    assert supervisor.crashes == {}
