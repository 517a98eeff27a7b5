"""Keeps long-running work alive: what breaks is logged, counted and started again. The service's one broad except is here."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

_LOG = structlog.get_logger(__name__)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0


class Supervisor:
    """Runs named pieces of work in threads of their own until told to stop.

    `crashes` counts, by name, how often a piece broke.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.crashes: dict[str, int] = {}
        self._threads: list[threading.Thread] = []

    def keep_running(
        self, name: str, work: Callable[[], None], broke: Callable[[str], None] | None = None
    ) -> None:
        """Start `work` in a thread; when it raises, call `broke` with the reason and start it again, later each time.

        `work` returns when `stop` is set.
        """
        thread = threading.Thread(target=self._run, args=(name, work, broke), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def shut_down(self, timeout_s: float = 10.0) -> None:
        """Tell all work to stop and wait for it, the last started first."""
        self.stop.set()
        for thread in reversed(self._threads):
            thread.join(timeout_s)

    def _run(self, name: str, work: Callable[[], None], broke: Callable[[str], None] | None) -> None:
        wait_s = _FIRST_WAIT_S
        while not self.stop.is_set():
            try:
                work()
            except Exception as exc:  # noqa: BLE001 - the one place: log, count, start again
                self.crashes[name] = self.crashes.get(name, 0) + 1
                _LOG.exception("work_broke", work=name, crashes=self.crashes[name])
                if broke is not None:
                    broke(f"{type(exc).__name__} while working")
                self.stop.wait(wait_s)
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
            else:
                return
