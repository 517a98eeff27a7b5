"""Decodes the frames that a source shows in a span, over all its parts. What cannot be read is noted, never raised."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple

import av
import av.error
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from extension.evidence.parts import Part, within
from extension.model import Span
from extension.sources.probe import FORMATS

TINY_S: Final = 1e-3
"""A frame that begins this much after an instant still shows it: timestamps are rounded."""
_HOLD_S: Final = 1.0
"""The last frame that can be decoded stands for this long; what lies behind it was not seen."""
_BACK_S: Final = (0.0, 15.0, float("inf"))
"""How far before a span a key frame is sought, one after the other."""
_OPTIONS: Final = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
_THREADS: Final = 2
"""More would keep more frames in memory at once."""


@dataclass
class Notes:
    """What went wrong while reading: files that cannot be opened (by name), packets that cannot be decoded."""

    unreadable: list[str] = field(default_factory=list)
    damaged_packets: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame, from when to when the source shows it (media seconds), and how wide its pixels are for their height."""

    frame: VideoFrame
    at_s: float
    until_s: float
    pixel: float = 1.0


class _Timed(NamedTuple):
    frame: VideoFrame
    at_s: float
    pixel: float


def shown(parts: Sequence[Part], span: Span, notes: Notes) -> Iterator[Shown]:
    """The frames that a source shows within a span, by time, each once.

    The first is the one on show when the span begins. Over a gap between two parts the last frame stands still.

    Args:
        parts: Of the source.
        span: Media seconds.
        notes: Takes what goes wrong.
    """
    held: _Timed | None = None
    for now in chain.from_iterable(_of_part(part, span, notes) for part in within(parts, span)):
        if held is not None:
            # Parts that overlap, and broken timestamps, show nothing new.
            if now.at_s <= held.at_s + TINY_S / 2:
                continue
            if now.at_s > span.start_s + TINY_S:
                yield Shown(held.frame, held.at_s, now.at_s, held.pixel)
        held = now
    if held is not None:
        until_s = min(span.end_s, held.at_s + _stand_s(held.frame))
        if until_s > span.start_s + TINY_S:
            yield Shown(held.frame, held.at_s, until_s, held.pixel)


def _stand_s(frame: VideoFrame) -> float:
    stated_s = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
    return max(stated_s, _HOLD_S)


def _of_part(part: Part, span: Span, notes: Notes) -> Iterator[_Timed]:
    """Frames of one part with their media seconds on the source's axis: the one on show at the beginning, and all after it."""
    shift_s = part.at_s - part.from_s
    first_s = max(part.from_s, span.start_s - shift_s)
    last_s = min(part.to_s, span.end_s - shift_s)
    before: _Timed | None = None
    with closing(_decoded(part, first_s, notes)) as frames:
        for now in frames:
            if now.at_s <= first_s + TINY_S:
                before = now
                continue
            if before is not None:
                yield before._replace(at_s=max(before.at_s, part.from_s) + shift_s)
                before = None
            if now.at_s >= last_s - TINY_S:
                return
            yield now._replace(at_s=now.at_s + shift_s)
    if before is not None:
        yield before._replace(at_s=max(before.at_s, part.from_s) + shift_s)


def _decoded(part: Part, first_s: float, notes: Notes) -> Generator[_Timed]:
    """Frames of a file from a key frame before a second on, with their seconds in the file; ends where reading does."""
    try:
        container = av.open(part.path, mode="r", options=_OPTIONS)
    except (av.error.FFmpegError, OSError):
        notes.unreadable.append(part.path.name)
        return
    with container:
        if not container.streams.video:
            notes.unreadable.append(part.path.name)
            return
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = _THREADS
        for back_s in _BACK_S:
            from_s = max(0.0, first_s - back_s)
            frames = _from(container, stream, from_s, notes)
            first = next(frames, None)
            # Containers without an index lead to a key frame that may lie behind the place asked for.
            if first is not None and (first.at_s <= first_s + TINY_S or from_s == 0.0):
                yield first
                yield from frames
                return


def _from(container: InputContainer, stream: VideoStream, from_s: float, notes: Notes) -> Iterator[_Timed]:
    base = stream.time_base
    if base is None:
        return
    pixel = float(stream.sample_aspect_ratio or 1) or 1.0
    zero_s = float((stream.start_time or 0) * base)
    try:
        container.seek(int((from_s + zero_s) / base), stream=stream)
    except (av.error.FFmpegError, OSError):
        return
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError, EOFError):
            return
        try:
            frames = packet.decode()
        except (av.error.FFmpegError, EOFError):
            notes.damaged_packets += 1
            continue
        for frame in frames:
            if isinstance(frame, VideoFrame) and frame.pts is not None:
                yield _Timed(frame, float(frame.pts * base) - zero_s, pixel)
