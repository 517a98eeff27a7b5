"""Access units and parameter sets: encoded pictures as lists of NAL units. Knows bytes, neither files nor sockets."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_START_CODE: Final = b"\x00\x00\x01"
_H264_SPS, _H264_PPS, _H264_DELIMITER, _H264_KEY = 7, 8, 9, 5
_H265_VPS, _H265_SPS, _H265_PPS, _H265_DELIMITER = 32, 33, 34, 35
_H264_SLICES: Final = range(1, 6)
_H265_SLICES: Final = range(32)
_H265_KEYS: Final = range(16, 22)
"""Slice types that decoding can start at (ITU-T H.265, table 7-1: BLA, IDR and CRA)."""


class Codec(enum.StrEnum):
    """Video codecs that are served and recorded, by the names FFmpeg has for them."""

    H264 = "h264"
    H265 = "hevc"


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded picture.

    Attributes:
        codec: What it is encoded as.
        nals: Its NAL units without start codes or lengths.
        decode_s: When it is sent, seconds from the stream's start; never goes back.
        show_s: When it is shown, seconds on the same scale.
        key: Whether decoding can start here.
    """

    codec: Codec
    nals: tuple[bytes, ...]
    decode_s: float
    show_s: float
    key: bool


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """What a decoder needs before the first picture: VPS (H.265 only), SPS and PPS units, in this order."""

    codec: Codec
    nals: tuple[bytes, ...]


def nal_type(codec: Codec, nal: bytes) -> int:
    """Type number of a NAL unit that is not empty."""
    return nal[0] & 0x1F if codec is Codec.H264 else (nal[0] >> 1) & 0x3F


def is_parameter_set(codec: Codec, nal: bytes) -> bool:
    """Whether the unit is a VPS, SPS or PPS."""
    kinds = (_H264_SPS, _H264_PPS) if codec is Codec.H264 else (_H265_VPS, _H265_SPS, _H265_PPS)
    return nal_type(codec, nal) in kinds


def is_delimiter(codec: Codec, nal: bytes) -> bool:
    """Whether the unit is an access unit delimiter, which RTP does without."""
    return nal_type(codec, nal) == (_H264_DELIMITER if codec is Codec.H264 else _H265_DELIMITER)


def is_key(codec: Codec, nal: bytes) -> bool:
    """Whether the unit is a slice that decoding can start at."""
    kind = nal_type(codec, nal)
    return kind == _H264_KEY if codec is Codec.H264 else kind in _H265_KEYS


def continues_picture(codec: Codec, nals: Sequence[bytes]) -> bool:
    """Whether the first slice among units is not the first of its picture: they belong to the picture before them."""
    head, slices = (1, _H264_SLICES) if codec is Codec.H264 else (2, _H265_SLICES)
    first = next((nal for nal in nals if nal_type(codec, nal) in slices), None)
    # The first bit of a slice says so: first_mb_in_slice is 0, or first_slice_segment_in_pic_flag.
    return first is not None and len(first) > head and not first[head] & 0x80


def split_start_codes(data: bytes) -> tuple[bytes, ...]:
    """NAL units of a byte stream (ITU-T H.264 annex B)."""
    return tuple(nal for part in data.split(_START_CODE)[1:] if (nal := part.rstrip(b"\x00")))


def split_lengths(data: bytes, length_bytes: int) -> tuple[bytes, ...]:
    """NAL units that each stand behind their length, as MP4 files hold them; an incomplete last one is left out."""
    return tuple(_lengthwise(data, length_bytes))


def _lengthwise(data: bytes, length_bytes: int) -> Iterator[bytes]:
    place = 0
    while place + length_bytes < len(data):
        start = place + length_bytes
        place = start + int.from_bytes(data[place:start], "big")
        if start < place <= len(data):
            yield data[start:place]


def joined(nals: tuple[bytes, ...]) -> bytes:
    """NAL units as a byte stream with start codes."""
    return b"".join(b"\x00" + _START_CODE + nal for nal in nals)


def parameter_sets(codec: Codec, extradata: bytes) -> tuple[ParameterSets, int]:
    """Read a container's codec configuration.

    Args:
        codec: Of the stream.
        extradata: Start codes and units, or an `avcC` or `hvcC` box's content (ISO/IEC 14496-15); may be empty.

    Returns:
        The parameter sets, and how many bytes each length before a NAL unit has; 0 when units stand behind start codes.
    """
    if extradata[:1] != b"\x01":
        nals = tuple(n for n in split_start_codes(extradata) if is_parameter_set(codec, n))
        return ParameterSets(codec, nals), 0
    if codec is Codec.H264:
        return ParameterSets(codec, tuple(_avcc(extradata))), (extradata[4] & 3) + 1
    return ParameterSets(codec, tuple(_hvcc(extradata))), (extradata[21] & 3) + 1


def _avcc(box: bytes) -> Iterator[bytes]:
    place = 5
    for mask in (0x1F, 0xFF):
        count, place = box[place] & mask, place + 1
        for _ in range(count):
            end = place + 2 + int.from_bytes(box[place : place + 2], "big")
            yield box[place + 2 : end]
            place = end


def _hvcc(box: bytes) -> Iterator[bytes]:
    place = 23
    for _ in range(box[22]):
        count = int.from_bytes(box[place + 1 : place + 3], "big")
        place += 3
        for _ in range(count):
            end = place + 2 + int.from_bytes(box[place : place + 2], "big")
            if is_parameter_set(Codec.H265, nal := box[place + 2 : end]):
                yield nal
            place = end
