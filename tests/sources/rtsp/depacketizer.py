"""Puts RTP payloads together again, straight from the RFCs' figures: the other side of what is tested."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from extension.sources.rtsp.units import Codec


@dataclass(frozen=True, slots=True)
class Rtp:
    """A parsed RTP packet."""

    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """A parsed RTCP sender report: `unix_s` is its wall clock."""

    ssrc: int
    unix_s: float
    timestamp: int
    packets: int
    octets: int
    name: bytes


def parse_rtp(data: bytes) -> Rtp:
    """Read an RTP packet without extensions."""
    first, second, sequence, timestamp, ssrc = struct.unpack("!BBHII", data[:12])
    assert first == 0x80, "version 2, no padding, no extension, no contributing sources"
    return Rtp(bool(second >> 7), second & 0x7F, sequence, timestamp, ssrc, data[12:])


def parse_report(data: bytes) -> Report:
    """Read a compound packet of a sender report and a source description."""
    first, kind, length, ssrc, ntp, timestamp, packets, octets = struct.unpack("!BBHIQIII", data[:28])
    assert (first, kind, length) == (0x80, 200, 6)
    first, kind, length, chunk_ssrc = struct.unpack("!BBHI", data[28:36])
    assert (first, kind, chunk_ssrc) == (0x81, 202, ssrc)
    assert len(data) == 28 + 4 * (length + 1)
    assert data[36] == 1, "a canonical name"
    name = data[38 : 38 + data[37]]
    assert data[38 + data[37]] == 0, "the list ends"
    return Report(ssrc, ntp / 2**32 - 2_208_988_800, timestamp, packets, octets, name)


def nals(codec: Codec, payloads: Iterable[bytes]) -> Iterator[bytes]:
    """NAL units of payloads in order; fragments must be whole."""
    return _h264(payloads) if codec is Codec.H264 else _h265(payloads)


def _h264(payloads: Iterable[bytes]) -> Iterator[bytes]:
    part = b""
    for payload in payloads:
        kind = payload[0] & 0x1F
        if kind == 24:
            yield from _together(payload[1:])
        elif kind == 28:
            mark = payload[1]
            assert bool(mark & 0x80) is (not part), "the first fragment says so, and only it"
            part = part or bytes([payload[0] & 0xE0 | mark & 0x1F])
            part += payload[2:]
            if mark & 0x40:
                yield part
                part = b""
        else:
            assert 1 <= kind <= 23
            yield payload
    assert not part, "the last fragment says so"


def _h265(payloads: Iterable[bytes]) -> Iterator[bytes]:
    part = b""
    for payload in payloads:
        kind = payload[0] >> 1 & 0x3F
        if kind == 48:
            yield from _together(payload[2:])
        elif kind == 49:
            mark = payload[2]
            assert bool(mark & 0x80) is (not part)
            part = part or bytes([payload[0] & 0x81 | (mark & 0x3F) << 1, payload[1]])
            part += payload[3:]
            if mark & 0x40:
                yield part
                part = b""
        else:
            yield payload
    assert not part


def _together(data: bytes) -> Iterator[bytes]:
    while data:
        size = int.from_bytes(data[:2], "big")
        assert 0 < size <= len(data) - 2
        yield data[2 : 2 + size]
        data = data[2 + size :]
