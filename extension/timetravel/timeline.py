"""Which instant of the log a moment of the replay shows, found from the burnt-in clock where it can be read."""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from extension.model import Piece, Span

MIN_AGREEING: Final = 3
"""Fewer agreeing clock readings than this are no evidence."""

MARGIN_S: Final = 600.0
"""Readings this far (log seconds) outside the log still count: a replay may begin before it and run on after it."""

_DAY_S: Final = 86_400.0
_DAYS: Final = 31
"""Days of a log that are tried for a reading; a replay that begins more than a month into its log is not found."""

_CLOCK: Final = re.compile(r"(\d{1,2}):(\d\d):(\d\d)", re.ASCII)
_TINY_S: Final = 1e-6
"""Spans touch rather than overlap below this; it absorbs rounding and is far below any frame's duration."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Maps media seconds to log instants and back.

    Attributes:
        start_at: The log's first instant.
        speed: Log seconds per media second.
        lead_s: Media second that shows the log's first instant; negative when the video begins later in the log.
        sure: Whether the lead is known, from burnt-in clocks that agree or because it was stated; else it is assumed.
        pieces: The parts of a video that leaves out some of the log, by time; empty for one that leaves out nothing.
    """

    start_at: dt.datetime
    speed: float
    lead_s: float = 0.0
    sure: bool = False
    pieces: tuple[Piece, ...] = ()

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError(f"speed is {self.speed}, must be above 0")

    def at(self, media_s: float) -> dt.datetime:
        """The log instant shown at a media second."""
        return self.start_at + dt.timedelta(seconds=self.log_s(media_s))

    def log_s(self, media_s: float) -> float:
        """Log seconds since `start_at` shown at a media second."""
        if not self.pieces:
            return (media_s - self.lead_s) * self.speed
        place = bisect.bisect_right(self.pieces, media_s, key=lambda piece: piece.media_s)
        piece = self.pieces[max(place - 1, 0)]
        return (piece.start_at - self.start_at).total_seconds() + (media_s - piece.media_s) * self.speed

    def media_s(self, at: dt.datetime) -> float:
        """The media second that shows a log instant; for one that is left out, where the next piece begins."""
        if not self.pieces:
            return self.lead_s + (at - self.start_at).total_seconds() / self.speed
        place = bisect.bisect_right(self.pieces, at, key=lambda piece: piece.start_at)
        piece = self.pieces[max(place - 1, 0)]
        media_s = piece.media_s + (at - piece.start_at).total_seconds() / self.speed
        return min(media_s, self.pieces[place].media_s) if place < len(self.pieces) else media_s

    def shown(self, span: Span) -> tuple[dt.datetime, dt.datetime]:
        """Log instants from and to which a span of the video shows the log; the span must lie within one piece."""
        start_at = self.at(span.start_s)
        return start_at, start_at + dt.timedelta(seconds=span.duration_s * self.speed)


@dataclass(frozen=True, slots=True)
class _Leads:
    """Span of leads that explain a reading, or several."""

    low_s: float
    high_s: float
    readings: int = 1

    @property
    def best_s(self) -> float:
        """No lead where that explains the readings, else the middle."""
        within = (
            self.low_s <= 0.0 <= self.high_s + 2 * _TINY_S
        )  # the end itself is in: that second begins there
        return 0.0 if within else (self.low_s + self.high_s) / 2


def stated(
    start_at: dt.datetime, speed: float, first_frame_at: dt.datetime, pieces: tuple[Piece, ...] = ()
) -> Timeline:
    """The timeline of a video whose first frame, or each of whose pieces, is known to show an instant of the log."""
    lead_s = (start_at - first_frame_at).total_seconds() / speed
    return Timeline(start_at=start_at, speed=speed, lead_s=lead_s, sure=True, pieces=pieces)


def fit_timeline(
    readings: Sequence[tuple[float, str]],
    start_at: dt.datetime,
    end_at: dt.datetime,
    speed: float,
    *,
    tz: dt.tzinfo = dt.UTC,
) -> Timeline:
    """Find the lead that agrees with most readings of the burnt-in clock.

    A reading says that the log's instant lay within the second shown. Every reading allows a span of leads (one per day that
    the log touches); the lead inside most spans wins, and of equals the one nearest to none. Wrong and stale readings are outvoted.

    Args:
        readings: Media second and clock text "HH:MM:SS"; other texts are skipped.
        start_at: The log's first instant.
        end_at: The log's last instant.
        speed: Log seconds per media second.
        tz: Zone that the burnt-in clock shows.

    Returns:
        The timeline; its lead is 0 when fewer than three readings agree.
    """
    spans = [
        span
        for media_s, text in readings
        for span in _leads(media_s, text, start_at.astimezone(tz), end_at, speed)
    ]
    best = max(_overlaps(spans), key=lambda leads: (leads.readings, -abs(leads.best_s)), default=None)
    if best is None or best.readings < MIN_AGREEING:
        return Timeline(start_at=start_at, speed=speed)
    return Timeline(start_at=start_at, speed=speed, lead_s=best.best_s, sure=True)


def _leads(
    media_s: float, text: str, start_at: dt.datetime, end_at: dt.datetime, speed: float
) -> Iterator[_Leads]:
    """Leads under which the clock shows `text` at `media_s`, one span per day of the log."""
    shown_s = _of_day_s(text)
    if shown_s is None:
        return
    midnight = start_at.replace(hour=0, minute=0, second=0, microsecond=0)
    began_s = (start_at - midnight).total_seconds()
    log_s = (end_at - start_at).total_seconds()
    for day in range(-1, min(int((began_s + log_s + MARGIN_S) // _DAY_S) + 1, _DAYS)):
        since_s = day * _DAY_S + shown_s - began_s
        if -MARGIN_S <= since_s <= log_s + MARGIN_S:
            yield _Leads(low_s=media_s - (since_s + 1.0) / speed, high_s=media_s - since_s / speed)


def _of_day_s(text: str) -> int | None:
    parts = _CLOCK.fullmatch(text.strip())
    if parts is None:
        return None
    hours, minutes, seconds = map(int, parts.groups())
    return hours * 3600 + minutes * 60 + seconds if hours < 24 and minutes < 60 and seconds < 60 else None  # noqa: PLR2004 - a clock


def _overlaps(spans: Sequence[_Leads]) -> Iterator[_Leads]:
    """Every stretch of leads that the same readings allow, with their number: a sweep over the ends of the spans."""
    ends = sorted(
        [(span.low_s + _TINY_S, 1) for span in spans] + [(span.high_s - _TINY_S, -1) for span in spans]
    )
    inside = 0
    for (low_s, change), (high_s, _) in itertools.pairwise(ends):
        inside += change
        if inside and high_s > low_s:
            yield _Leads(low_s=low_s, high_s=high_s, readings=inside)
