"""Wall-clock times of a camera's frames: from its own clock where it tells one we can believe, else from their arrival."""

from __future__ import annotations

import datetime as dt
import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from extension.sources.camera.segments import Stamp

_BUCKET_S: Final = 10.0
"""The least delayed frame of this long tells when frames arrive that nothing delayed."""

_BUCKETS: Final = 360
"""Drift is measured over the last hour."""

_LEAST_BUCKETS: Final = 3
"""Two buckets would measure their own jitter."""

_MOST_BEND: Final = 0.05
"""How far a segment's wall-clock length may differ from its media length, to come closer to the right time."""

_STEP_S: Final = 1.0
"""A clock that is ahead by more than this jumped; nobody waits for it."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What is known about a camera's clock.

    Attributes:
        stamp: Whose clock segments are stamped by.
        offset_s: The camera's clock less ours, the time packets travel included; None where it tells no time.
        drift_ppm: How much faster than ours the camera counts its media time, millionths; None until it can be measured.
        wrong: Whether it tells a time that cannot be believed.
    """

    stamp: Stamp
    offset_s: float | None
    drift_ppm: float | None
    wrong: bool


class MediaClock:
    """The clock of one connection; belongs to one thread.

    Args:
        tolerance_s: A camera's clock that differs from ours by more than this is wrong: arrival counts.
    """

    def __init__(self, tolerance_s: float) -> None:
        self._tolerance_s = tolerance_s
        self._bucket_end_s = -math.inf
        self._least_s = math.inf
        self._before_s = math.inf
        self._buckets: deque[tuple[float, float]] = deque(maxlen=_BUCKETS)
        self._camera: tuple[float, dt.datetime] | None = None
        self._offset_s: float | None = None

    def hear(self, media_s: float, arrival_s: float) -> None:
        """A frame of media time `media_s` came at processing time `arrival_s`."""
        delay_s = arrival_s - media_s
        if arrival_s >= self._bucket_end_s:
            if math.isfinite(self._least_s):
                self._buckets.append((self._bucket_end_s, self._least_s))
            self._before_s, self._least_s = self._least_s, math.inf
            self._bucket_end_s = arrival_s + _BUCKET_S
        self._least_s = min(self._least_s, delay_s)

    def tell(self, media_s: float, camera_at: dt.datetime, now_at: dt.datetime, now_s: float) -> None:
        """The camera says that `media_s` was at `camera_at`; its frame has been heard, and now is our clock's `now_at`."""
        self._camera = media_s, camera_at
        self._offset_s = (camera_at - self._arrival_at(media_s, now_at, now_s)).total_seconds()

    def reading(self) -> ClockReading:
        """What is known now."""
        wrong = self._offset_s is not None and abs(self._offset_s) > self._tolerance_s
        stamp = Stamp.ARRIVAL if wrong or self._camera is None else Stamp.NTP
        return ClockReading(stamp, self._offset_s, self._drift_ppm(), wrong)

    def at(self, media_s: float, now_at: dt.datetime, now_s: float) -> dt.datetime:
        """The wall clock at media time `media_s`.

        Args:
            media_s: On this connection's scale; some frame has been heard.
            now_at: Our wall clock.
            now_s: The same instant as processing time.
        """
        if self._camera is not None and self.reading().stamp is Stamp.NTP:
            return self._camera[1] + _seconds(media_s - self._camera[0])
        return self._arrival_at(media_s, now_at, now_s)

    def _arrival_at(self, media_s: float, now_at: dt.datetime, now_s: float) -> dt.datetime:
        """When a frame of `media_s` arrives that nothing delays."""
        arrival_s = media_s + min(self._least_s, self._before_s)
        return now_at + _seconds(arrival_s - now_s)

    def _drift_ppm(self) -> float | None:
        if len(self._buckets) < _LEAST_BUCKETS:
            return None
        (first_s, first_delay_s), (last_s, last_delay_s) = self._buckets[0], self._buckets[-1]
        return round((first_delay_s - last_delay_s) / (last_s - first_s) * 1e6, 1)


def bend(start_at: dt.datetime, media_s: float, wanted_at: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """When a segment ends, and when the one that follows it without a break begins.

    Segments never overlap and never run backwards; small differences are spread over their length, and where the clock jumped ahead
    the time in between is left open.

    Args:
        start_at: Of the segment.
        media_s: Its length by its frames.
        wanted_at: What the clock says its end is.
    """
    length = _seconds(media_s)
    if wanted_at > start_at + length + _seconds(_STEP_S):
        return start_at + length, wanted_at
    bent = length * _MOST_BEND
    end_at = min(max(wanted_at, start_at + length - bent), start_at + length + bent)
    return end_at, end_at


class SteadyTime:
    """Our wall clock, made never to run backwards: when it is set back, this one runs 5 % slow until they agree.

    Args:
        now_at: The wall clock at the start.
        now_s: Processing time at the start.
    """

    def __init__(self, now_at: dt.datetime, now_s: float) -> None:
        self._at = now_at
        self._s = now_s

    def read(self, now_at: dt.datetime, now_s: float) -> dt.datetime:
        """The time to use for the wall clock's `now_at` at processing time `now_s`, which does not go back."""
        passed = _seconds(max(0.0, now_s - self._s))
        self._at = max(now_at, self._at + passed * (1 - _MOST_BEND))
        self._s = max(self._s, now_s)
        return self._at


def _seconds(seconds: float) -> dt.timedelta:
    return dt.timedelta(seconds=seconds)
