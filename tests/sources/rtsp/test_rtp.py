"""RTP packets and reports, read back by an independent reader."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.sources.rtsp import rtp
from extension.sources.rtsp.units import Codec
from tests.sources.rtsp.depacketizer import nals, parse_report, parse_rtp

MOST = 1400
AT = dt.datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=dt.UTC)


def unit(codec: Codec, kind: int, size: int) -> bytes:
    """A NAL unit of a kind and size."""
    head = bytes([0x60 | kind]) if codec is Codec.H264 else bytes([kind << 1, 1])
    return head + bytes(i % 251 for i in range(size - len(head)))


SIZES = st.integers(3, 4 * MOST)
UNITS = st.sampled_from(list(Codec)).flatmap(
    lambda codec: st.tuples(
        st.just(codec),
        st.lists(st.builds(unit, st.just(codec), st.integers(1, 20), SIZES), min_size=1, max_size=8),
    )
)


@settings(max_examples=40)
@given(UNITS)
def test_units_survive_their_way(given_units: tuple[Codec, list[bytes]]) -> None:
    """Whatever their sizes, they come out as they went in, in order."""
    codec, units = given_units
    assert list(nals(codec, rtp.payloads(codec, units))) == units


@settings(max_examples=40)
@given(UNITS)
def test_no_payload_is_too_large(given_units: tuple[Codec, list[bytes]]) -> None:
    """Nor empty."""
    codec, units = given_units
    assert all(0 < len(payload) <= MOST for payload in rtp.payloads(codec, units))


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("size", [MOST - 5, MOST - 4, MOST - 3, MOST, MOST + 1, 2 * MOST - 4, 2 * MOST])
def test_sizes_around_the_limits(codec: Codec, size: int) -> None:
    """Where single packets, shared packets and fragments meet."""
    for units in ([unit(codec, 1, size)], [unit(codec, 1, 10), unit(codec, 1, size), unit(codec, 1, 10)]):
        found = rtp.payloads(codec, units)
        assert list(nals(codec, found)) == units
        assert max(map(len, found)) <= MOST


@pytest.mark.parametrize(("codec", "shared"), [(Codec.H264, 24), (Codec.H265, 48)])
def test_small_units_share_a_packet(codec: Codec, shared: int) -> None:
    """Parameter sets travel in one."""
    found = rtp.payloads(codec, [unit(codec, 7, 30), unit(codec, 8, 6)])
    assert len(found) == 1
    kind = found[0][0] & 0x1F if codec is Codec.H264 else found[0][0] >> 1
    assert kind == shared


@pytest.mark.parametrize("codec", list(Codec))
def test_a_small_unit_alone_travels_as_it_is(codec: Codec) -> None:
    """No wrapping for one."""
    nal = unit(codec, 1, 50)
    assert rtp.payloads(codec, [nal]) == [nal]


def test_no_units_are_no_packets() -> None:
    """An empty picture."""
    assert rtp.payloads(Codec.H264, []) == []


def test_a_packets_header() -> None:
    """Numbers where the RFC has them."""
    found = parse_rtp(rtp.packet(b"xyz", sequence=7, timestamp=90_000, ssrc=0xDEADBEEF, last=True))
    assert (found.marker, found.payload_type, found.sequence) == (True, 96, 7)
    assert (found.timestamp, found.ssrc, found.payload) == (90_000, 0xDEADBEEF, b"xyz")


def test_only_the_last_packet_of_a_picture_is_marked() -> None:
    """The marker is what ends a picture."""
    assert not parse_rtp(rtp.packet(b"x", sequence=0, timestamp=0, ssrc=0, last=False)).marker


@given(st.integers(0, 2**40), st.integers(0, 2**50))
def test_numbers_wrap_round(sequence: int, timestamp: int) -> None:
    """A camera that runs for a year is sent like one that has just started."""
    found = parse_rtp(rtp.packet(b"x", sequence=sequence, timestamp=timestamp, ssrc=1, last=True))
    assert (found.sequence, found.timestamp) == (sequence % 2**16, timestamp % 2**32)


@pytest.mark.parametrize(("media_s", "ticks"), [(0.0, 0), (1.0, 90_000), (0.04, 3600), (1 / 3, 30_000)])
def test_media_time_on_the_rtp_clock(media_s: float, ticks: int) -> None:
    """90 kHz."""
    assert rtp.ticks(media_s) == ticks


@given(st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2035, 12, 31), timezones=st.just(dt.UTC)))  # noqa: DTZ001 - hypothesis wants bounds without zone
def test_instants_survive_ntp(at: dt.datetime) -> None:
    """To the microsecond."""
    ntp = rtp.ntp_time(at)
    assert ntp / 2**32 - 2_208_988_800 == pytest.approx(at.timestamp(), abs=2e-6)


def test_the_epoch_of_ntp() -> None:
    """1900 is zero; its second half-second is half of the fraction."""
    start = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
    assert rtp.ntp_time(start) == 0
    assert rtp.ntp_time(start + dt.timedelta(seconds=3, milliseconds=500)) == (3 << 32) + (1 << 31)


def test_a_sender_report_says_what_time_it_is() -> None:
    """Wall clock, RTP clock and counters; with a name, as compound packets must have."""
    found = parse_report(rtp.sender_report(at=AT, timestamp=2**32 + 5, ssrc=77, packets=3, octets=4000))
    assert found.unix_s == pytest.approx(AT.timestamp(), abs=1e-5)
    assert (found.ssrc, found.timestamp, found.packets, found.octets) == (77, 5, 3, 4000)
    assert found.name == b"camera"


def test_packets_inside_a_connection() -> None:
    """A dollar sign, the channel and the length."""
    assert rtp.interleaved(3, b"abc") == b"$\x03\x00\x03abc"
