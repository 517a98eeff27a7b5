"""Cuts clips and snapshots of incidents out of a source: clips that overlap are decoded and encoded once, with a key frame where each begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final, cast

import av
import av.error
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.stream import VideoStream

from extension.evidence.clipfile import TICKS, ClipFile
from extension.evidence.digests import Stopped
from extension.evidence.parts import Part
from extension.evidence.reading import TINY_S, Notes, Shown, shown
from extension.evidence.snapshot import write_snapshot
from extension.evidence.wanted import Limits, Wanted
from extension.model import Span

CLIP: Final = "clip.mp4"
SNAPSHOT: Final = "snapshot.jpg"
_ROOM: Final = 0.9
"""Share of a clip's bytes that its pictures may take; the rest is for the index and for the encoder's own slack."""
_MOST_BPS: Final = 16_000_000
_KEY_FRAMES: Final = 60
_MOST_FPS: Final = 240
_ROUNDING: Final = 1e-6
_RGB: Final = 0
"""No colour space of brightness and colour: such frames are converted."""
_OPTIONS: Final = {"preset": "veryfast", "crf": "23", "bf": "0", "forced-idr": "1", "g": str(_KEY_FRAMES)}
"""Without frames that depend on later ones, so that a clip can end after every frame."""
_THREADS: Final = 2
"""Always as many: with another number the same pictures give other bytes."""
_NO_FRAME: Final = "no frame can be decoded there"


@dataclass(frozen=True, slots=True)
class Picture:
    """A file of pictures that was made: its size, and what it shows of the source in media seconds."""

    width: int
    height: int
    span: Span
    frames: int


@dataclass
class Cut:
    """What came of a wish: clip, snapshot, and why one is not there, by file name."""

    clip: Picture | None = None
    snapshot: Picture | None = None
    faults: dict[str, str] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)


def cut(
    parts: Sequence[Part],
    wishes: Sequence[Wanted],
    folders: Mapping[str, Path],
    limits: Limits,
    keep_going: Callable[[], bool],
) -> dict[str, Cut]:
    """Cut what one pass over the source gives; memory does not grow with its length.

    Clips begin and end exactly where they are asked to, and keep the times of the source's frames. Sound is not kept.

    Args:
        parts: Of the source.
        wishes: Whose clips overlap, by time.
        folders: Where the files go, by incident.
        limits: Of size.
        keep_going: Asked for each frame.

    Raises:
        Stopped: `keep_going` said no.
    """
    whole = Span(wishes[0].span.start_s, max(wish.span.end_s for wish in wishes))
    notes = Notes()
    work = _Pass(whole, wishes, folders, limits)
    try:
        for one in shown(parts, whole, notes):
            if not keep_going():
                raise Stopped
            work.take(one)
    finally:
        work.finish()
    for result in work.cuts.values():
        result.notes = notes
    return work.cuts


class _Pass:
    def __init__(
        self, whole: Span, wishes: Sequence[Wanted], folders: Mapping[str, Path], limits: Limits
    ) -> None:
        self.cuts = {wish.incident_id: Cut() for wish in wishes}
        self._whole = whole
        self._folders = folders
        self._limits = limits
        longest_s = max(wish.span.duration_s for wish in wishes)
        self._bps = min(_MOST_BPS, int(limits.clip_bytes * 8 * _ROOM / max(longest_s, 1.0)))
        self._unseen = list(wishes)
        self._to_come = list(wishes)
        self._starts: dict[int, list[Wanted]] = {}
        self._running: list[tuple[Wanted, ClipFile]] = []
        self._encoder: VideoCodecContext | None = None
        self._last: Shown | None = None
        self._fault: str | None = None

    def take(self, one: Shown) -> None:
        """Take the next frame of the source."""
        self._last = one
        self._unseen = self._pictured(one, [w for w in self._unseen if w.snapshot_s < one.until_s])
        starting = [wish for wish in self._to_come if wish.span.start_s < one.until_s - TINY_S]
        self._to_come = [wish for wish in self._to_come if wish not in starting]
        tick = self._tick(max(one.at_s, self._whole.start_s))
        self._starts[tick] = starting
        if self._fault is not None:
            return
        try:
            self._hand_out(self._encoded(one, tick, key=bool(starting)))
        except (av.error.FFmpegError, ValueError, MemoryError) as exc:
            self._fault = f"the clip cannot be encoded ({type(exc).__name__})"

    def finish(self) -> None:
        """The source has no more frames: close all clips, and say what is missing."""
        if self._encoder is not None and self._fault is None:
            try:
                self._hand_out(self._encoder.encode(None))
            except (av.error.FFmpegError, ValueError) as exc:
                self._fault = f"the clip cannot be encoded ({type(exc).__name__})"
        reached_s = self._last.until_s if self._last else self._whole.start_s
        for wish, clip in self._running:
            self._close(wish, clip, reached_s)
        self._running = []
        if self._last is not None:
            self._pictured(self._last, self._unseen)
        for result in self.cuts.values():
            for name, made in ((CLIP, result.clip), (SNAPSHOT, result.snapshot)):
                if made is None:
                    result.faults.setdefault(name, self._fault or _NO_FRAME)

    def _tick(self, media_s: float) -> int:
        return round((media_s - self._whole.start_s) * TICKS)

    def _pictured(self, one: Shown, now: Iterable[Wanted]) -> list[Wanted]:
        """Write the snapshots that this frame gives; the wishes that still wait for theirs."""
        done = list(now)
        for wish in done:
            result = self.cuts[wish.incident_id]
            path = self._folders[wish.incident_id] / SNAPSHOT
            try:
                width, height = write_snapshot(path, one.frame, self._limits.snapshot_bytes)
            except OSError as exc:
                result.faults[SNAPSHOT] = exc.strerror or type(exc).__name__
            except (ValueError, av.error.FFmpegError) as exc:
                result.faults[SNAPSHOT] = str(exc)
            else:
                result.snapshot = Picture(width, height, Span(one.at_s, one.until_s), 1)
        return [wish for wish in self._unseen if wish not in done]

    def _encoded(self, one: Shown, tick: int, *, key: bool) -> list[Packet[VideoStream]]:
        encoder = self._encoder = self._encoder or _opened(one, self._bps, self._limits)
        small = one.frame.reformat(width=encoder.width, height=encoder.height, format="yuv420p")
        small.pts, small.time_base = tick, Fraction(1, TICKS)
        small.pict_type = PictureType.I if key else PictureType.NONE
        return encoder.encode(small)

    def _hand_out(self, packets: Iterable[Packet[VideoStream]]) -> None:
        for packet in packets:
            tick = packet.pts or 0
            for wish in self._starts.pop(tick, ()):
                self._running.append((wish, self._begun(wish)))
            for wish, clip in list(self._running):
                if tick / TICKS + self._whole.start_s < wish.span.end_s - TINY_S:
                    clip.take(packet)
                else:
                    self._running.remove((wish, clip))
                    self._close(wish, clip, wish.span.end_s)

    def _begun(self, wish: Wanted) -> ClipFile:
        encoder = cast("VideoCodecContext", self._encoder)
        path = self._folders[wish.incident_id] / CLIP
        return ClipFile(path, encoder.width, encoder.height, self._tick(wish.span.start_s), encoder.framerate)

    def _close(self, wish: Wanted, clip: ClipFile, reached_s: float) -> None:
        encoder = cast("VideoCodecContext", self._encoder)
        result = self.cuts[wish.incident_id]
        end_s = min(wish.span.end_s, reached_s)
        clip.finish(self._tick(end_s))
        fault = clip.fault or self._fault
        if fault is None and clip.path.stat().st_size >= self._limits.clip_bytes:
            fault = f"it does not fit into {self._limits.clip_bytes} bytes"
        if fault is not None:
            clip.path.unlink(missing_ok=True)
            result.faults[CLIP] = fault
            return
        # A source that begins late shows its first frame from the clip's beginning on.
        span = Span(wish.span.start_s, round(end_s, 6))
        result.clip = Picture(encoder.width, encoder.height, span, clip.frames)


def _opened(one: Shown, most_bps: int, limits: Limits) -> VideoCodecContext:
    """An encoder for frames like this one: square pixels, no larger than the limits, both sides even."""
    wide, high = one.frame.width * one.pixel, one.frame.height
    scale = min(1.0, limits.width / wide, limits.height / high)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = (max(2, int(side * scale + _ROUNDING) // 2 * 2) for side in (wide, high))
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, TICKS)
    fps = round(1 / max(one.until_s - one.at_s, 1 / _MOST_FPS))
    encoder.framerate = Fraction(max(1, fps))
    encoder.thread_count = _THREADS
    if one.frame.colorspace != _RGB:
        encoder.colorspace = one.frame.colorspace
        encoder.color_primaries, encoder.color_trc = one.frame.color_primaries, one.frame.color_trc
    encoder.options = {**_OPTIONS, "maxrate": str(most_bps), "bufsize": str(most_bps)}
    encoder.open()
    return encoder
