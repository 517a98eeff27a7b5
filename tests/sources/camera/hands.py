"""A clock that is moved by hand."""

from __future__ import annotations

import datetime as dt

START_AT = dt.datetime(2026, 5, 1, 8, 0, tzinfo=dt.UTC)


def at(seconds: float) -> dt.datetime:
    """An instant, in seconds after the start."""
    return START_AT + dt.timedelta(seconds=seconds)


class Hands:
    """Wall clock and processing time, which can be moved apart."""

    def __init__(self) -> None:
        self.wall_s = 0.0
        self.passed_s = 1000.0

    def now(self) -> dt.datetime:
        """Where the wall clock was put."""
        return at(self.wall_s)

    def monotonic_s(self) -> float:
        """Processing time."""
        return self.passed_s

    def sleep(self, seconds: float) -> None:
        """Time goes by."""
        self.wall_s += seconds
        self.passed_s += seconds
