"""Opens a media file safely, says whether it is a video, and measures its media time. It keeps no pixels."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import structlog

from via_server.errors import NotAVideo
from via_server.splitter import NS_PER_S

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_log = structlog.get_logger(__name__)

# Containers of real video only: no playlists or scripts that name other files, no picture or subtitle formats.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,avi,flv,asf,ogg,h264,hevc,m4v,ivf,obu,av1,mxf,"
    "mjpeg,yuv4mpegpipe,gif,nut,rm,dv,wtv,vc1,h263"
)
_MOST_PX = 7680 * 4320 * 2  # twice 8K; beyond it one decoded frame costs 200 MB
_TRIES_BEFORE_FIRST_FRAME = 2000  # packets; a stream may start in the middle of a group of pictures
_AV_TIME_BASE = 1_000_000


@dataclass(frozen=True)
class Media:
    """What a request needs to know of a video: where media time 0 lies on the file's own time line, and how long it is."""

    origin_ns: int
    duration_ns: int
    width_px: int
    height_px: int


def opened(path: Path) -> InputContainer:
    """The container at `path`, limited to local files and to formats of video. Raises av.FFmpegError."""
    return av.open(
        str(path),
        options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"},
        metadata_errors="ignore",
    )


def video_stream(container: InputContainer) -> VideoStream | None:
    """The first stream of moving pictures; a cover picture is none."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    return None


def probe(path: Path) -> Media:
    """Measure the video at `path`. Raises NotAVideo where no frame of a video can be decoded."""
    try:
        with opened(path) as container:
            stream = video_stream(container)
            if stream is None or stream.width * stream.height > _MOST_PX:
                raise NotAVideo
            origin_ns = _origin_ns(container, stream)
            width_px, height_px = _first_frame_size(container, stream)
            duration_ns = _stated_end_ns(container, stream, origin_ns) or _measured_end_ns(path, origin_ns)
    except (av.FFmpegError, ValueError) as error:
        _log.info("not_a_video", reason=type(error).__name__)
        raise NotAVideo from None
    if duration_ns <= 0:
        raise NotAVideo
    return Media(origin_ns, duration_ns, width_px, height_px)


def to_ns(timestamp: int, time_base: Fraction) -> int:
    """A timestamp in units of `time_base` (seconds) as whole nanoseconds, rounded down."""
    return timestamp * time_base.numerator * NS_PER_S // time_base.denominator


def time_base_of(stream: VideoStream) -> Fraction:
    """The stream's unit of time in seconds."""
    return stream.time_base or Fraction(1, _AV_TIME_BASE)


def frame_step_ns(stream: VideoStream) -> int:
    """The stream's nominal time between frames; 25 frames per second where it names no rate."""
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return int(NS_PER_S / rate)


def _origin_ns(container: InputContainer, stream: VideoStream) -> int:
    start = cast("int | None", container.start_time)  # raw streams have none, whatever PyAV's stubs say
    if start is not None:
        return to_ns(start, Fraction(1, _AV_TIME_BASE))
    return to_ns(stream.start_time or 0, time_base_of(stream))


def _first_frame_size(container: InputContainer, stream: VideoStream) -> tuple[int, int]:
    for tried, packet in enumerate(container.demux(stream)):
        try:
            for frame in packet.decode():
                return frame.width, frame.height
        except av.FFmpegError:
            pass  # a damaged packet before the first good one
        if tried >= _TRIES_BEFORE_FIRST_FRAME:
            break
    raise NotAVideo


def _stated_end_ns(container: InputContainer, stream: VideoStream, origin_ns: int) -> int:
    """The end of the pictures as the file states it, from media time 0; 0 where it states none."""
    if stream.duration:
        base = time_base_of(stream)
        start_ns = origin_ns if stream.start_time is None else to_ns(stream.start_time, base)
        return start_ns - origin_ns + to_ns(stream.duration, base)
    if not container.duration:
        return 0
    length_ns = to_ns(container.duration, Fraction(1, _AV_TIME_BASE))
    # Matroska states its duration from time 0, also where the first frame is later.
    return length_ns - origin_ns if "matroska" in container.format.name else length_ns


def _measured_end_ns(path: Path, origin_ns: int) -> int:
    """The end of the last packet, found by reading (not decoding) the file once."""
    end_ns = count = 0
    with opened(path) as container:
        stream = video_stream(container)
        if stream is None:
            return 0
        base, step_ns = time_base_of(stream), frame_step_ns(stream)
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            count += 1
            at_ns = (count - 1) * step_ns if packet.pts is None else to_ns(packet.pts, base) - origin_ns
            end_ns = max(end_ns, at_ns + (to_ns(packet.duration, base) if packet.duration else step_ns))
    return end_ns
