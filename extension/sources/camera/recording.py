"""One connection's packets on their way into segments. Cutting and times are decided elsewhere; this does as they say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from av.packet import Packet
from av.video.stream import VideoStream

from extension.clock import Clock
from extension.sources.camera.book import Book
from extension.sources.camera.cutting import Cut, Frame, Limits, Open, cut
from extension.sources.camera.muxing import Muxer, picture_size
from extension.sources.camera.reader import Reader, camera_time
from extension.sources.camera.reports import CameraClock, Picture
from extension.sources.camera.segments import Footage, Segment
from extension.sources.camera.timing import MediaClock, bend
from extension.sources.camera.trouble import CameraTrouble, Code
from extension.sources.rtsp.units import (
    Codec,
    continues_picture,
    is_parameter_set,
    joined,
    split_start_codes,
)

_HEAD_BYTES: Final = 4096
"""Parameter sets stand at the front of a key frame, within this."""

Store = Callable[[str, dt.datetime, dt.datetime, Footage, Sequence[bytes]], Segment | None]
"""Writes a segment and tells of it; None when it cannot be written. It says so itself."""

Awaited = Callable[[str, dt.datetime, dt.datetime], bool]
"""Whether somebody waits for the end of a camera's segment that reaches from one instant to another."""


def nobody_waits(camera: str, start_at: dt.datetime, end_at: dt.datetime) -> bool:  # noqa: ARG001 - the form of `Awaited`
    """Segments end when they are long enough."""
    return False


@dataclass(slots=True)
class _Segment:
    """The segment under way."""

    open: Open
    muxer: Muxer
    shown_s: float
    start_at: dt.datetime | None
    size: tuple[int, int]
    keyframes: int = 1


