"""Reads a camera's stream packet by packet. Every fault leaves as a code: the texts of the library's errors hold passwords."""

from __future__ import annotations

import datetime as dt
import itertools
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from extension.sources.camera.camera import Camera
from extension.sources.camera.ticks import Ticks, begin, settle
from extension.sources.camera.trouble import CameraTrouble, Code

_FALLBACK_FPS: Final = 25.0
_CODECS: Final = frozenset({"h264", "hevc"})
_PROTOCOLS: Final = "rtsp,rtsps,rtp,rtcp,udp,tcp,tls,crypto"
_ENCRYPTED: Final = "rtsps"
_ENCRYPTED_PORT: Final = 322
"""Where such cameras listen unless told otherwise (IANA)."""

_RATE_PROBE_FRAMES: Final = "3"
"""Frames that tell the rate; the library's own 20 or more delay every connection by a second."""

_MOST_UNDATED: Final = 8
"""Packets that are waited for at the start; streams reorder by fewer."""

_REORDERED: Final = 2
"""Frames by which streams with B-frames are decoded earlier than shown, until the demuxer has worked it out."""

_REFERENCE = struct.Struct("<qi4x")
"""FFmpeg's AVProducerReferenceTime: microseconds since 1970 by the camera's clock, and flags."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a camera may take.

    Attributes:
        open_s: To begin sending.
        stall_s: Between two packets.
    """

    open_s: float = 10.0
    stall_s: float = 10.0


class Reader:
    """One connection to a camera; a context manager.

    Args:
        camera: To connect to.
        patience: With it.

    Raises:
        CameraTrouble: It cannot be connected to, or sends nothing that can be recorded.
    """

    def __init__(self, camera: Camera, patience: Patience) -> None:
        self._container = _open(camera, patience)
        try:
            self._stream = _video(self._container)
        except CameraTrouble:
            self._container.close()
            raise
        context = self._stream.codec_context
        self.codec = context.name
        self.sets = bytes(context.extradata or b"")
        self.fps = float(self._stream.average_rate or self._stream.guessed_rate or 0)
        self.tick_s = float(self._stream.time_base or 0)
        self.frame_ticks = max(1, round(1 / (self.fps or _FALLBACK_FPS) / self.tick_s))
        self._delay = _REORDERED * self.frame_ticks if context.has_b_frames else 0

    def __enter__(self) -> Self:
        """The reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the connection."""
        self._container.close()

    def packets(self) -> Iterator[Packet[VideoStream]]:
        """Packets in decode order with both their times set; ends when the camera ends the connection.

        Raises:
            CameraTrouble: Nothing came for too long, or the connection broke.
        """
        last: Ticks | None = None
        packets = self._received()
        first = self._first(packets)
        stamps = begin([(packet.pts, packet.dts) for packet in first], self.frame_ticks, self._delay)
        for packet, (shown, decoded) in zip(first, stamps, strict=True):
            packet.pts, packet.dts = shown, decoded
        for packet in itertools.chain(first, packets):
            ticks = settle(packet.pts, packet.dts, last, self.frame_ticks, self._delay)
            if ticks is not None:
                packet.pts, packet.dts = ticks.shown, ticks.decoded
                last = ticks
                yield packet

    def _first(self, packets: Iterator[Packet[VideoStream]]) -> list[Packet[VideoStream]]:
        """Packets up to the first with both times; the library leaves them out until it knows how frames are reordered."""
        first = []
        for packet in packets:
            first.append(packet)
            if (packet.pts is not None and packet.dts is not None) or len(first) == _MOST_UNDATED:
                break
        return first

    def _received(self) -> Iterator[Packet[VideoStream]]:
        """Packets as they come."""
        packets = self._container.demux(self._stream)
        while True:
            packet = _next(packets)
            if isinstance(packet, Code):
                raise CameraTrouble(packet)
            if packet is None:
                return
            if packet.size:
                yield packet


