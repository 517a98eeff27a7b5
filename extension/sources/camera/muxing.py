"""Packets into an MP4 file in memory, without re-encoding, in the order that browsers like: index first."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator, Sequence
from typing import Final, cast

import av
import av.error
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from extension.sources.camera.trouble import CameraTrouble, Code

_TO_TABLES: Final = (b"trak", b"mdia", b"minf", b"stbl")
_HEADER_BYTES: Final = 8
_FRONT_BYTES: Final = 64
"""Type, padding and the head of the pictures' box take less."""

_ENTRIES_AT: Final = 16
"""In an `stco` box: after size, kind, version and flags, and the number of entries."""


class Muxer:
    """One segment under way; finished or thrown away.

    Args:
        codec: "h264" or "hevc".
        size: Width and height, pixels.
        first: The first packet: a key frame with its parameter sets, in start-code form.
    """

    def __init__(self, codec: str, size: tuple[int, int], first: Packet[VideoStream]) -> None:
        self._file = Pieces()
        self._container = av.open(self._file, "w", format="mp4")
        width, height = size
        self._stream = self._container.add_mux_stream(
            codec, width=width, height=height, time_base=first.time_base
        )
        self._base = first.dts or 0
        self._held = first

    def add(self, packet: Packet[VideoStream]) -> None:
        """Take the next packet; its decode time is later than the last one's.

        Raises:
            CameraTrouble: No file can hold it.
        """
        self._write((packet.dts or 0) - (self._held.dts or 0))
        self._held = packet

    def extend(self, packet: Packet[VideoStream]) -> None:
        """Take more of the picture that the last packet began."""
        held = self._held
        longer = cast("Packet[VideoStream]", Packet(bytes(held) + bytes(packet)))
        longer.pts, longer.dts, longer.time_base = held.pts, held.dts, held.time_base
        longer.is_keyframe = held.is_keyframe
        self._held = longer

    def finish(self, last_ticks: int) -> list[bytes]:
        """The file in pieces, after which the muxer is used up; its last frame lasts `last_ticks` of its packets' time base.

        Raises:
            CameraTrouble: No file can hold what was taken.
        """
        self._write(last_ticks)
        try:
            self._container.close()
        except (av.error.FFmpegError, ValueError) as exc:
            raise CameraTrouble(Code.MALFORMED) from exc
        return faststart(self._file.pieces)

    def _write(self, duration: int) -> None:
        packet = self._held
        packet.duration = duration
        packet.pts, packet.dts = (packet.pts or 0) - self._base, (packet.dts or 0) - self._base
        packet.stream = self._stream  # type: ignore[assignment]  # a stream without a codec context; nothing is decoded by it
        try:
            self._container.mux(packet)
        except (av.error.FFmpegError, ValueError) as exc:
            raise CameraTrouble(Code.MALFORMED) from exc


def picture_size(codec: str, data: bytes) -> tuple[int, int]:
    """Width and height of a key frame that carries its parameter sets, by decoding it.

    Raises:
        CameraTrouble: It cannot be decoded.
    """
    decoder = av.CodecContext.create(codec, "r")
    decoder.thread_count = 1
    try:
        if isinstance(decoder, VideoCodecContext):
            for frame in (*decoder.decode(Packet(data)), *decoder.decode(None)):
                if isinstance(frame, VideoFrame):
                    return frame.width, frame.height
    except (av.error.FFmpegError, EOFError) as exc:
        raise CameraTrouble(Code.UNDECODABLE) from exc
    raise CameraTrouble(Code.UNDECODABLE)


class Pieces:
    """A file for the muxer that keeps what is written as it comes: a segment is never copied into one block, which costs more than all else.

    Written is once from front to back, and then over a few bytes near the front.
    """

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self._place = 0
        self._end = 0

    def write(self, data: bytes) -> int:
        """Take bytes at the present place."""
        if self._place == self._end:
            self.pieces.append(data)
            self._end += len(data)
        else:
            self._write_over(data)
        self._place += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._end}[whence]
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        """The present place."""
        return self._place

    def _write_over(self, data: bytes) -> None:
        start = 0
        for index, piece in enumerate(self.pieces):
            at = self._place - start
            if 0 <= at <= len(piece) - len(data):
                self.pieces[index] = piece[:at] + data + piece[at + len(data) :]
                return
            start += len(piece)
        raise OSError(errno.EINVAL, "bytes beyond one piece cannot be written over")


def faststart(pieces: Sequence[bytes]) -> list[bytes]:
    """The same MP4 file (one track) with its index in front of its pictures; H.265 under the name that all browsers know.

    Args:
        pieces: What the muxer wrote, in order: type, perhaps padding, pictures, index.
    """
    front, rest = pieces[0], pieces[1:]
    while len(front) < _FRONT_BYTES and rest:
        front, rest = front + rest[0], rest[1:]
    boxes = {front[at + 4 : at + 8]: (at, end) for at, end in _boxes(front, 0, len(front))}
    (media, media_end), (_, head_end) = boxes[b"mdat"], boxes[b"ftyp"]
    pictures, index = _parted([front[media:], *rest], media_end - media)
    moov = bytearray(index)
    _move_pictures(moov, head_end + len(moov) - media)
    entry, end = _inside(moov, *_TO_TABLES, b"stsd")
    moov[entry:end] = moov[entry:end].replace(b"hev1", b"hvc1", 1)
    return [front[:head_end] + bytes(moov), *pictures]


def _parted(pieces: Sequence[bytes], size: int) -> tuple[list[bytes], bytes]:
    """Pieces up to a size, and what comes after it in one."""
    before: list[bytes] = []
    for place, piece in enumerate(pieces):
        if size < len(piece):
            return [*before, piece[:size]], b"".join((piece[size:], *pieces[place + 1 :]))
        before.append(piece)
        size -= len(piece)
    return before, b""


def _move_pictures(moov: bytearray, shift: int) -> None:
    table, _ = _inside(moov, *_TO_TABLES, b"stco")
    first, number = table + _ENTRIES_AT, int.from_bytes(moov[table + 12 : table + _ENTRIES_AT], "big")
    for place in range(first, first + 4 * number, 4):
        moved = int.from_bytes(moov[place : place + 4], "big") + shift
        moov[place : place + 4] = moved.to_bytes(4, "big")


def _boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the boxes between two places begin and end."""
    while start + _HEADER_BYTES <= end:
        size = int.from_bytes(data[start : start + 4], "big")
        if size < _HEADER_BYTES:
            return
        yield start, start + size
        start += size


def _inside(moov: bytearray, *kinds: bytes) -> tuple[int, int]:
    """Where the box at the end of a path of kinds lies."""
    start, end = 0, len(moov)
    for kind in kinds:
        start, end = next(
            (at, until)
            for at, until in _boxes(moov, start + _HEADER_BYTES, end)
            if moov[at + 4 : at + 8] == kind
        )
    return start, end
