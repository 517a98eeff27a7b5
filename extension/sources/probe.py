"""What a video file is, learned without decoding it: the door every upload passes first."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from extension.errors import BadSource

FORMATS: Final = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,obu,ivf,flv,asf,ogg,mxf,nut,dv,rm,gif,mjpeg,m4v"
"""Containers that hold one recording; playlists and picture lists, which can name other files, are not among them."""

_PATIENCE_PACKETS: Final = 600
"""A first frame is given up after this many packets: more than two key-frame distances of any usual camera."""

_FALLBACK_FPS: Final = 25.0
_MP4_BOXES: Final = frozenset(
    (
        b"ftyp",
        b"styp",
        b"mdat",
        b"moov",
        b"moof",
        b"mfra",
        b"sidx",
        b"free",
        b"wide",
        b"skip",
        b"uuid",
        b"meta",
        b"pnot",
        b"emsg",
        b"prft",
    )
)
_FRAGMENT: Final = b"moof"
_SLACK_S: Final = 1.0
"""Stated and real length may differ by this: sound may outlast the picture, and the last frame's length is a guess."""

_REMEDY: Final = "Upload it again, or keep its readable part with: ffmpeg -i FILE -c copy whole.mp4"
_OPTIONS: Final = {"format_whitelist": FORMATS, "protocol_whitelist": ""}


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What there is to know about a video before it is cut into chunks.

    Attributes:
        duration_s: Length of the video stream; above 0.
        width: Of the first frame, pixels.
        height: Of the first frame, pixels.
        fps: Average frame rate; 0.0 where the file does not say and it cannot be counted.
        codec: Name of the video codec.
        frames_hint: About how many frames there are, at least 1; stated by the file or worked out, not counted.
    """

    duration_s: float
    width: int
    height: int
    fps: float
    codec: str
    frames_hint: int


def probe(path: Path) -> SourceInfo:
    """Look at a video file: its metadata and its first frame; timestamps of all packets only when it states no duration.

    Raises:
        BadSource: The file holds no video that can be analysed. The message names the file without its folder.
    """
    name = path.name.encode("utf-8", "replace").decode("utf-8")
    try:
        with path.open("rb") as file:
            return _probe(file, name)
    except IsADirectoryError as exc:
        raise BadSource(f"{name!r} is a folder, not a video") from exc
    except OSError as exc:
        raise BadSource(f"{name!r} cannot be read ({exc.strerror or 'unknown reason'})") from exc


def _probe(file: BinaryIO, name: str) -> SourceInfo:
    if not file.read(1):
        raise BadSource(f"{name!r} is empty (zero bytes)")
    boxes = _mp4_boxes(file)
    if cut := _cut_off(file, boxes):
        raise BadSource(f"{name!r} is truncated: {cut}")
    file.seek(0)
    try:
        # A file object rather than a path: no name is ever read as an address, a pattern or a protocol.
        container = av.open(file, mode="r", options=_OPTIONS)
    except (av.error.FFmpegError, ValueError) as exc:
        raise BadSource(f"{name!r} is not a video in a known format, or it is damaged") from exc
    with container:
        if not container.streams.video:
            raise BadSource(f"{name!r} has no video stream")
        stream = container.streams.video[0]
        frame = _first_frame(container, stream, name)
        info = _info(file, container, stream, frame)
    if _FRAGMENT in boxes:  # between two fragments a cut leaves no trace but the missing time
        there_s, _ = _demuxed(file, 0.0)
        if there_s < info.duration_s - _SLACK_S:
            raise BadSource(
                f"{name!r} is truncated: it ends after {there_s:.1f} of {info.duration_s:.1f} s. {_REMEDY}"
            )
    return info


def _cut_off(file: BinaryIO, boxes: Mapping[bytes, int]) -> str | None:
    """Why an MP4 file is not whole, and what to do; None for whole ones and for other formats."""
    if boxes and b"moov" not in boxes and _FRAGMENT not in boxes:
        return "its index (moov) is missing; record or upload it again"
    size_bytes = file.seek(0, os.SEEK_END)
    needed_bytes = max(boxes.values(), default=0)
    if needed_bytes <= size_bytes:
        return None
    return f"only {size_bytes} of at least {needed_bytes} bytes are there. {_REMEDY}"


def _mp4_boxes(file: BinaryIO) -> dict[bytes, int]:
    """Where the last top-level box of each kind ends (byte offset), as far as boxes can be followed; empty for other formats."""
    ends: dict[bytes, int] = {}
    start = file.seek(0)
    while len(header := file.read(8)) == 8:  # noqa: PLR2004 - a box header: 4 bytes size, 4 bytes kind
        size, kind = int.from_bytes(header[:4], "big"), header[4:]
        if size == 1:  # a 64-bit size follows
            size = int.from_bytes(file.read(8), "big")
        if kind not in _MP4_BOXES or size < 8:  # noqa: PLR2004 - 0 reaches to the end of the file; the rest is damage
            return ends | ({kind: start + 8} if kind in _MP4_BOXES and not size else {})
        ends[kind] = start + size
        start = file.seek(start + size)
    return ends


def _first_frame(container: InputContainer, stream: VideoStream, name: str) -> VideoFrame:
    """Decode as little as shows one frame; broken packets before it are passed over."""
    for count, packet in enumerate(_packets(container, stream)):
        try:
            for frame in packet.decode():
                if isinstance(frame, VideoFrame):
                    return frame
        except (av.error.FFmpegError, EOFError):
            pass  # the next packet may hold a frame
        if count > _PATIENCE_PACKETS:
            break
    raise BadSource(f"{name!r} has a video stream ({_codec(stream)}) but no frame of it can be decoded")


def _codec(stream: VideoStream) -> str:
    """The codec's name; a damaged file may name one that nobody knows."""
    context: VideoCodecContext | None = stream.codec_context
    return context.name if context else "codec unknown"


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """Packets of the stream up to its end, or to where the file is broken."""
    packets = container.demux(stream)
    while True:
        try:
            yield next(packets)
        except (StopIteration, av.error.FFmpegError, EOFError):
            return


def _info(file: BinaryIO, container: InputContainer, stream: VideoStream, frame: VideoFrame) -> SourceInfo:
    fps = float(stream.average_rate or stream.guessed_rate or 0)
    duration_s, frames = _stated_s(container, stream), stream.frames
    if duration_s <= 0:
        duration_s, frames = _demuxed(file, 1 / (fps or _FALLBACK_FPS))
    return SourceInfo(
        duration_s=duration_s,
        width=frame.width,
        height=frame.height,
        fps=fps,
        codec=stream.codec_context.name,
        frames_hint=max(1, frames or round(duration_s * fps)),
    )


def _stated_s(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base


def _demuxed(file: BinaryIO, frame_s: float) -> tuple[float, int]:
    """Duration and number of frames from the packets' timestamps, without decoding any."""
    file.seek(0)
    first_s, end_s, count = None, 0.0, 0
    with av.open(file, mode="r", options=_OPTIONS) as container:
        stream = container.streams.video[0]
        for packet in _packets(container, stream):
            if not packet.size:
                continue
            count += 1
            if packet.pts is not None and packet.time_base is not None:
                start_s = float(packet.pts * packet.time_base)
                first_s = start_s if first_s is None else min(first_s, start_s)
                end_s = max(end_s, start_s + (float((packet.duration or 0) * packet.time_base) or frame_s))
    return (end_s - first_s if first_s is not None else count * frame_s), count
