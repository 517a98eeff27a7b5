"""Packets into MP4 files that players and browsers take."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import pytest
from av.packet import Packet
from av.video.stream import VideoStream
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.sources.camera.muxing import Muxer, Pieces, picture_size
from extension.sources.camera.trouble import CameraTrouble, Code
from extension.sources.probe import probe
from extension.sources.rtsp.streams import LoopedFile
from extension.sources.rtsp.units import joined
from tests.sources.rtsp.clips import FRAMES, frames_in

FRAME = 3600


def packets(path: Path, count: int = FRAMES, start: int = 0) -> Iterator[Packet[VideoStream]]:
    """A file's packets as a camera sends them: start codes, parameter sets in front of key frames, 90 kHz."""
    for index, unit in enumerate(LoopedFile(path).units()):
        if index == count:
            return
        packet = cast("Packet[VideoStream]", Packet(joined(unit.nals)))
        packet.dts, packet.pts = start + round(unit.decode_s * 90_000), start + round(unit.show_s * 90_000)
        packet.time_base = Fraction(1, 90_000)
        packet.is_keyframe = unit.key
        yield packet


def muxed(codec: str, size: tuple[int, int], found: Sequence[Packet[VideoStream]]) -> bytes:
    """A finished segment."""
    muxer = Muxer(codec, size, found[0])
    for packet in found[1:]:
        muxer.add(packet)
    return b"".join(muxer.finish(FRAME))


def boxes(data: bytes) -> list[bytes]:
    """Kinds of the boxes of a file, in order."""
    place, kinds = 0, []
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        assert size >= 8
        kinds.append(data[place + 4 : place + 8])
        place += size
    assert place == len(data)
    return kinds


