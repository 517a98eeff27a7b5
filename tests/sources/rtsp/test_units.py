"""NAL units and parameter sets, from start codes, from lengths and from MP4 boxes."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.rtsp.units import (
    Codec,
    continues_picture,
    is_delimiter,
    is_key,
    is_parameter_set,
    joined,
    nal_type,
    parameter_sets,
    split_lengths,
    split_start_codes,
)

# A unit never ends in zero and holds no start code (ITU-T H.264, section 7.4.1).
NAL = st.binary(min_size=1, max_size=40).filter(
    lambda n: n[-1] and b"\x00\x00\x01" not in n and b"\x00\x00\x00" not in n
)


@given(st.lists(NAL, max_size=6))
def test_units_come_back_from_start_codes(nals: list[bytes]) -> None:
    """Whatever is joined is split into the same again."""
    assert split_start_codes(joined(tuple(nals))) == tuple(nals)


@given(st.lists(NAL, max_size=6))
def test_short_start_codes_count_too(nals: list[bytes]) -> None:
    """Three bytes are a start code as well as four."""
    assert split_start_codes(b"".join(b"\x00\x00\x01" + nal for nal in nals)) == tuple(nals)


@given(st.lists(NAL, max_size=6), st.sampled_from([1, 2, 4]))
def test_units_come_back_from_lengths(nals: list[bytes], length_bytes: int) -> None:
    """Whatever the width of the length."""
    data = b"".join(len(nal).to_bytes(length_bytes, "big") + nal for nal in nals)
    assert split_lengths(data, length_bytes) == tuple(nals)


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_unit_that_is_cut_off_is_left_out(cut: int) -> None:
    """The whole ones before it stay."""
    data = b"\x00\x00\x00\x02ab" + b"\x00\x00\x00\x04cdef"
    assert split_lengths(data[:-cut], 4) == (b"ab",)


def test_nothing_holds_no_units() -> None:
    """Neither form."""
    assert split_start_codes(b"") == ()
    assert split_lengths(b"", 4) == ()
    assert joined(()) == b""


@pytest.mark.parametrize(
    ("codec", "first", "kind", "sets", "key", "delimiter"),
    [
        pytest.param(Codec.H264, 0x67, 7, True, False, False, id="h264-sps"),
        pytest.param(Codec.H264, 0x68, 8, True, False, False, id="h264-pps"),
        pytest.param(Codec.H264, 0x65, 5, False, True, False, id="h264-idr"),
        pytest.param(Codec.H264, 0x41, 1, False, False, False, id="h264-slice"),
        pytest.param(Codec.H264, 0x09, 9, False, False, True, id="h264-delimiter"),
        pytest.param(Codec.H264, 0x06, 6, False, False, False, id="h264-sei"),
        pytest.param(Codec.H265, 32 << 1, 32, True, False, False, id="h265-vps"),
        pytest.param(Codec.H265, 33 << 1, 33, True, False, False, id="h265-sps"),
        pytest.param(Codec.H265, 34 << 1, 34, True, False, False, id="h265-pps"),
        pytest.param(Codec.H265, 35 << 1, 35, False, False, True, id="h265-delimiter"),
        pytest.param(Codec.H265, 19 << 1, 19, False, True, False, id="h265-idr"),
        pytest.param(Codec.H265, 21 << 1, 21, False, True, False, id="h265-cra"),
        pytest.param(Codec.H265, 1 << 1, 1, False, False, False, id="h265-slice"),
    ],
)
def test_kinds_of_units(
    codec: Codec, first: int, kind: int, *, sets: bool, key: bool, delimiter: bool
) -> None:
    """By the first byte."""
    nal = bytes([first, 1, 2])
    assert nal_type(codec, nal) == kind
    assert is_parameter_set(codec, nal) is sets
    assert is_key(codec, nal) is key
    assert is_delimiter(codec, nal) is delimiter


@pytest.mark.parametrize(
    ("codec", "nals", "continues"),
    [
        pytest.param(Codec.H264, [b"\x67s", b"\x65\x88"], False, id="h264-first-slice"),
        pytest.param(Codec.H264, [b"\x67s", b"\x65\x02\x88"], True, id="h264-another-slice"),
        pytest.param(Codec.H264, [b"\x65\x88", b"\x65\x02"], False, id="h264-both"),
        pytest.param(Codec.H264, [b"\x41\x02"], True, id="h264-no-key-frame"),
        pytest.param(Codec.H264, [b"\x67s", b"\x06e"], False, id="h264-no-slice"),
        pytest.param(Codec.H264, [b"\x65"], False, id="h264-cut-off"),
        pytest.param(Codec.H265, [b"\x42\x01s", b"\x26\x01\x80"], False, id="h265-first-slice"),
        pytest.param(Codec.H265, [b"\x42\x01s", b"\x26\x01\x40"], True, id="h265-another-slice"),
        pytest.param(Codec.H265, [], False, id="h265-nothing"),
    ],
)
def test_slices_that_continue_a_picture(codec: Codec, nals: list[bytes], *, continues: bool) -> None:
    """By the first bit of the first slice."""
    assert continues_picture(codec, nals) is continues


def extradata(path: Path) -> bytes:
    """Codec configuration of a file."""
    with av.open(str(path)) as container:
        return bytes(container.streams.video[0].codec_context.extradata or b"")


def test_h264_configuration_of_an_mp4(clip: Path) -> None:
    """An SPS and a PPS, and lengths of four bytes."""
    sets, length_bytes = parameter_sets(Codec.H264, extradata(clip))
    assert [nal_type(Codec.H264, nal) for nal in sets.nals] == [7, 8]
    assert length_bytes == 4


def test_h265_configuration_of_an_mp4(hevc_clip: Path) -> None:
    """VPS, SPS and PPS; the encoder's advertisement (SEI) beside them is left out."""
    sets, length_bytes = parameter_sets(Codec.H265, extradata(hevc_clip))
    assert [nal_type(Codec.H265, nal) for nal in sets.nals] == [32, 33, 34]
    assert length_bytes == 4


def test_configuration_with_start_codes() -> None:
    """As transport streams and RTSP have it: units stand behind start codes, and none behind lengths."""
    nals = (b"\x67sps", b"\x06sei", b"\x68pps")
    sets, length_bytes = parameter_sets(Codec.H264, joined(nals))
    assert sets.nals == (b"\x67sps", b"\x68pps")
    assert length_bytes == 0


def test_no_configuration() -> None:
    """Parameter sets then come with the pictures."""
    assert parameter_sets(Codec.H264, b"")[0].nals == ()
