"""Takes one picture out of a recorded segment, as a JPEG file."""

from __future__ import annotations

import datetime as dt
from typing import Final

import av
import cv2
from av.video.frame import VideoFrame

from extension.errors import BadSource
from extension.model import Snapshot
from extension.sources.camera.segments import Segment

_MOST_PX: Final = 1280
"""Longest side of a picture: enough to draw zones on, and some 200 kB."""
_QUALITY: Final = 85


def still(segment: Segment, at: dt.datetime | None = None) -> Snapshot:
    """The last picture of a segment that decoding can start at, at an instant or before it; by default the last of all.

    Raises:
        BadSource: The segment is gone, or holds no picture that can be decoded.
    """
    try:
        found = _last_key_frame(segment, None if at is None else (at - segment.start_at).total_seconds())
    except (av.FFmpegError, OSError, IndexError) as exc:
        raise BadSource(f"{segment.camera}: the recording cannot be read ({type(exc).__name__})") from exc
    if found is None:
        raise BadSource(f"{segment.camera}: no picture of the recording can be decoded")
    frame, at_s = found
    return Snapshot(_jpeg(frame), segment.start_at + dt.timedelta(seconds=at_s))


def _last_key_frame(segment: Segment, until_s: float | None) -> tuple[VideoFrame, float] | None:
    """A key frame and its second in the segment; the first where all come later."""
    found: tuple[VideoFrame, float] | None = None
    with av.open(str(segment.path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        for frame in container.decode(stream):
            at_s = max(0.0, frame.time or 0.0)
            if found is not None and until_s is not None and at_s > until_s:
                break
            found = frame, at_s
    return found


def _jpeg(frame: VideoFrame) -> bytes:
    shrink = min(1.0, _MOST_PX / max(frame.width, frame.height))
    width, height = (max(1, round(side * shrink)) for side in (frame.width, frame.height))
    picture = frame.to_ndarray(format="bgr24", width=width, height=height)
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes())