@pytest.mark.parametrize(
    ("fixture", "codec"), [("clip", "h264"), ("hevc_clip", "hevc"), ("reordered_clip", "h264")]
)
def test_a_segment_plays(fixture: str, codec: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Every frame, from zero, with its length, and the index in front."""
    path: Path = request.getfixturevalue(fixture)
    data = muxed(codec, (160, 120), list(packets(path, start=1_000_000)))
    target = tmp_path / "segment.mp4"
    target.write_bytes(data)
    assert boxes(data) == [b"ftyp", b"moov", b"mdat"]
    times = frames_in(target)
    assert len(times) == FRAMES
    assert times[0] == pytest.approx(0.0, abs=0.09)
    info = probe(target)
    assert (info.codec, info.width, info.height) == (codec, 160, 120)
    assert info.duration_s == pytest.approx(2.0, abs=0.1)
    assert info.fps == pytest.approx(25.0, rel=0.05)


def test_the_same_pictures_come_out(clip: Path, tmp_path: Path) -> None:
    """Nothing is encoded anew."""
    target = tmp_path / "segment.mp4"
    target.write_bytes(muxed("h264", (160, 120), list(packets(clip))))
    frames = []
    for path in (clip, target):
        with av.open(str(path)) as container:
            frames.append([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])
    assert all((one == other).all() for one, other in zip(*frames, strict=True))


def test_h265_has_the_name_that_all_browsers_know(hevc_clip: Path) -> None:
    """hvc1, where the muxer writes hev1."""
    data = muxed("hevc", (160, 120), list(packets(hevc_clip)))
    assert b"hvc1" in data
    assert b"hev1" not in data


def test_one_frame_is_a_segment(clip: Path, tmp_path: Path) -> None:
    """A camera that sends one picture and dies."""
    target = tmp_path / "segment.mp4"
    target.write_bytes(muxed("h264", (160, 120), list(packets(clip, 1))))
    assert len(frames_in(target)) == 1
    assert probe(target).duration_s == pytest.approx(0.04)


def test_lengths_are_those_between_frames(clip: Path, tmp_path: Path) -> None:
    """Also where frames come irregularly, and the last lasts as long as is said."""
    found = list(packets(clip, 10))
    for index, packet in enumerate(found):
        packet.dts = packet.pts = 5000 + index * 3600 + (20_000 if index >= 5 else 0)
    muxer = Muxer("h264", (160, 120), found[0])
    for packet in found[1:]:
        muxer.add(packet)
    target = tmp_path / "segment.mp4"
    target.write_bytes(b"".join(muxer.finish(90_000)))
    assert frames_in(target)[5] == pytest.approx((5 * 3600 + 20_000) / 90_000, abs=1e-4)
    assert probe(target).duration_s == pytest.approx((9 * 3600 + 20_000 + 90_000) / 90_000, abs=1e-3)


def test_large_pictures(tmp_path: Path) -> None:
    """Larger than the muxer's buffer, in very many pieces."""
    chance = random.Random(0)
    body = bytes(chance.randrange(1, 256) for _ in range(100_000))
    sets = b"\x00\x00\x00\x01\x67\x42\xc0\x1e\xda\x02\x80\xf6\x80" + b"\x00\x00\x00\x01\x68\xce\x3c\x80"
    found = []
    for index in range(12):
        packet = cast("Packet[VideoStream]", Packet(sets + b"\x00\x00\x00\x01\x65" + body))
        packet.dts = packet.pts = index * FRAME
        packet.time_base = Fraction(1, 90_000)
        packet.is_keyframe = True
        found.append(packet)
    data = muxed("h264", (640, 480), found)
    assert boxes(data) == [b"ftyp", b"moov", b"mdat"]
    assert data.count(body) == 12
    target = tmp_path / "large.mp4"
    target.write_bytes(data)
    with av.open(str(target)) as container:
        sizes = [packet.size for packet in container.demux(video=0) if packet.size]
    assert len(set(sizes)) == 1
    assert len(sizes) == 12


def test_decode_times_that_go_back_are_refused(clip: Path) -> None:
    """As a trouble of the camera, not as the library's error."""
    found = list(packets(clip, 4))
    found[2].dts = found[2].pts = -90_000
    with pytest.raises(CameraTrouble) as trouble:
        muxed("h264", (160, 120), found)
    assert trouble.value.code is Code.MALFORMED


@pytest.mark.parametrize(
    ("fixture", "codec", "size"),
    [
        ("clip", "h264", (160, 120)),
        ("hevc_clip", "hevc", (160, 120)),
        ("large_clip", "h264", (320, 240)),
        ("reordered_clip", "h264", (160, 120)),
    ],
)
def test_a_pictures_size(
    fixture: str, codec: str, size: tuple[int, int], request: pytest.FixtureRequest
) -> None:
    """From one key frame alone."""
    first = next(packets(request.getfixturevalue(fixture)))
    assert picture_size(codec, bytes(first)) == size


def test_what_cannot_be_decoded(clip: Path) -> None:
    """Noise, a picture without its parameter sets, and nothing at all."""
    slices = [packet for packet in packets(clip, 2) if not packet.is_keyframe]
    for data in (b"\x00\x00\x00\x01\x65" + b"noise" * 50, bytes(slices[0]), b""):
        with pytest.raises(CameraTrouble) as found:
            picture_size("h264", data)
        assert found.value.code is Code.UNDECODABLE


class Reference:
    """A plain file in memory, to compare with."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.place = 0

    def write(self, data: bytes) -> None:
        """Take bytes at the present place."""
        self.data[self.place : self.place + len(data)] = data
        self.place += len(data)


@settings(max_examples=40)
@given(
    st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=10),
    st.integers(0, 200),
    st.binary(min_size=1, max_size=4),
)
def test_pieces_are_a_file(written: list[bytes], place: int, patch: bytes) -> None:
    """What is written one after the other, and over within one piece, is what a file would hold."""
    pieces, reference = Pieces(), Reference()
    for data in written:
        assert pieces.write(data) == len(data)
        reference.write(data)
    start = sum(len(data) for data in written[: place % len(written)])
    room = len(written[place % len(written)])
    pieces.seek(start)
    reference.place = start
    pieces.write(patch[:room])
    reference.write(patch[:room])
    assert b"".join(pieces.pieces) == bytes(reference.data)
    assert pieces.seek(0, 2) == len(reference.data)
    assert pieces.seek(-1, 1) == pieces.tell() == len(reference.data) - 1


def test_pieces_do_not_write_over_two_at_once() -> None:
    """They say so rather than write something else."""
    pieces = Pieces()
    pieces.write(b"ab")
    pieces.write(b"cd")
    pieces.seek(1)
    with pytest.raises(OSError, match="written over"):
        pieces.write(b"xx")
