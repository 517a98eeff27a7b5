"""RTP packets and RTCP sender reports (RFC 3550, 6184, 7798) as bytes. Sends nothing."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterable, Iterator
from typing import Final

from extension.sources.rtsp.units import Codec

PAYLOAD_TYPE: Final = 96
"""First of the dynamic payload types (RFC 3551)."""

CLOCK_HZ: Final = 90_000
"""RTP clock of every video codec (RFC 6184, 7798)."""

_MOST_BYTES: Final = 1400
"""Largest payload: with RTP, UDP and IP headers it stays under an Ethernet frame's 1500 bytes."""

_SINCE_1900: Final = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
_STAP_A, _FU_A, _AP, _FU = 24, 28, 48, 49
_FIRST, _LAST = 0x80, 0x40
_LENGTH = struct.Struct("!H")
_HEADER = struct.Struct("!BBHII")
_REPORT = struct.Struct("!BBHIQIII")


def payloads(codec: Codec, nals: Iterable[bytes]) -> list[bytes]:
    """RTP payloads of one access unit: small neighbours share a packet, large units are cut into fragments."""
    found: list[bytes] = []
    small: list[bytes] = []
    for nal in nals:
        if small and sum(len(n) + 2 for n in small) + len(nal) + 4 > _MOST_BYTES:
            found.append(_together(codec, small))
            small = []
        if len(nal) + 4 > _MOST_BYTES:
            found.extend(_fragments(codec, nal))
        else:
            small.append(nal)
    if small:
        found.append(_together(codec, small))
    return found


def _together(codec: Codec, nals: list[bytes]) -> bytes:
    if len(nals) == 1:
        return nals[0]
    if codec is Codec.H264:
        header = bytes([max(nal[0] & 0x60 for nal in nals) | _STAP_A])
    else:  # layer 0, and the lowest temporal id of the units (RFC 7798, section 4.4.2)
        header = bytes([_AP << 1, min(nal[1] & 7 for nal in nals)])
    return header + b"".join(_LENGTH.pack(len(nal)) + nal for nal in nals)


def _fragments(codec: Codec, nal: bytes) -> Iterator[bytes]:
    if codec is Codec.H264:
        indicator, kind, head = bytes([nal[0] & 0xE0 | _FU_A]), nal[0] & 0x1F, 1
    else:
        indicator, kind, head = bytes([nal[0] & 0x81 | _FU << 1, nal[1]]), (nal[0] >> 1) & 0x3F, 2
    room = _MOST_BYTES - head - 1
    for start in range(head, len(nal), room):
        mark = (_FIRST if start == head else 0) | (_LAST if start + room >= len(nal) else 0)
        yield indicator + bytes([mark | kind]) + nal[start : start + room]


def packet(payload: bytes, *, sequence: int, timestamp: int, ssrc: int, last: bool) -> bytes:
    """One RTP packet; `last` marks the end of an access unit. Numbers are cut to their width in the header."""
    head = _HEADER.pack(0x80, last << 7 | PAYLOAD_TYPE, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    return head + payload


def ticks(media_s: float) -> int:
    """Media time on the RTP clock."""
    return round(media_s * CLOCK_HZ)


def ntp_time(at: dt.datetime) -> int:
    """An instant as RTCP has it: seconds since 1900, in units of 2**-32 s, cut to 64 bits."""
    micros = (at - _SINCE_1900) // dt.timedelta(microseconds=1)
    return ((micros << 32) // 1_000_000) & 0xFFFFFFFFFFFFFFFF


def sender_report(*, at: dt.datetime, timestamp: int, ssrc: int, packets: int, octets: int) -> bytes:
    """RTCP sender report with source description: `timestamp` on the RTP clock is `at` on the sender's wall clock."""
    numbers = (timestamp & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    report = _REPORT.pack(0x80, 200, 6, ssrc, ntp_time(at), *numbers)
    chunk = struct.pack("!I", ssrc) + b"\x01\x06camera"
    chunk += b"\x00" * (4 - len(chunk) % 4)
    return report + struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk


def interleaved(channel: int, data: bytes) -> bytes:
    """A packet as it travels inside the RTSP connection (RFC 2326, section 10.12)."""
    return struct.pack("!cBH", b"$", channel, len(data)) + data
