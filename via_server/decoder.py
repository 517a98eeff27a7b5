"""Decodes one stretch of a video once, in order, and hands out the frames of each chunk as JPEGs.

Only chosen frames are converted and encoded; a frame that several overlapping chunks take is encoded once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from via_server.probe import Media, frame_step_ns, opened, time_base_of, to_ns, video_stream
from via_server.splitter import NS_PER_S, ChunkSpan, Sampler

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_JPEG_QUALITY = 90
# Below this size threads cost a fifth more processor time than they save in waiting (532x280: 0.65 s against 0.54 s a minute).
_THREADS_FROM_PX = 1280 * 720
_FAULTS_IN_A_ROW = (
    64  # read errors without one good packet between, after which the rest of the file is given up
)


class CannotDecode(Exception):
    """The file can no longer be opened or has no video stream."""


class Stopped(Exception):
    """The caller asked to stop."""


@dataclass(frozen=True)
class SampledFrame:
    """A complete JPEG and the media time of its frame in nanoseconds."""

    jpeg: bytes = field(repr=False)
    at_ns: int


@dataclass(frozen=True)
class SampledChunk:
    """The frames of one chunk, in order; none where the video has none there."""

    span: ChunkSpan
    frames: tuple[SampledFrame, ...]


@dataclass(frozen=True)
class Wanted:
    """What to decode: the chunks of the video at `path`, `frames_per_chunk` each, `size_px` (0, 0: as they are)."""

    path: Path
    media: Media
    spans: Sequence[ChunkSpan]
    frames_per_chunk: int
    size_px: tuple[int, int] = (0, 0)


@dataclass
class Damage:
    """Counts what was wrong with a file while it was decoded: packets that gave no picture, or a damaged one."""

    packets: int = 0


def sampled_chunks(wanted: Wanted, damage: Damage, stopped: Callable[[], bool]) -> Iterator[SampledChunk]:
    """Every chunk of `wanted`, in order, as soon as its frames are decoded.

    Damaged packets are counted in `damage` and passed over. `stopped` is asked before each frame. Raises
    CannotDecode and Stopped.
    """
    collector = _Collector(wanted)
    for at_ns, frame in _frames(wanted, damage):
        if stopped():
            raise Stopped
        yield from collector.offer(at_ns, frame)
        if collector.complete:
            return
    yield from collector.rest()


class _Collector:
    """Gathers the frames of each chunk while frames are shown to it in order."""

    def __init__(self, wanted: Wanted) -> None:
        self._spans = wanted.spans
        self._sampler = Sampler(wanted.spans, wanted.frames_per_chunk)
        self._encode = _Encoder(wanted.size_px)
        self._taken: dict[int, list[SampledFrame]] = {}
        self._latest: tuple[int, VideoFrame] | None = None
        self._step_ns = 0

    @property
    def complete(self) -> bool:
        """Whether no chunk needs another frame."""
        return self._sampler.complete

    def offer(self, at_ns: int, frame: VideoFrame) -> list[SampledChunk]:
        """Show the next frame; returns the chunks that are complete with it."""
        takers, done = self._sampler.offer(at_ns)
        if takers:
            sampled = SampledFrame(self._encode(frame), at_ns)
            for index in takers:
                self._taken.setdefault(index, []).append(sampled)
        self._step_ns = at_ns - self._latest[0] if self._latest else 0
        self._latest = at_ns, frame
        return self._chunks(done)

    def rest(self) -> list[SampledChunk]:
        """The chunks still incomplete at the end of the file.

        A file often ends a few milliseconds into a chunk in which no frame begins: its last frame is still on screen then
        and stands for that chunk.
        """
        left = self._sampler.rest()
        if left and left[-1] not in self._taken and self._latest:
            (at_ns, frame), span = self._latest, self._spans[left[-1]]
            if at_ns < span.start_ns < span.end_ns <= at_ns + self._step_ns * 3 // 2:
                self._taken[span.index] = [SampledFrame(self._encode(frame), at_ns)]
        return self._chunks(left)

    def _chunks(self, indices: Sequence[int]) -> list[SampledChunk]:
        return [SampledChunk(self._spans[index], tuple(self._taken.pop(index, ()))) for index in indices]


class _Encoder:
    """Turns decoded frames of any pixel format into upright JPEGs of one size: the given one, or the first frame's."""

    def __init__(self, size_px: tuple[int, int]) -> None:
        self._size_px = size_px
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> bytes:
        quarter_turns = round(frame.rotation / 90) % 4
        on_its_side = quarter_turns % 2 == 1
        if not all(self._size_px):
            upright = (frame.height, frame.width) if on_its_side else (frame.width, frame.height)
            self._size_px = upright
        width_px, height_px = self._size_px[::-1] if on_its_side else self._size_px
        bgr = self._reformatter.reformat(frame, width=width_px, height=height_px, format="bgr24")
        picture: npt.NDArray[np.uint8] = bgr.to_ndarray().astype(np.uint8, copy=False)
        if quarter_turns:
            picture = np.ascontiguousarray(np.rot90(picture, quarter_turns))
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        return jpeg.tobytes()


