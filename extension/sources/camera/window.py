"""Joins neighbouring segments of a camera into one file, without decoding: what the VLM is shown at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from extension.errors import BadSource
from extension.sources.camera.segments import Segment


@dataclass(frozen=True, slots=True)
class Window:
    """A file of joined segments; the span is half-open, holes between segments included."""

    path: Path
    start_at: dt.datetime
    end_at: dt.datetime

    @property
    def duration_s(self) -> float:
        """Length on the wall clock, seconds."""
        return (self.end_at - self.start_at).total_seconds()


def join(segments: Sequence[Segment], path: Path) -> Window:
    """Write segments after one another into one MP4 file; their places in it follow their wall clocks.

    Segments of another codec or picture size than the last one's are left out: a stream cannot change in the middle.

    Args:
        segments: Of one camera, by time, at least one.
        path: The file; it appears when it is complete.

    Raises:
        BadSource: A segment cannot be read, or the file cannot be written.
    """
    last = segments[-1].footage
    alike = [
        s
        for s in segments
        if (s.footage.codec, s.footage.width, s.footage.height) == (last.codec, last.width, last.height)
    ]
    part = path.with_name(f".{path.name}.part")
    try:
        with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as joined:
            _copy(joined, alike)
        part.replace(path)
    except (av.FFmpegError, OSError, IndexError) as exc:
        raise BadSource(
            f"{segments[0].camera}: the recorded segments cannot be joined ({type(exc).__name__})"
        ) from exc
    finally:
        part.unlink(missing_ok=True)
    return Window(path, alike[0].start_at, alike[-1].end_at)


def _copy(joined: av.container.OutputContainer, segments: Sequence[Segment]) -> None:
    stream: av.VideoStream | None = None
    for segment in segments:
        behind = Fraction(
            (segment.start_at - segments[0].start_at) // dt.timedelta(microseconds=1), 1_000_000
        )
        with av.open(str(segment.path)) as source:
            video = source.streams.video[0]
            if stream is None:
                stream = joined.add_stream_from_template(video)
            for packet in source.demux(video):
                if packet.dts is None or packet.pts is None or packet.time_base is None:
                    continue
                ticks = int(behind / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                packet.stream = stream
                joined.mux(packet)
