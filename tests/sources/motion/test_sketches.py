"""Recordings become sketches: the right pictures, small, in their times; what cannot be read says so."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from extension.errors import BadSource
from extension.sources.motion.difference import difference
from extension.sources.motion.sketches import EVERY_S, LONG_SIDE_PX, Recording
from tests.sources.conftest import MakeClip
from tests.sources.motion.stage import Stage, box, walker


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_key_frames_are_sketched(tmp_path: Path, codec: str) -> None:
    """One a second, as the encoder made them, and nothing else."""
    path = Stage().film(tmp_path / "a.mp4", 0, 3, codec=codec)
    with Recording(path) as recording:
        found = recording.keys()
    assert [sketch.at_s for sketch in found] == pytest.approx([0.0, 1.0, 2.0], abs=0.01)
    assert all(sketch.key and sketch.levels.shape == (90, LONG_SIDE_PX) for sketch in found)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_pictures_between_them_are_sketched_twice_a_second(tmp_path: Path, codec: str) -> None:
    """And the last one, so that the end of a segment is seen."""
    path = Stage().film(tmp_path / "a.mp4", 0, 2, key_every_s=2.0, codec=codec)
    with Recording(path) as recording:
        found = list(recording.sketches())
    times_s = [sketch.at_s for sketch in found]
    assert [sketch.key for sketch in found] == [True, *[False] * (len(found) - 1)]
    assert times_s[-1] >= 1.7
    assert all(0 < b - a <= EVERY_S + 0.2 for a, b in pairwise(times_s))


def test_a_sketch_shows_what_is_there(tmp_path: Path) -> None:
    """Grey levels as they were, but for noise and coding."""
    stage = Stage((box(0.4, 0.4, 0.2, 0.2, level=240),), noise=1.0)
    with Recording(stage.film(tmp_path / "a.mp4", 0, 1)) as recording:
        (sketch,) = recording.keys()
    # A film's black is 16 and its white 235.
    expected = 16 + stage.levels(0.0).astype(float) * 219 / 255
    assert np.abs(sketch.levels - expected).mean() < 3
    assert sketch.levels[45, 80] > 200


@pytest.mark.parametrize(
    ("size", "shape"), [((320, 180), (90, 160)), ((180, 320), (160, 90)), ((160, 160), (160, 160))]
)
def test_the_longer_side_is_always_as_long(
    tmp_path: Path, size: tuple[int, int], shape: tuple[int, int]
) -> None:
    """Upright cameras too."""
    with Recording(Stage(size=size).film(tmp_path / "a.mp4", 0, 0.5)) as recording:
        assert recording.keys()[0].levels.shape == shape


def test_frames_may_be_reordered(tmp_path: Path) -> None:
    """With B-frames key frames leave the decoder late; none is missing."""
    path = Stage((walker(0.3),)).film(tmp_path / "a.mp4", 0, 3, bframes="3")
    with Recording(path) as recording:
        assert len(recording.keys()) == 3
        times_s = [sketch.at_s for sketch in recording.sketches()]
    assert times_s == sorted(times_s)
    assert times_s[-1] - times_s[0] >= 2.4


def test_ten_bit_pictures_are_sketched(make_clip: MakeClip) -> None:
    """Some cameras record them."""
    path = make_clip(codec="libx265", pix_fmt="yuv420p10le", size=(128, 96))
    with Recording(path) as recording:
        (sketch, *_) = recording.keys()
    assert sketch.levels.shape == (120, 160)
    assert 80 <= sketch.levels.mean() <= 105


def test_the_tail_is_what_follows_the_last_key_frame(tmp_path: Path) -> None:
    """Of three seconds with a key frame in each, the third."""
    with Recording(Stage().film(tmp_path / "a.mp4", 0, 3)) as recording:
        assert len(recording.keys()) == 3
        found = recording.tail()
    assert not any(sketch.key for sketch in found)
    assert all(sketch.at_s > 2.0 for sketch in found)
    assert found[-1].at_s >= 2.7


def test_a_still_place_stays_still_from_picture_to_picture(tmp_path: Path) -> None:
    """Decoding spares nothing that would make noise drift over a long group of pictures."""
    path = Stage(noise=8.0).film(tmp_path / "a.mp4", 0, 6, key_every_s=3.0)
    with Recording(path) as recording:
        found = list(recording.sketches())
    assert len(found) >= 12
    assert not any(difference(a.levels, b.levels).blobs for a, b in pairwise(found))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="missing"),
        pytest.param(b"", id="empty"),
        pytest.param(b"not a video" * 100, id="no-video"),
    ],
)
def test_what_is_no_recording_says_so(tmp_path: Path, content: bytes | None) -> None:
    """By its name, without its folder."""
    path = tmp_path / "gone.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadSource, match=r"^'gone\.mp4' cannot be measured"):
        Recording(path)


def test_a_recording_without_pictures_says_so(tmp_path: Path) -> None:
    """Sound alone shows no motion."""
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        for number in range(4):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 8000, 1024 * number, Fraction(1, 8000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(BadSource, match="has no video stream"):
        Recording(path)


def test_a_damaged_recording_is_told(tmp_path: Path) -> None:
    """Whatever can be decoded of it or not, it is no crash."""
    path = Stage(noise=20).film(tmp_path / "a.mp4", 0, 3)
    whole = bytearray(path.read_bytes())
    start = whole.find(b"mdat") + 8
    for place in range(start, start + (len(whole) - start) // 2):
        whole[place] = 0xFF
    path.write_bytes(whole)
    with Recording(path) as recording, contextlib.suppress(BadSource):
        assert len(recording.keys()) <= 3