def _frames(wanted: Wanted, damage: Damage) -> Iterator[tuple[int, VideoFrame]]:
    """Frames with their media time, from the first chunk's start or a little before it."""
    start_ns = wanted.spans[0].start_ns if wanted.spans else 0
    try:
        frames = _pass(wanted, damage, start_ns)
        first = next(frames, None)
        if start_ns > 0 and (first is None or first[0] > start_ns):  # the seek landed too late
            frames = _pass(wanted, damage, 0)
            first = next(frames, None)
        if first is not None:
            yield first
            yield from frames
    except (av.FFmpegError, OSError) as error:
        raise CannotDecode(f"the file cannot be read ({type(error).__name__})") from error


def _pass(wanted: Wanted, damage: Damage, start_ns: int) -> Iterator[tuple[int, VideoFrame]]:
    """Decoded frames with media time from the key frame before `start_ns`.

    Frames without a timestamp follow each other at the stream's rate.
    """
    with opened(wanted.path) as container:
        stream = video_stream(container)
        if stream is None:
            raise CannotDecode("the file has no video stream")
        origin_ns = wanted.media.origin_ns
        if start_ns > 0 and container.start_time is not None:  # raw streams have no times to seek by
            _seek(container, stream, origin_ns + start_ns)
        if stream.width * stream.height >= _THREADS_FROM_PX:
            stream.thread_type = "AUTO"
        base, step_ns = time_base_of(stream), frame_step_ns(stream)
        following_ns = 0
        for packet in _packets(container, stream, damage):
            for frame in _decoded(packet, damage):
                at_ns = following_ns if frame.pts is None else to_ns(frame.pts, base) - origin_ns
                following_ns = at_ns + step_ns
                yield at_ns, frame


def _seek(container: InputContainer, stream: VideoStream, at_ns: int) -> None:
    """Go to the key frame at or before `at_ns` of the file's own time line, where the file can be sought in."""
    base = time_base_of(stream)
    with contextlib.suppress(av.FFmpegError):
        container.seek(at_ns * base.denominator // (base.numerator * NS_PER_S), stream=stream, backward=True)


def _packets(container: InputContainer, stream: VideoStream, damage: Damage) -> Iterator[Packet[VideoStream]]:
    faults = 0
    while faults < _FAULTS_IN_A_ROW:
        try:
            for packet in container.demux(stream):
                faults = 0
                yield packet
        except av.FFmpegError:
            faults += 1
            damage.packets += 1
        else:
            return


def _decoded(packet: Packet[VideoStream], damage: Damage) -> list[VideoFrame]:
    try:
        frames = packet.decode()
    except av.FFmpegError:
        damage.packets += 1
        return []
    damage.packets += bool(packet.is_corrupt or any(frame.is_corrupt for frame in frames))
    return frames