def camera_time(packet: Packet[VideoStream]) -> dt.datetime | None:
    """When the packet's frame was taken by the camera's clock; None where it tells no time that a calendar has."""
    if not packet.has_sidedata("prft"):
        return None
    micros, _ = _REFERENCE.unpack(bytes(packet.get_sidedata("prft")))
    try:
        return _EPOCH + dt.timedelta(microseconds=micros)
    except OverflowError:
        return None


def _next(packets: Iterator[Packet[VideoStream]]) -> Packet[VideoStream] | Code | None:
    """The next packet, None at the end, or what is wrong: no error leaves that has the address in its text or its cause."""
    try:
        return next(packets, None)
    except (av.error.ExitError, av.error.TimeoutError):
        return Code.STALLED
    except (av.error.FFmpegError, EOFError):
        return Code.DISCONNECTED


def _open(camera: Camera, patience: Patience) -> InputContainer:
    options = {
        "rtsp_transport": camera.transport.value,
        "allowed_media_types": "video",
        "protocol_whitelist": _PROTOCOLS,
        "fpsprobesize": _RATE_PROBE_FRAMES,
        # Said outright: the library's own choice differs from version to version.
        "tls_verify": "1" if camera.certificate else "0",
    }
    if camera.certificate:
        options["ca_file"] = str(camera.certificate)
    # The library gives up at the second time that it waits so long for a packet.
    timeouts = (patience.open_s, patience.stall_s / 2)
    try:
        return av.open(_url(camera), options=options, timeout=timeouts)
    except av.error.HTTPOtherClientError:
        # What a camera answers that has nothing of the allowed type: look whether it has anything else.
        code = _other_code(camera, options, timeouts)
    except (av.error.FFmpegError, ValueError) as exc:
        code = _code(exc)
    if code is Code.UNREACHABLE and _answers(camera, patience.open_s):
        code = Code.NOT_ENCRYPTED
    # Outside the handler: the library's error has the password in its text, and must not become this one's context.
    raise CameraTrouble(code)


def _url(camera: Camera) -> str:
    """The address as the library knows it: its schemes are in small letters."""
    scheme, _, rest = camera.url.partition(":")
    return f"{scheme.lower()}:{rest}"


def _answers(camera: Camera, patience_s: float) -> bool:
    """Whether somebody listens where an encrypted connection did not come about: the library has one error for both."""
    parts = urlsplit(camera.url)
    if parts.scheme.lower() != _ENCRYPTED:
        return False
    try:
        with socket.create_connection((parts.hostname, parts.port or _ENCRYPTED_PORT), patience_s):
            return True
    except OSError:
        return False


def _other_code(camera: Camera, options: Mapping[str, str], timeouts: tuple[float, float]) -> Code:
    wider = {name: value for name, value in options.items() if name != "allowed_media_types"}
    try:
        with av.open(_url(camera), options=wider, timeout=timeouts) as found:
            return Code.PROTOCOL if found.streams.video else Code.NOT_VIDEO
    except (av.error.FFmpegError, ValueError):
        return Code.PROTOCOL


def _code(exc: Exception) -> Code:
    match exc:
        case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError():
            return Code.UNAUTHORIZED
        case av.error.HTTPNotFoundError():
            return Code.NOT_FOUND
        case av.error.ExitError() | av.error.TimeoutError():
            return Code.STALLED
        case OSError():
            return Code.UNREACHABLE
        case _:
            return Code.PROTOCOL


def _video(container: InputContainer) -> VideoStream:
    if not container.streams.video:
        raise CameraTrouble(Code.NOT_VIDEO)
    stream = container.streams.video[0]
    # A stream whose codec is not known has no codec context, whatever the library's types say.
    context: object = stream.codec_context
    if context is None or stream.codec_context.name not in _CODECS:
        raise CameraTrouble(Code.UNSUPPORTED_CODEC)
    return stream
