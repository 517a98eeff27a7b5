"""Neighbouring segments become one file that lies on the wall clock as they did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from extension.errors import BadSource
from extension.sources.camera.segments import Footage, Segment, Stamp
from extension.sources.camera.window import join

START = dt.datetime(2026, 5, 4, 10, tzinfo=dt.UTC)


def _segment(
    folder: Path, start_s: float, duration_s: float = 2.0, *, size: tuple[int, int] = (64, 48), grey: int = 90
) -> Segment:
    """Ten frames per second of one grey."""
    path = folder / f"{start_s}.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"bf": "2"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for _ in range(round(duration_s * 10)):
            picture = np.full((size[1], size[0], 3), grey, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    at = START + dt.timedelta(seconds=start_s)
    footage = Footage("h264", *size, 1, Stamp.ARRIVAL)
    return Segment("gate", at, at + dt.timedelta(seconds=duration_s), path, path.stat().st_size, footage)


def _frames(path: Path) -> Sequence[tuple[float, float]]:
    """Time and mean grey of every frame."""
    with av.open(str(path)) as container:
        return [
            (float(frame.time or 0.0), float(frame.to_ndarray(format="gray").mean()))
            for frame in container.decode(video=0)
        ]


def test_neighbours_follow_one_another(tmp_path: Path) -> None:
    """All frames, evenly, each segment's in its place."""
    segments = [_segment(tmp_path, 2.0 * n, grey=60 + 40 * n) for n in range(3)]
    window = join(segments, tmp_path / "window.mp4")
    frames = _frames(window.path)
    assert len(frames) == 60
    times = [at for at, _ in frames]
    assert times == sorted(times)
    assert np.diff(times) == pytest.approx(0.1, abs=0.02)
    greys = [grey for _, grey in (frames[5], frames[25], frames[45])]
    assert np.diff(greys) == pytest.approx(46.0, abs=8.0)
    assert (window.start_at, window.duration_s) == (START, 6.0)


def test_a_hole_stays_a_hole(tmp_path: Path) -> None:
    """What was not recorded takes its time."""
    window = join([_segment(tmp_path, 0.0), _segment(tmp_path, 5.0)], tmp_path / "window.mp4")
    times = [at for at, _ in _frames(window.path)]
    assert max(np.diff(times)) == pytest.approx(3.1, abs=0.05)
    assert window.duration_s == 7.0


def test_of_two_picture_sizes_nothing_is_left_out(tmp_path: Path) -> None:
    """All frames in the size of the later ones, at their times, as grey as they were."""
    segments = [
        _segment(tmp_path, 0.0, grey=60),
        _segment(tmp_path, 2.0, size=(128, 96), grey=120),
        _segment(tmp_path, 5.0, size=(128, 96), grey=180),
    ]
    window = join(segments, tmp_path / "window.mp4")
    assert (window.start_at, window.duration_s) == (START, 7.0)
    frames = _frames(window.path)
    assert len(frames) == 60
    times = [at for at, _ in frames]
    steps = np.diff(times)
    assert np.delete(steps, 39) == pytest.approx(0.1, abs=0.02)
    assert steps[39] == pytest.approx(1.1, abs=0.02)
    greys = [grey for _, grey in (frames[5], frames[25], frames[45])]
    assert np.diff(greys) == pytest.approx(60.0, abs=12.0)
    with av.open(str(window.path)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (128, 96)


def test_odd_sizes_are_made_even(tmp_path: Path) -> None:
    """H.264 in its usual form has no others."""
    segments = [_segment(tmp_path, 0.0), _segment(tmp_path, 2.0, size=(66, 50))]
    segments[1] = replace(segments[1], footage=replace(segments[1].footage, width=67, height=51))
    window = join(segments, tmp_path / "window.mp4")
    with av.open(str(window.path)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (66, 50)
    assert len(_frames(window.path)) == 40


def test_another_codec_in_between_is_drawn_too(tmp_path: Path) -> None:
    """The camera was switched from H.264 to H.265."""
    segments = [_segment(tmp_path, 0.0), _segment(tmp_path, 2.0)]
    segments[1] = replace(segments[1], footage=replace(segments[1].footage, codec="hevc"))
    assert len(_frames(join(segments, tmp_path / "window.mp4").path)) == 40


def test_a_damaged_segment_among_those_that_are_drawn_is_said(tmp_path: Path) -> None:
    """As where they are copied."""
    segments = [_segment(tmp_path, 0.0), _segment(tmp_path, 2.0, size=(128, 96))]
    segments[0].path.write_bytes(b"not a video")
    with pytest.raises(BadSource, match="cannot be joined"):
        join(segments, tmp_path / "window.mp4")
    assert not list(tmp_path.glob(".*.part"))


def test_a_segment_that_is_gone_is_said_without_its_path(tmp_path: Path) -> None:
    """And nothing half is left."""
    segment = _segment(tmp_path, 0.0)
    segment.path.unlink()
    with pytest.raises(BadSource, match="gate: the recorded segments cannot be joined") as caught:
        join([segment], tmp_path / "window.mp4")
    assert str(tmp_path) not in str(caught.value)
    assert not (tmp_path / "window.mp4").exists()
    assert not list(tmp_path.glob(".*.part"))


def test_a_damaged_segment_is_said(tmp_path: Path) -> None:
    """Not joined in part and passed off as whole."""
    segment = _segment(tmp_path, 0.0)
    segment.path.write_bytes(b"not a video")
    with pytest.raises(BadSource):
        join([segment], tmp_path / "window.mp4")
