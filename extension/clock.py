"""The one place that asks for now; everything else takes a `Clock`."""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol


class Clock(Protocol):
    """Wall clock and waiting, so that tests can own both."""

    def now(self) -> dt.datetime:
        """The wall clock as an aware UTC instant."""
        ...

    def monotonic_s(self) -> float:
        """Processing time in seconds from an arbitrary origin; only differences mean anything."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds of processing time."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> dt.datetime:
        """The wall clock as an aware UTC instant."""
        return dt.datetime.now(tz=dt.UTC)

    def monotonic_s(self) -> float:
        """Processing time in seconds from an arbitrary origin."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        time.sleep(seconds)
