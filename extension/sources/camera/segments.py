"""Segments: what they are, how their names carry what there is to know, and which of them cover a span."""

from __future__ import annotations

import datetime as dt
import enum
import re
import threading
from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

_NAME: Final = re.compile(r"(\d{8}T\d{6}\.\d{6})Z_(\d+)us_(h264|hevc)_(\d+)x(\d+)_(\d+)k_(ntp|arrival)\.mp4")
_TIME: Final = "%Y%m%dT%H%M%S.%f"
_MICROSECOND: Final = dt.timedelta(microseconds=1)


class Stamp(enum.StrEnum):
    """Whose clock a segment's times are: the camera's own by RTCP, or ours when its packets arrived."""

    NTP = "ntp"
    ARRIVAL = "arrival"


@dataclass(frozen=True, slots=True)
class Footage:
    """What a segment holds.

    Attributes:
        codec: "h264" or "hevc".
        width: Pixels.
        height: Pixels.
        keyframes: How many of its frames decoding can start at; the first always is one.
        stamp: Whose clock its times are.
    """

    codec: str
    width: int
    height: int
    keyframes: int
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Segment:
    """A few seconds of recorded camera video on disk; the span is half-open: `start_at` is in, `end_at` is out."""

    camera: str
    start_at: dt.datetime
    end_at: dt.datetime
    path: Path
    size_bytes: int
    footage: Footage

    @property
    def duration_s(self) -> float:
        """Length on the wall clock, seconds."""
        return (self.end_at - self.start_at).total_seconds()


def folder_name(camera: str) -> str:
    """The folder that holds one camera and no other: every name has its own, whatever is in it.

    Letters and digits of all languages stay as they are, so that the longest of names still makes a folder.
    """
    return "".join(sign if sign.isalnum() else _quoted(sign) for sign in camera)


def camera_name(folder: str) -> str:
    """Whose folder it is."""
    return unquote(folder)


def file_name(start_at: dt.datetime, end_at: dt.datetime, footage: Footage) -> str:
    """A segment's file name, which says all of it; names sort by time."""
    micros = (end_at - start_at) // _MICROSECOND
    size = f"{footage.width}x{footage.height}"
    start = start_at.astimezone(dt.UTC).strftime(_TIME)
    return f"{start}Z_{micros}us_{footage.codec}_{size}_{footage.keyframes}k_{footage.stamp}.mp4"


def read_name(camera: str, path: Path, size_bytes: int) -> Segment | None:
    """The segment that a file's name tells of; None for files that are none."""
    found = _NAME.fullmatch(path.name)
    if found is None:
        return None
    start, micros, codec, width, height, keyframes, stamp = found.groups()
    try:
        start_at = dt.datetime.strptime(start, _TIME).replace(tzinfo=dt.UTC)
        end_at = start_at + int(micros) * _MICROSECOND
    except (ValueError, OverflowError):
        return None
    footage = Footage(codec, int(width), int(height), int(keyframes), Stamp(stamp))
    return Segment(camera, start_at, end_at, path, size_bytes, footage)


def _quoted(sign: str) -> str:
    return quote(sign, safe="").replace(".", "%2E")


class SegmentIndex:
    """Segments in memory, by camera and time; any thread may ask."""

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        self._lock = threading.Lock()
        self._by_camera: dict[str, list[Segment]] = {}
        self._longest: dict[str, dt.timedelta] = {}
        self._bytes = 0
        for segment in segments:
            self.add(segment)

    @property
    def size_bytes(self) -> int:
        """Bytes of all segments together."""
        return self._bytes

    def add(self, segment: Segment) -> None:
        """Take in a segment."""
        with self._lock:
            insort(self._by_camera.setdefault(segment.camera, []), segment, key=_start)
            longest = self._longest.get(segment.camera, dt.timedelta())
            self._longest[segment.camera] = max(longest, segment.end_at - segment.start_at)
            self._bytes += segment.size_bytes

    def remove(self, segment: Segment) -> None:
        """Forget a segment; nothing happens when it is not known."""
        with self._lock:
            held = self._by_camera.get(segment.camera, [])
            place = bisect_left(held, segment.start_at, key=_start)
            while place < len(held) and held[place].start_at == segment.start_at:
                if held[place] == segment:
                    del held[place]
                    self._bytes -= segment.size_bytes
                    return
                place += 1

    def cameras(self) -> tuple[str, ...]:
        """Names of all cameras that have segments."""
        with self._lock:
            return tuple(sorted(name for name, held in self._by_camera.items() if held))

    def segments(self, camera: str) -> tuple[Segment, ...]:
        """All segments of one camera, oldest first."""
        with self._lock:
            return tuple(self._by_camera.get(camera, ()))

    def latest(self, camera: str) -> Segment | None:
        """The camera's newest segment."""
        with self._lock:
            held = self._by_camera.get(camera)
            return held[-1] if held else None

    def covering(self, camera: str, start_at: dt.datetime, end_at: dt.datetime) -> tuple[Segment, ...]:
        """Segments of exactly this camera that share any instant with [start_at, end_at), oldest first."""
        if end_at <= start_at:
            return ()
        with self._lock:
            held = self._by_camera.get(camera, [])
            longest = self._longest.get(camera, dt.timedelta())
            first = bisect_left(held, start_at - longest, key=_start)
            last = bisect_left(held, end_at, key=_start)
            return tuple(segment for segment in held[first:last] if segment.end_at > start_at)


def _start(segment: Segment) -> dt.datetime:
    return segment.start_at
