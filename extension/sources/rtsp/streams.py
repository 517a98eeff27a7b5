"""What can be served: a file over and over, pictures encoded as they come, or a track that is only announced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final, Protocol

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from extension.errors import BadSource
from extension.sources.rtsp.sdp import video_lines
from extension.sources.rtsp.units import (
    AccessUnit,
    Codec,
    ParameterSets,
    is_delimiter,
    is_key,
    is_parameter_set,
    parameter_sets,
    split_lengths,
    split_start_codes,
)

Picture = npt.NDArray[np.uint8]
"""Shape (height, width, 3), RGB."""

_FALLBACK_FPS: Final = 25.0
_ENCODERS: Final = {Codec.H264: "libx264", Codec.H265: "libx265"}


class Stream(Protocol):
    """Something that plays for ever, or until its units end."""

    slow: bool
    """Whether the next unit may take long to come, and is waited for in a thread."""

    def media_lines(self, first: AccessUnit | None) -> tuple[str, ...]:
        """Media section of its session description; `first` is its first unit, if it has any."""
        ...

    def units(self) -> Iterator[AccessUnit]:
        """Access units from time 0; the first is a key frame that carries its parameter sets."""
        ...


def _codec(name: str) -> Codec | None:
    return next((codec for codec in Codec if codec == name), None)


class LoopedFile:
    """The video of a file, packet by packet, over and over, on one time line without jumps.

    Raises:
        BadSource: The file has no H.264 or H.265 video.
    """

    slow = False

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with av.open(str(path)) as container:
                stream = next(iter(container.streams.video), None)
                codec = _codec(stream.codec_context.name) if stream else None
                if stream is None or codec is None:
                    raise BadSource(f"{path.name!r} has no H.264 or H.265 video to serve")
                self._codec = codec
                self._sets, self._length_bytes = parameter_sets(codec, stream.codec_context.extradata or b"")
                self.fps = float(stream.average_rate or stream.guessed_rate or _FALLBACK_FPS)
                packets = sorted(p.dts for p in container.demux(stream) if p.size and p.dts is not None)
                if not packets or stream.time_base is None:
                    raise BadSource(f"{path.name!r} holds no frame")
                self.loop_s = float((packets[-1] - packets[0]) * stream.time_base) + 1 / self.fps
        except av.error.FFmpegError as exc:
            raise BadSource(f"{path.name!r} cannot be read as a video") from exc

    def media_lines(self, first: AccessUnit | None) -> tuple[str, ...]:
        """A video track."""
        return video_lines(_sets_of(self._codec, self._sets, first), self.fps)

    def units(self) -> Iterator[AccessUnit]:
        """The file's pictures; the second time round they are `loop_s` later, and so on."""
        rounds = 0
        while True:
            for unit in self._once():
                later_s = rounds * self.loop_s
                yield replace(unit, decode_s=unit.decode_s + later_s, show_s=unit.show_s + later_s)
            rounds += 1

    def _once(self) -> Iterator[AccessUnit]:
        first_dts = None
        with av.open(str(self._path)) as container:
            stream = container.streams.video[0]
            tick = float(stream.time_base or 0)
            for packet in container.demux(stream):
                if not packet.size or packet.dts is None:
                    continue
                first_dts = packet.dts if first_dts is None else first_dts
                shown = packet.dts if packet.pts is None else packet.pts
                nals = self._nals(packet)
                key = any(is_key(self._codec, nal) for nal in nals)
                yield AccessUnit(
                    self._codec, nals, (packet.dts - first_dts) * tick, (shown - first_dts) * tick, key
                )

    def _nals(self, packet: Packet[VideoStream]) -> tuple[bytes, ...]:
        data = bytes(packet)
        found = split_lengths(data, self._length_bytes) if self._length_bytes else split_start_codes(data)
        nals = tuple(nal for nal in found if not is_delimiter(self._codec, nal))
        known = any(is_parameter_set(self._codec, nal) for nal in nals)
        return nals if known or not packet.is_keyframe else self._sets.nals + nals


class PictureStream:
    """Pictures that are drawn as they are wanted and encoded at once.

    Args:
        frames: RGB pictures of one size. They are gone through again when they end; an iterator ends the stream.
        fps: Pictures per second of the stream.
        size: Width and height, pixels; both even.
        codec: What to encode as.
        bitrate: Bits per second to stay near; 0 leaves it to a constant quality.
        key_every_s: Distance of key frames.
    """

    slow = True

    def __init__(
        self,
        frames: Iterable[Picture],
        fps: float,
        size: tuple[int, int],
        *,
        codec: Codec = Codec.H264,
        bitrate: int = 0,
        key_every_s: float = 1.0,
    ) -> None:
        self._frames = frames
        self._key_every_s = key_every_s
        self._codec = codec
        self._size = size
        self._bitrate = bitrate
        self.fps = fps

    def media_lines(self, first: AccessUnit | None) -> tuple[str, ...]:
        """A video track."""
        return video_lines(_sets_of(self._codec, ParameterSets(self._codec, ()), first), self.fps)

    def units(self) -> Iterator[AccessUnit]:
        """Encoded pictures, one by one: no picture waits for the next."""
        encoder = self._encoder()
        for index, picture in enumerate(self._endless()):
            frame = VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            frame.time_base = Fraction(1, 1) / Fraction(self.fps).limit_denominator(1001)
            for packet in encoder.encode(frame):
                nals = tuple(n for n in split_start_codes(bytes(packet)) if not is_delimiter(self._codec, n))
                at_s = (packet.pts or 0) / self.fps
                yield AccessUnit(self._codec, nals, at_s, at_s, packet.is_keyframe)

    def _endless(self) -> Iterator[Picture]:
        came = True
        while came:
            came = False
            for picture in self._frames:
                came = True
                yield picture

    def _encoder(self) -> VideoCodecContext:
        encoder = av.CodecContext.create(_ENCODERS[self._codec], "w")
        if not isinstance(
            encoder, VideoCodecContext
        ):  # says so to the type checker: the names are of video codecs
            raise BadSource(f"{self._codec} is not encoded here")
        encoder.width, encoder.height = self._size
        encoder.pix_fmt = "yuv420p"
        encoder.framerate = Fraction(self.fps).limit_denominator(1001)
        encoder.time_base = 1 / encoder.framerate
        encoder.gop_size = max(1, round(self.fps * self._key_every_s))
        encoder.thread_count = 1
        if self._bitrate:
            encoder.bit_rate = self._bitrate
        quiet = {"x265-params": "log-level=error"} if self._codec is Codec.H265 else {}
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency", **quiet}
        return encoder


class AnnouncedTrack:
    """A track that is described as given and never sends anything: sound, or a codec nobody has."""

    slow = False

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = tuple(lines)

    def media_lines(self, first: AccessUnit | None) -> tuple[str, ...]:  # noqa: ARG002 - it has no first unit
        """The lines it was made with."""
        return self._lines

    def units(self) -> Iterator[AccessUnit]:
        """None."""
        return iter(())


def _sets_of(codec: Codec, stated: ParameterSets, first: AccessUnit | None) -> ParameterSets:
    """What the container states, else what the first picture carries."""
    if stated.nals or first is None:
        return stated
    return ParameterSets(codec, tuple(nal for nal in first.nals if is_parameter_set(codec, nal)))
