"""Probing: what a video is, and a clear sentence for what is none."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extension.errors import BadSource
from extension.sources.probe import probe
from tests.sources.conftest import MakeClip


def test_a_clip_is_described(make_clip: MakeClip) -> None:
    """Length, size, rate and codec."""
    info = probe(make_clip())
    assert info.duration_s == pytest.approx(1.0)
    assert (info.width, info.height, info.fps, info.codec, info.frames_hint) == (64, 48, 10.0, "h264", 10)


def test_one_frame_is_a_video(make_clip: MakeClip) -> None:
    """A tenth of a second at ten frames a second."""
    info = probe(make_clip(ticks=[0]))
    assert info.duration_s == pytest.approx(0.1)
    assert info.frames_hint == 1


class CountingFile(io.BytesIO):
    """A file that knows how many of its bytes were read."""

    bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and count."""
        data = super().read(size)
        self.bytes_read += len(data)
        return data


def test_four_hours_are_not_read_through(make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata tells the length: most of the pictures are never touched."""
    clip = make_clip(ticks=range(0, 144_000, 2_000), size=(320, 240), noisy=True)
    file = CountingFile(clip.read_bytes())
    monkeypatch.setattr(Path, "open", lambda _self, _mode: file)
    size = len(file.getvalue())
    info = probe(clip)
    assert info.duration_s == pytest.approx(14_400, rel=0.02)
    assert size > 1_000_000
    assert file.bytes_read < size / 2


@pytest.mark.parametrize("name", ["clip.mkv", "clip.ts", "clip.avi", "clip.webm", "clip.flv", "clip.mov"])
def test_usual_containers_are_taken(make_clip: MakeClip, name: str) -> None:
    """Whatever cameras and people send."""
    info = probe(make_clip(name, codec="libvpx" if name.endswith("webm") else "libx264"))
    assert info.duration_s == pytest.approx(1.0, abs=0.25)
    assert info.frames_hint >= 9


def test_a_missing_duration_is_found_from_the_timestamps(make_clip: MakeClip) -> None:
    """A stream that was written without going back to its header."""

    class Pipe(io.BytesIO):
        """Can be written once, from front to back."""

        def seekable(self) -> bool:
            """No."""
            return False

        seek = None  # type: ignore[assignment]  # PyAV takes a file without it for a pipe

    pipe = Pipe()
    path = make_clip("live.mkv", ticks=[0, 5, 70], file=pipe, form="matroska")
    path.write_bytes(pipe.getvalue())
    with av.open(path) as container:
        assert not container.duration
    assert probe(path).duration_s == pytest.approx(7.1, abs=0.05)
    assert probe(path).frames_hint == 3


def test_a_bare_stream_without_timestamps_is_counted(make_clip: MakeClip) -> None:
    """Raw H.264 knows no time: frames over rate."""
    info = probe(make_clip("raw.h264", form="h264"))
    assert info.frames_hint == 10
    assert info.duration_s > 0


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "size"),
    [
        pytest.param("libx264", "yuv444p", (64, 48), id="444"),
        pytest.param("libx264", "yuv420p10le", (64, 48), id="ten-bits"),
        pytest.param("libx264", "gray", (64, 48), id="grey"),
        pytest.param("libx264rgb", "rgb24", (63, 47), id="rgb-and-odd-size"),
        pytest.param("ffv1", "gbrp12le", (64, 48), id="planar-twelve-bits"),
        pytest.param("mjpeg", "yuvj422p", (64, 48), id="full-range-422"),
        pytest.param("png", "rgba", (64, 48), id="alpha"),
    ],
)
def test_odd_pixel_formats_are_taken(
    make_clip: MakeClip, codec: str, pix_fmt: str, size: tuple[int, int]
) -> None:
    """If it can be decoded, it can be looked at."""
    info = probe(
        make_clip("odd.mov" if codec == "png" else "odd.mkv", codec=codec, pix_fmt=pix_fmt, size=size)
    )
    assert (info.width, info.height) == size


@pytest.mark.parametrize(
    "name",
    [
        "with space.mp4",
        "공장 #1 (사고).mp4",
        "100%25d_%03d.mp4",
        "a:b|c;d'e\"f.mp4",
        "-rf.mp4",
        "http:--x.mp4",
        "new\nline.mp4",
        "noextension",
    ],
)
def test_odd_file_names_are_names_like_others(make_clip: MakeClip, name: str) -> None:
    """Never read as an address, a pattern or an option."""
    clip = make_clip()
    odd = clip.rename(clip.with_name(name))
    assert probe(odd).codec == "h264"


def refusal(path: Path) -> str:
    """The sentence of a refused file, which never names its folder."""
    with pytest.raises(BadSource) as caught:
        probe(path)
    assert str(path.parent) not in str(caught.value)
    assert repr(path.name) in str(caught.value)
    return str(caught.value)


def test_a_name_that_is_no_text_can_be_shown(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 in a file's name."""
    path = tmp_path / b"caf\xe9.mp4".decode("utf-8", "surrogateescape")
    path.write_bytes(b"")
    with pytest.raises(BadSource) as caught:
        probe(path)
    assert "caf?.mp4" in str(caught.value).encode("utf-8").decode()


def test_zero_bytes_are_refused(tmp_path: Path) -> None:
    """An upload that never came."""
    (tmp_path / "e.mp4").write_bytes(b"")
    assert "is empty" in refusal(tmp_path / "e.mp4")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"hello\n" * 99, id="text"),
        pytest.param(b"timestamp,objid,x,y,z\n2025-01-01 00:00:00.000,obj001,1,2,3\n", id="csv"),
        pytest.param(np.random.default_rng(1).bytes(20_000), id="noise"),
        pytest.param(b"x", id="one-byte"),
        pytest.param(b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n", id="playlist"),
        pytest.param(b"ffconcat version 1.0\nfile /etc/passwd\n", id="list-of-files"),
        pytest.param(b"PK\x03\x04" + bytes(400), id="archive"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, data: bytes) -> None:
    """Whatever it calls itself."""
    (tmp_path / "x.mp4").write_bytes(data)
    assert "is not a video" in refusal(tmp_path / "x.mp4")


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_a_picture_is_no_video(tmp_path: Path, name: str) -> None:
    """One frame without time is not one frame of a video."""
    cv2.imwrite(str(tmp_path / name), np.zeros((32, 32, 3), dtype=np.uint8))
    assert "is not a video" in refusal(tmp_path / name)


def test_a_playlist_of_real_videos_is_refused(make_clip: MakeClip) -> None:
    """It would read other files than the one that was checked."""
    clip = make_clip("real.ts")
    playlist = clip.with_name("list.m3u8")
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{clip}\n#EXT-X-ENDLIST\n")
    assert "is not a video" in refusal(playlist)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_without_its_index_is_refused(make_clip: MakeClip, share: float) -> None:
    """The index of an MP4 is at its end unless asked otherwise."""
    clip = make_clip()
    data = clip.read_bytes()
    clip.write_bytes(data[: int(len(data) * share)])
    assert "is truncated" in refusal(clip)


@pytest.mark.parametrize(
    "movflags",
    [pytest.param("faststart", id="index-first"), pytest.param("frag_keyframe+empty_moov", id="fragments")],
)
def test_a_file_that_lacks_its_end_is_refused(make_clip: MakeClip, movflags: str) -> None:
    """Though its index promises all of it."""
    clip = make_clip(options={"movflags": movflags}, ticks=range(40))
    assert probe(clip).duration_s == pytest.approx(4.0, abs=0.1)
    body = clip.read_bytes()
    clip.write_bytes(body[: body.rindex(b"mdat") + 100])
    assert "bytes are there" in refusal(clip)


def test_sound_alone_has_no_video_stream(tmp_path: Path) -> None:
    """In a container that usually holds video."""
    with wave.open(str(tmp_path / "s.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    with av.open(tmp_path / "s.wav") as wav, av.open(tmp_path / "s.mkv", "w") as mkv:
        stream = mkv.add_stream_from_template(wav.streams.audio[0])
        for packet in wav.demux():
            if packet.dts is not None:
                packet.stream = stream
                mkv.mux(packet)
    assert "has no video stream" in refusal(tmp_path / "s.mkv")


def test_a_stream_of_which_nothing_decodes_is_refused(make_clip: MakeClip) -> None:
    """The container is whole, its pictures are not."""
    clip = make_clip(options={"movflags": "faststart"})
    data = bytearray(clip.read_bytes())
    start = data.rindex(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    clip.write_bytes(data)
    assert "no frame of it can be decoded" in refusal(clip)


def test_a_broken_beginning_is_passed_over(make_clip: MakeClip) -> None:
    """A later key frame will do."""
    clip = make_clip("cut.ts", ticks=range(60))
    data = bytearray(clip.read_bytes())
    data[188 * 4 : 188 * 6] = bytes(188 * 2)
    clip.write_bytes(data)
    assert probe(clip).width == 64


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    """By name."""
    (tmp_path / "d.mp4").mkdir()
    assert "is a folder" in refusal(tmp_path / "d.mp4")
    assert "No such file" in refusal(tmp_path / "none.mp4")


@pytest.mark.footage
def test_the_labs_recording_is_described(footage: Path) -> None:
    """Twenty seconds in fragments."""
    info = probe(footage / "video_180.mp4")
    assert (info.width, info.height, info.fps, info.codec) == (532, 280, 30.0, "h264")
    assert info.duration_s == pytest.approx(19.97, abs=0.01)


def test_fragments_cut_between_two_of_them_are_refused(make_clip: MakeClip) -> None:
    """No byte is missing that the rest could tell of, only time."""
    clip = make_clip(options={"movflags": "frag_every_frame+empty_moov"}, ticks=range(80))
    whole = bytearray(clip.read_bytes())
    clock = (
        whole.index(b"mdhd") + 16
    )  # after version, times of making and changing: ticks per second, then duration
    ticks_per_s = int.from_bytes(whole[clock : clock + 4], "big")
    whole[clock + 4 : clock + 8] = (8 * ticks_per_s).to_bytes(4, "big")
    clip.write_bytes(whole)
    assert probe(clip).duration_s == pytest.approx(8.0)
    fragments = [i for i in range(len(whole)) if whole.startswith(b"moof", i)]
    clip.write_bytes(whole[: fragments[40] - 4])
    assert "of 8.0 s. Upload it again" in refusal(clip)


@pytest.mark.footage
def test_half_of_the_labs_recording_is_truncated(footage: Path, tmp_path: Path) -> None:
    """Fragments or not."""
    data = (footage / "video_180.mp4").read_bytes()
    (tmp_path / "half.mp4").write_bytes(data[: len(data) // 2])
    assert "is truncated" in refusal(tmp_path / "half.mp4")


def test_a_codec_that_nobody_knows_is_refused(make_clip: MakeClip) -> None:
    """The file says what kind of pictures it holds; damage may make that a word of no meaning."""
    clip = make_clip()
    clip.write_bytes(clip.read_bytes().replace(b"avc1", b"zzzz"))
    assert "codec unknown" in refusal(clip)


@given(
    where=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=40)), max_size=6
    ),
    keep=st.floats(0.05, 1),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_video_is_described_or_refused(
    make_clip: MakeClip, where: list[tuple[float, bytes]], keep: float
) -> None:
    """Whatever bytes are overwritten or missing, no other error comes out."""
    clip = make_clip(options={"movflags": "faststart"}, ticks=range(5))
    data = bytearray(clip.read_bytes())
    for share, junk in where:
        start = int(share * len(data))
        data[start : start + len(junk)] = junk
    clip.write_bytes(data[: int(keep * len(data))])
    try:
        info = probe(clip)
    except BadSource as exc:
        said = str(exc)
    else:
        said = "clip.mp4"
        assert info.duration_s > 0
        assert info.frames_hint >= 1
        assert min(info.width, info.height) > 0
    assert "clip.mp4" in said
