"""How long to go on asking a neighbour that does not answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import structlog

from extension.clock import Clock
from extension.errors import Unavailable

T = TypeVar("T")
_LOG = structlog.get_logger(__name__)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 20.0


class Stopped(Exception):
    """The service stops; what was begun goes on at the next start."""


class Patience:
    """Waits between tries, longer each time, and gives up when nothing has worked for `limit_s` seconds.

    One object is shared by all requests of a job: one success anywhere means that the neighbour is alive.
    """

    def __init__(self, limit_s: float, clock: Clock, stop: threading.Event) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._stop = stop
        self._last_success_s = clock.monotonic_s()

    def succeeded(self) -> None:
        """Note that the neighbour answered."""
        self._last_success_s = self._clock.monotonic_s()

    @property
    def exhausted(self) -> bool:
        """Whether nothing has worked for too long."""
        return self._clock.monotonic_s() - self._last_success_s >= self._limit_s

    def wait(self, tries: int) -> None:
        """Wait before try number `tries` + 1.

        Raises:
            Stopped: when the service stops meanwhile.
        """
        if self._stop.wait(min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(tries, 10))):
            raise Stopped

    def check(self) -> None:
        """Raise Stopped when the service is stopping."""
        if self._stop.is_set():
            raise Stopped

    def until_available(self, what: Callable[[], T]) -> T:
        """Call `what` until it answers.

        Raises:
            Unavailable: its own last error, when patience is exhausted.
            Stopped: when the service stops meanwhile.
        """
        tries = 0
        while True:
            self.check()
            try:
                result = what()
            except Unavailable as exc:
                if self.exhausted:
                    raise
                tries += 1
                _LOG.warning("waiting", reason=str(exc), tries=tries)
                self.wait(tries)
            else:
                self.succeeded()
                return result