class Recording:
    """Turns the packets of one connection into segments.

    Args:
        reader: The connection.
        book: The camera's.
        store: Where segments go.
        clock: Ours.
        limits: When to cut.
        tolerance_s: Of the camera's clock.
        tell: Hears when the camera's clock becomes wrong, or right again.
        awaited: Who waits for a segment gets it at the next key frame.
    """

    def __init__(
        self,
        reader: Reader,
        book: Book,
        store: Store,
        clock: Clock,
        limits: Limits,
        tolerance_s: float,
        tell: Callable[[CameraClock], None],
        awaited: Awaited = nobody_waits,
    ) -> None:
        self._reader = reader
        self._book = book
        self._store = store
        self._clock = clock
        self._limits = limits
        self._tell = tell
        self._awaited = awaited
        self._media_clock = MediaClock(tolerance_s)
        self._codec = Codec(reader.codec)
        self._sets = self._set_units(split_start_codes(reader.sets))
        self._size: tuple[int, int] | None = None
        self._segment: _Segment | None = None
        self._next_at: dt.datetime | None = None
        self._clock_wrong = False

    def take(self, packet: Packet[VideoStream]) -> None:
        """Take the next packet.

        Raises:
            CameraTrouble: Its pictures cannot be decoded, or no file can hold them; the segment under way is thrown away then.
        """
        now_s = self._clock.monotonic_s()
        tick_s = self._reader.tick_s
        shown_s, decoded_s = (packet.pts or 0) * tick_s, (packet.dts or 0) * tick_s
        self._media_clock.hear(shown_s, now_s)
        changed = False
        if packet.is_keyframe:
            head = split_start_codes(bytes(memoryview(packet)[:_HEAD_BYTES]))
            if continues_picture(self._codec, head):
                self._extend(packet, now_s)
                return
            self._hear_clock(packet, shown_s, now_s)
            packet, changed = self._prepared(packet, self._set_units(head))
        step = cut(
            self._segment.open if self._segment else None,
            Frame(
                decoded_s, packet.size, packet.is_keyframe, changed, self._is_awaited(packet, shown_s, now_s)
            ),
            self._limits,
        )
        if step is Cut.JOIN and self._segment is not None:
            self._join(self._segment, packet, decoded_s)
        elif step is not Cut.SKIP:
            self._turn(step, packet, shown_s, decoded_s)
        if self._segment is not None:
            self._book.frame(packet.size, now_s)

    def _is_awaited(self, packet: Packet[VideoStream], shown_s: float, now_s: float) -> bool:
        """Whether somebody waits for what was recorded before a key frame."""
        if self._segment is None or not packet.is_keyframe:
            return False
        now_at = self._book.now()
        end_at = self._media_clock.at(shown_s, now_at, now_s)
        start_at = self._segment.start_at or self._media_clock.at(self._segment.shown_s, now_at, now_s)
        return self._awaited(self._book.camera.name, start_at, end_at)

    def close(self) -> None:
        """The connection is over: what is under way becomes a segment."""
        if self._segment is not None:
            self._close(self._segment, None)

    def _extend(self, packet: Packet[VideoStream], now_s: float) -> None:
        """Some cameras send parameter sets before each slice of a key frame, and its slices then come one by one."""
        if self._segment is not None:
            self._segment.muxer.extend(packet)
            self._segment.open.size_bytes += packet.size
            self._book.frame(packet.size, now_s, part=True)

    def _join(self, segment: _Segment, packet: Packet[VideoStream], decoded_s: float) -> None:
        segment.open.last_s = decoded_s
        segment.open.size_bytes += packet.size
        segment.keyframes += packet.is_keyframe
        try:
            segment.muxer.add(packet)
        except CameraTrouble:
            self._segment = None
            raise

    def _turn(self, step: Cut, packet: Packet[VideoStream], shown_s: float, decoded_s: float) -> None:
        """A segment ends, another begins, or both."""
        if self._segment is not None:
            self._close(self._segment, decoded_s if step is Cut.BEGIN else None)
        if step in {Cut.GAP, Cut.LEAVE}:
            self._book.lost(Code.MISSING_FRAMES, self._book.cursor_at)
        if step is Cut.OVERFLOW:
            self._book.lost(Code.NO_KEY_FRAME, self._book.cursor_at)
        if step in {Cut.BEGIN, Cut.GAP} and self._size is not None:
            self._segment = _Segment(
                Open(decoded_s, decoded_s, packet.size),
                Muxer(self._reader.codec, self._size, packet),
                shown_s,
                self._next_at,
                self._size,
            )
            self._next_at = None

    def _close(self, segment: _Segment, next_decoded_s: float | None) -> None:
        """Write the segment; where another follows at once, its start is this one's end."""
        self._segment = None
        now_at, now_s = self._book.now(), self._clock.monotonic_s()
        frame_s = self._reader.frame_ticks * self._reader.tick_s
        end_s = segment.open.last_s + frame_s if next_decoded_s is None else next_decoded_s
        last_ticks = max(1, round((end_s - segment.open.last_s) / self._reader.tick_s))
        pieces = segment.muxer.finish(last_ticks)
        length_s = end_s - segment.open.start_s
        start_at = segment.start_at or self._media_clock.at(segment.shown_s, now_at, now_s)
        start_at = max(start_at, self._book.cursor_at)
        wanted_at = self._media_clock.at(segment.shown_s + length_s, now_at, now_s)
        end_at, next_at = bend(start_at, length_s, wanted_at)
        reading = self._media_clock.reading()
        self._book.read_clock(reading)
        footage = Footage(self._reader.codec, *segment.size, segment.keyframes, reading.stamp)
        self._store(self._book.camera.name, start_at, end_at, footage, pieces)
        if next_decoded_s is not None:
            self._next_at = next_at
            if next_at > end_at:
                self._book.lost(Code.CLOCK_STEP, end_at)

    def _prepared(
        self, packet: Packet[VideoStream], units: tuple[bytes, ...]
    ) -> tuple[Packet[VideoStream], bool]:
        """The key frame with its parameter sets in front, and whether they changed; new ones are tried out by decoding."""
        changed = bool(units) and units != self._sets
        self._sets = units or self._sets
        if not units:
            packet = _with(packet, joined(self._sets))
        if changed or self._size is None:
            fresh = self._size is None
            self._size = picture_size(self._reader.codec, bytes(packet))
            self._book.shows(Picture(self._reader.codec, *self._size, self._reader.fps))
            if fresh:
                self._book.connected()
        return packet, changed

    def _set_units(self, units: Sequence[bytes]) -> tuple[bytes, ...]:
        """The parameter sets among units, each once."""
        return tuple(dict.fromkeys(unit for unit in units if is_parameter_set(self._codec, unit)))

    def _hear_clock(self, packet: Packet[VideoStream], shown_s: float, now_s: float) -> None:
        camera_at = camera_time(packet)
        if camera_at is None:
            return
        now_at = self._book.now()
        self._media_clock.tell(shown_s, camera_at, now_at, now_s)
        reading = self._media_clock.reading()
        if reading.wrong != self._clock_wrong and reading.offset_s is not None:
            self._clock_wrong = reading.wrong
            self._tell(CameraClock(self._book.camera.name, now_at, reading.wrong, reading.offset_s))


def _with(packet: Packet[VideoStream], head: bytes) -> Packet[VideoStream]:
    """The packet with bytes put in front."""
    longer = cast("Packet[VideoStream]", Packet(head + bytes(packet)))
    longer.pts, longer.dts, longer.time_base = packet.pts, packet.dts, packet.time_base
    longer.is_keyframe = True
    return longer
