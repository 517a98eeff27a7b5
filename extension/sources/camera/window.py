"""Joins neighbouring segments of a camera into one file: what the VLM is shown at once. Decodes nothing, but where the picture's size changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.video.frame import PictureType

from extension.errors import BadSource
from extension.sources.camera.segments import Segment

_TICKS: Final = 90_000
"""Units of a second in which drawn windows tell time: MPEG's own."""

_DRAWN: Final = {"preset": "ultrafast", "crf": "20", "bf": "0"}
"""Such windows are looked at once and thrown away."""


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

    Where the camera changed its codec or picture size in between, all pictures are encoded anew in the size of the last ones: a file
    cannot change in the middle, and nothing may be left out.

    Args:
        segments: Of one camera, by time, at least one.
        path: The file; it appears when it is complete.

    Raises:
        BadSource: A segment cannot be read, or the file cannot be written.
    """
    forms = {(s.footage.codec, s.footage.width, s.footage.height) for s in segments}
    part = path.with_name(f".{path.name}.part")
    try:
        with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as joined:
            (_copy if len(forms) == 1 else _draw)(joined, segments)
        part.replace(path)
    except (av.FFmpegError, OSError, IndexError) as exc:
        raise BadSource(
            f"{segments[0].camera}: the recorded segments cannot be joined ({type(exc).__name__})"
        ) from exc
    finally:
        part.unlink(missing_ok=True)
    return Window(path, segments[0].start_at, segments[-1].end_at)


def _behind(segments: Sequence[Segment], segment: Segment) -> Fraction:
    """Seconds by which a segment begins after the first one."""
    return Fraction((segment.start_at - segments[0].start_at) // dt.timedelta(microseconds=1), 1_000_000)


def _draw(joined: av.container.OutputContainer, segments: Sequence[Segment]) -> None:
    size = segments[-1].footage
    stream = joined.add_stream("libx264", rate=25, options=_DRAWN)
    stream.width, stream.height, stream.pix_fmt = size.width // 2 * 2, size.height // 2 * 2, "yuv420p"
    stream.codec_context.time_base = Fraction(1, _TICKS)
    last = -1
    for segment in segments:
        behind = _behind(segments, segment)
        with av.open(str(segment.path)) as source:
            for frame in source.decode(source.streams.video[0]):
                drawn = frame.reformat(width=stream.width, height=stream.height, format="yuv420p")
                last = max(last + 1, round((behind + Fraction(frame.time or 0)) * _TICKS))
                drawn.pts, drawn.time_base = last, Fraction(1, _TICKS)
                drawn.pict_type = PictureType.NONE
                joined.mux(stream.encode(drawn))
    joined.mux(stream.encode(None))


def _copy(joined: av.container.OutputContainer, segments: Sequence[Segment]) -> None:
    stream: av.VideoStream | None = None
    for segment in segments:
        behind = _behind(segments, segment)
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
