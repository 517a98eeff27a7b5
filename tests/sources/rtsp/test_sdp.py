"""Session descriptions."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest

from extension.sources.rtsp.sdp import description, video_lines
from extension.sources.rtsp.streams import AnnouncedTrack, LoopedFile
from extension.sources.rtsp.units import Codec, ParameterSets

SPS, PPS = b"\x67\x42\xc0\x1e rest", b"\x68pps"
VPS5, SPS5, PPS5 = b"\x40\x01v", b"\x42\x01s", b"\x44\x01p"


def test_h264_is_described_by_its_parameter_sets() -> None:
    """Profile and level from the SPS, both sets in base64, and the mode that cuts large units."""
    lines = video_lines(ParameterSets(Codec.H264, (SPS, PPS)), 25.0)
    assert lines[0] == "m=video 0 RTP/AVP 96"
    assert "a=rtpmap:96 H264/90000" in lines
    fmtp = next(line for line in lines if line.startswith("a=fmtp:96 "))
    parameters = dict(part.split("=", 1) for part in fmtp.removeprefix("a=fmtp:96 ").split(";"))
    assert parameters["packetization-mode"] == "1"
    assert parameters["profile-level-id"] == "42C01E"
    assert [b64decode(text) for text in parameters["sprop-parameter-sets"].split(",")] == [SPS, PPS]
    assert "a=framerate:25" in lines


def test_h265_names_its_three_sets() -> None:
    """Each under its own name (RFC 7798)."""
    lines = video_lines(ParameterSets(Codec.H265, (VPS5, SPS5, PPS5)), 12.5)
    assert "a=rtpmap:96 H265/90000" in lines
    fmtp = next(line for line in lines if line.startswith("a=fmtp:96 ")).removeprefix("a=fmtp:96 ")
    parameters = dict(part.split("=", 1) for part in fmtp.split(";"))
    assert {name: b64decode(text) for name, text in parameters.items()} == {
        "sprop-vps": VPS5,
        "sprop-sps": SPS5,
        "sprop-pps": PPS5,
    }
    assert "a=framerate:12.5" in lines


def test_a_description_is_whole() -> None:
    """What RFC 4566 demands, lines that end as it demands, and the track's name at the end of its section."""
    text = description("cam0", 42, ["m=video 0 RTP/AVP 96", "a=x"])
    lines = text.split("\r\n")
    assert lines[0] == "v=0"
    assert [line[0] for line in lines if line][:5] == ["v", "o", "s", "c", "t"]
    assert lines[-2:] == ["a=control:trackID=0", ""]
    assert lines.index("a=x") > lines.index("m=video 0 RTP/AVP 96")
    assert "s=cam0" in lines
    assert "\n" not in text.replace("\r\n", "")


@pytest.mark.parametrize("fixture", ["clip", "hevc_clip"])
def test_a_file_describes_itself(fixture: str, request: pytest.FixtureRequest) -> None:
    """Before any of its pictures is read."""
    path: Path = request.getfixturevalue(fixture)
    lines = LoopedFile(path).media_lines(None)
    assert any("sprop-" in line for line in lines)
    assert "a=framerate:25" in lines


def test_an_announced_track_is_described_as_given() -> None:
    """Whatever it is."""
    track = AnnouncedTrack(["m=audio 0 RTP/AVP 0"])
    assert track.media_lines(None) == ("m=audio 0 RTP/AVP 0",)
    assert list(track.units()) == []
