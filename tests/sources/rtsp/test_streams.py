"""What is served: files over and over, and pictures encoded as they come."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from extension.errors import BadSource
from extension.sources.rtsp.streams import LoopedFile, Picture, PictureStream
from extension.sources.rtsp.units import AccessUnit, Codec, is_delimiter, is_parameter_set, joined
from tests.sources.rtsp.clips import FRAMES

MakeClip = Callable[..., Path]
SIZE = (64, 48)


def some(units: Iterator[AccessUnit], count: int) -> list[AccessUnit]:
    """The first units."""
    return list(itertools.islice(units, count))


def decoded(codec: Codec, units: list[AccessUnit]) -> int:
    """How many pictures a decoder makes of units, with nothing but what is in them."""
    decoder = av.CodecContext.create(codec.value, "r")
    assert isinstance(decoder, VideoCodecContext)
    count = sum(len(decoder.decode(Packet(joined(unit.nals)))) for unit in units)
    return count + len(decoder.decode(None))


@pytest.mark.parametrize(("fixture", "codec"), [("clip", Codec.H264), ("hevc_clip", Codec.H265)])
def test_a_file_goes_round(fixture: str, codec: Codec, request: pytest.FixtureRequest) -> None:
    """The same pictures again, later by the file's length: no time stamp jumps."""
    stream = LoopedFile(request.getfixturevalue(fixture))
    units = some(stream.units(), 2 * FRAMES + 1)
    assert stream.loop_s == pytest.approx(2.0)
    for first, second in zip(units[:FRAMES], units[FRAMES:], strict=False):
        assert second.nals == first.nals
        assert second.decode_s == pytest.approx(first.decode_s + stream.loop_s)
    steps = [b.decode_s - a.decode_s for a, b in itertools.pairwise(units)]
    assert steps == pytest.approx([0.04] * len(steps))
    assert {unit.codec for unit in units} == {codec}


@pytest.mark.parametrize(("fixture", "codec"), [("clip", Codec.H264), ("hevc_clip", Codec.H265)])
def test_a_client_can_begin_at_any_key_frame(
    fixture: str, codec: Codec, request: pytest.FixtureRequest
) -> None:
    """Each one carries its parameter sets, wherever the file keeps them."""
    units = some(LoopedFile(request.getfixturevalue(fixture)).units(), FRAMES)
    keys = [place for place, unit in enumerate(units) if unit.key]
    assert keys == list(range(0, FRAMES, 5))
    for place in keys[:3]:
        assert any(is_parameter_set(codec, nal) for nal in units[place].nals)
        assert decoded(codec, units[place : place + 5]) == 5


def test_reordered_frames_keep_both_their_times(reordered_clip: Path) -> None:
    """Sent in decode order, shown in another; never shown before they are sent."""
    units = some(LoopedFile(reordered_clip).units(), 2 * FRAMES)
    assert [unit.decode_s for unit in units] == sorted(unit.decode_s for unit in units)
    assert [unit.show_s for unit in units] != sorted(unit.show_s for unit in units)
    assert all(unit.show_s >= unit.decode_s - 1e-6 for unit in units)
    assert len({round(unit.show_s * 90_000) for unit in units}) == len(units)


def test_delimiters_are_left_out(clip: Path) -> None:
    """RTP has a marker for that."""
    units = some(LoopedFile(clip).units(), 10)
    assert not any(is_delimiter(Codec.H264, nal) for unit in units for nal in unit.nals)


def test_a_transport_stream_is_served_too(clip: Path, tmp_path: Path) -> None:
    """Units behind start codes instead of lengths, with delimiters in between."""
    path = tmp_path / "clip.ts"
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    units = some(LoopedFile(path).units(), FRAMES)
    assert not any(is_delimiter(Codec.H264, nal) for unit in units for nal in unit.nals)
    assert decoded(Codec.H264, units) == FRAMES


def test_what_cannot_be_served(make_clip: MakeClip, tmp_path: Path) -> None:
    """Other codecs, no video at all, and no such file: one clear error each, without the folder's name."""
    other = make_clip("other.mp4", codec="mpeg4")
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(b"no video" * 100)
    for path, words in (
        (other, "no H.264 or H.265"),
        (noise, "cannot be read"),
        (tmp_path / "gone.mp4", "cannot be read"),
    ):
        with pytest.raises(BadSource, match=words) as found:
            LoopedFile(path)
        assert path.name in str(found.value)
        assert str(tmp_path) not in str(found.value)


class Greys:
    """Pictures that get brighter; may be gone through again."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.rounds = 0

    def __iter__(self) -> Iterator[Picture]:
        """From the first."""
        self.rounds += 1
        for level in range(self.count):
            yield np.full((SIZE[1], SIZE[0], 3), 8 * level, np.uint8)


@pytest.mark.parametrize("codec", list(Codec))
def test_pictures_are_encoded_one_by_one(codec: Codec) -> None:
    """Each leaves before the next is asked for, and all can be decoded."""
    asked = []

    def pictures() -> Iterator[Picture]:
        for level, picture in enumerate(Greys(10)):
            asked.append(level)
            yield picture

    stream = PictureStream(pictures(), 10.0, SIZE, codec=codec)
    units = []
    for unit in itertools.islice(stream.units(), 8):
        units.append(unit)
        if codec is Codec.H264:
            assert len(asked) == len(units)
    assert [unit.decode_s for unit in units] == pytest.approx([i / 10 for i in range(8)])
    assert all(unit.show_s == unit.decode_s for unit in units)
    assert decoded(codec, units) == 8


def test_pictures_that_end_begin_again() -> None:
    """When they can be gone through twice; time goes on."""
    greys = Greys(3)
    units = some(PictureStream(greys, 10.0, SIZE).units(), 8)
    assert greys.rounds == 3
    assert units[-1].decode_s == pytest.approx(0.7)


def test_an_iterator_of_pictures_ends_the_stream() -> None:
    """It cannot be gone through again."""
    units = list(PictureStream(iter(Greys(4)), 10.0, SIZE).units())
    assert len(units) == 4


def test_key_frames_come_as_often_as_wished() -> None:
    """Every second, or otherwise."""
    every_second = some(PictureStream(Greys(30), 10.0, SIZE).units(), 25)
    often = some(PictureStream(Greys(30), 10.0, SIZE, key_every_s=0.3).units(), 10)
    assert [i for i, unit in enumerate(every_second) if unit.key] == [0, 10, 20]
    assert [i for i, unit in enumerate(often) if unit.key] == [0, 3, 6, 9]


def test_pictures_describe_themselves_by_the_first() -> None:
    """Their parameter sets come with it."""
    stream = PictureStream(Greys(3), 10.0, SIZE)
    lines = stream.media_lines(next(stream.units()))
    assert any("sprop-parameter-sets=" in line for line in lines)


def test_a_bit_rate_is_kept_to() -> None:
    """About, over many frames of noise."""
    chance = np.random.default_rng(0)
    noise = [chance.integers(0, 256, (240, 320, 3), np.uint8) for _ in range(50)]
    sizes = [
        sum(
            len(nal)
            for unit in some(PictureStream(noise, 25.0, (320, 240), bitrate=rate).units(), 50)
            for nal in unit.nals
        )
        for rate in (400_000, 4_000_000)
    ]
    assert sizes[1] > 3 * sizes[0]
