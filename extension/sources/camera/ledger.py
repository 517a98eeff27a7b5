"""The account of a camera's time: every second is captured, lost with a reason, or still under way."""

from __future__ import annotations

import datetime as dt
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from extension.sources.camera.trouble import Code

_RECENT: Final = 1000
"""Gaps remembered one by one; all of them are in the sums."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A span of one camera that was not captured, and why; half-open."""

    camera: str
    start_at: dt.datetime
    end_at: dt.datetime
    code: Code

    @property
    def duration_s(self) -> float:
        """Length, seconds."""
        return (self.end_at - self.start_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Account:
    """Sums since `since_at`: captured, lost and pending seconds together are all there were.

    Attributes:
        captured_s: On disk, or was before the ring let go of it.
        lost_s: By reason.
        pending_s: Not decided yet: the segment under way, or what is on its way from the camera.
        gaps: How many spans were lost, by reason.
    """

    since_at: dt.datetime
    captured_s: float
    lost_s: Mapping[Code, float]
    pending_s: float
    gaps: Mapping[Code, int]


class Ledger:
    """Keeps the account of one camera; belongs to one thread.

    Args:
        camera: Whose account it is.
        since_at: Where it begins.
        code: Why the time from there on is lost, until something else is known; None: not known to be lost.
    """

    def __init__(self, camera: str, since_at: dt.datetime, code: Code | None = Code.STARTING) -> None:
        self._camera = camera
        self._since_at = since_at
        self._cursor_at = since_at
        self._causes: list[tuple[dt.datetime, Code]] = [(since_at, code)] if code else []
        self._captured = dt.timedelta()
        self._lost: Counter[Code] = Counter()
        self._gaps: Counter[Code] = Counter()
        self._recent: deque[Gap] = deque(maxlen=_RECENT)

    @property
    def cursor_at(self) -> dt.datetime:
        """Up to here everything is decided."""
        return self._cursor_at

    @property
    def recent(self) -> tuple[Gap, ...]:
        """The latest gaps, oldest first."""
        return tuple(self._recent)

    def lose(self, code: Code, at: dt.datetime) -> None:
        """From `at` on time is lost for this reason; what was undecided before it is lost for it too."""
        if not self._causes:
            self._causes.append((self._cursor_at, code))
        elif self._causes[-1][1] is not code:
            self._causes.append((max(at, self._causes[-1][0]), code))

    def capture(self, start_at: dt.datetime, end_at: dt.datetime) -> tuple[Gap, ...]:
        """A segment is on disk; returns the gaps that are thereby closed. Time before the cursor counts once."""
        start_at = max(start_at, self._cursor_at)
        end_at = max(start_at, end_at)
        closed = tuple(self._closed(start_at))
        for gap in closed:
            self._lost[gap.code] += (gap.end_at - gap.start_at) // _MICROSECOND
            self._gaps[gap.code] += 1
        self._recent.extend(closed)
        self._captured += end_at - start_at
        self._cursor_at = end_at
        self._causes = []
        return closed

    def standing(self, now_at: dt.datetime) -> Account:
        """The account up to now; a gap that is still open counts as lost up to now."""
        lost, gaps = self._lost.copy(), self._gaps.copy()
        for gap in self._closed(max(now_at, self._cursor_at)) if self._causes else ():
            lost[gap.code] += (gap.end_at - gap.start_at) // _MICROSECOND
            gaps[gap.code] += 1
        pending = dt.timedelta() if self._causes else max(now_at - self._cursor_at, dt.timedelta())
        return Account(
            since_at=self._since_at,
            captured_s=self._captured.total_seconds(),
            lost_s={code: micros / 1e6 for code, micros in lost.items()},
            pending_s=pending.total_seconds(),
            gaps=dict(gaps),
        )

    def _closed(self, end_at: dt.datetime) -> list[Gap]:
        """The open gap up to `end_at`, cut where its reason changed."""
        causes = self._causes or [(self._cursor_at, Code.MISSING_FRAMES)]
        ends = [at for at, _ in causes[1:]] + [end_at]
        spans = zip(causes, ends, strict=True)
        return [
            Gap(self._camera, max(at, self._cursor_at), min(until, end_at), code)
            for (at, code), until in spans
            if max(at, self._cursor_at) < min(until, end_at)
        ]


_MICROSECOND: Final = dt.timedelta(microseconds=1)
