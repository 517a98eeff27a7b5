"""Telling videos from other files, and measuring them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.via_server.drawing import draw, draw_sound, draw_sound_mp4, even
from via_server.errors import NotAVideo
from via_server.probe import probe
from via_server.splitter import NS_PER_S


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mkv", "libx264"),
        ("a.webm", "libvpx"),
        ("a.ts", "libx264"),
        ("a.avi", "mjpeg"),
    ],
)
def test_the_length_is_measured_from_the_first_frame(tmp_path: Path, name: str, codec: str) -> None:
    """Three seconds are three seconds in every container, to within a frame."""
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    media = probe(draw(tmp_path / name, even(90, 30), codec=codec, pix_fmt=pix_fmt))
    assert media.duration_ns / NS_PER_S == pytest.approx(3.0, abs=0.05)
    assert (media.width_px, media.height_px) == (64, 48)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_a_late_start_adds_nothing(tmp_path: Path, name: str) -> None:
    """A file whose own time line begins at 100 s still lasts three seconds."""
    media = probe(draw(tmp_path / name, even(90, 30, start_s=100.0)))
    assert media.duration_ns / NS_PER_S == pytest.approx(3.0, abs=0.05)
    assert media.origin_ns / NS_PER_S == pytest.approx(100.0, abs=2.0)


def test_a_file_that_states_no_length_is_read_through(tmp_path: Path) -> None:
    """Raw H.264 has neither times nor a length; its frames are counted."""
    media = probe(draw(tmp_path / "a.h264", even(50, 30), container="h264"))
    assert media.duration_ns / NS_PER_S == pytest.approx(2.0, abs=0.1)  # 25 frames per second are assumed


def test_one_frame_is_a_video(tmp_path: Path) -> None:
    """It lasts as long as its frame."""
    assert probe(draw(tmp_path / "a.mp4", [0.0])).duration_ns > 0


def png(path: Path) -> Path:
    """A picture."""
    path.write_bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    return path


def text(path: Path, content: str) -> Path:
    """A text file."""
    path.write_text(content)
    return path


def cut_short(path: Path, share: float) -> Path:
    """The first part of an mp4, whose index is at its end."""
    data = draw(path, even(60, 30)).read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda folder: text(folder / "zero", ""), id="zero-bytes"),
        pytest.param(lambda folder: text(folder / "a.mp4", "not a video " * 99), id="text"),
        pytest.param(lambda folder: draw_sound(folder / "a.wav"), id="sound"),
        pytest.param(lambda folder: draw_sound_mp4(folder / "a.mp4"), id="sound-in-mp4"),
        pytest.param(lambda folder: png(folder / "a.png"), id="picture"),
        pytest.param(lambda folder: cut_short(folder / "a.mp4", 0.5), id="cut-before-its-index"),
        pytest.param(
            lambda folder: text(folder / "a.srt", "1\n00:00:00,000 --> 00:00:01,000\nx\n"), id="subtitles"
        ),
        pytest.param(lambda folder: folder / "missing.mp4", id="missing"),
        pytest.param(lambda folder: folder, id="a-folder"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, make: object) -> None:
    """In the engine's words."""
    assert callable(make)
    with pytest.raises(NotAVideo, match=r"does not seem to be a valid MediaType\.VIDEO file"):
        probe(make(tmp_path))


@pytest.mark.parametrize(
    "script",
    [
        "ffconcat version 1.0\nfile inner.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\ninner.mp4\n#EXT-X-ENDLIST\n",
    ],
    ids=["concat", "playlist"],
)
def test_a_script_that_names_another_file_is_refused(tmp_path: Path, script: str) -> None:
    """An upload must not reach files beside it."""
    draw(tmp_path / "inner.mp4", even(30, 30))
    with pytest.raises(NotAVideo):
        probe(text(tmp_path / "outer.mp4", script))
